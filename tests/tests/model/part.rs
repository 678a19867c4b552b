//! A part: something that an actor does on the site. The model follows it by what the store does for it.

use std::collections::HashSet;

use nexios_middleware_core::SessionHandle;
use nexios_store_core::{SessionId, Timestamp};
use nexios_store_testkit::hook::CallKind;

use crate::coverage::Coverage;
use crate::probe::{Actor, Event, What};
use crate::request::{Base, Intent, Request};
use crate::site::{Cookie, Open};
use crate::steps::{Status, User};
use crate::world::{Life, LifeNumber, World};

/// A message that says what is wrong.
pub(crate) type Wrong = String;

pub(crate) struct Part {
    pub(crate) actor: Actor,
    pub(crate) doing: Doing,
    pub(crate) seen: Seen,
}

/// Everything that the store did for a part.
#[derive(Default)]
pub(crate) struct Seen {
    /// The calls that failed, or whose answers were lost.
    pub(crate) unanswered: Vec<CallKind>,
    /// The record that a commit has left in the store.
    pub(crate) wrote: Option<Wrote>,
    pub(crate) has_touched: bool,
}

pub(crate) enum Doing {
    Open(Opening),
    Commit(Commit),
    Revoke(Revocation),
    List(User),
    Sweep { removed: usize },
}

pub(crate) struct Opening {
    pub(crate) visitor: Option<usize>,
    pub(crate) cookies: Vec<Cookie>,
    pub(crate) tried: HashSet<SessionId>,
    /// An id was looked up whose session has moved to another one.
    pub(crate) has_moved: bool,
    /// The session as it was when it was loaded.
    pub(crate) found: Option<(LifeNumber, Life)>,
}

pub(crate) struct Commit {
    pub(crate) request: Request,
    pub(crate) open: Open,
    pub(crate) intent: Intent,
    /// The status of the answer, or `None` for a `save` within the handler.
    pub(crate) status: Option<Status>,
    /// The handler goes on after the answer.
    pub(crate) goes_on: bool,
    /// The commit has found that the session is gone.
    pub(crate) finds_gone: bool,
    /// A logout is done, and goes on with a fresh session.
    pub(crate) begins_afresh: bool,
}

pub(crate) struct Revocation {
    pub(crate) user: User,
    pub(crate) whom: Whom,
    /// The sessions that were there when the revocation began.
    pub(crate) targets: Vec<LifeNumber>,
    pub(crate) deleted: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Whom {
    All,
    Only(SessionHandle),
    Others(SessionHandle),
}

pub(crate) struct Wrote {
    pub(crate) base: Base,
    pub(crate) is_answered: bool,
}

impl Whom {
    /// Returns whether a session is meant, or `None` if nobody knows its handle.
    pub(crate) fn is_meant(self, life: &Life) -> Option<bool> {
        match self {
            Self::All => Some(true),
            Self::Only(handle) => Some(life.handle? == handle),
            Self::Others(handle) => Some(life.handle? != handle),
        }
    }
}

impl Part {
    pub(crate) fn new(actor: Actor, doing: Doing) -> Self {
        Self { actor, doing, seen: Seen::default() }
    }

    /// Returns the user of the request's session.
    pub(crate) fn user(&self) -> Option<User> {
        match &self.doing {
            Doing::Commit(commit) => commit.request.base.as_ref()?.user,
            _ => None,
        }
    }

    /// Follows a call of the store: checks that the part is allowed to make it, and does the same in the model.
    pub(crate) fn witness(&mut self, world: &mut World, event: &Event, coverage: &mut Coverage) -> Result<(), Wrong> {
        // A session that was renamed is renamed, and a logout goes on to the delete.
        let is_a_mark = matches!(event.what, What::Marked(..) | What::NotMarked | What::Ended(_) | What::NotEnded);
        // A login stands where the user's other sessions cannot be counted.
        let is_a_count = matches!(event.what, What::Listed | What::Failed(CallKind::SessionsOf))
            && matches!(&self.doing, Doing::Commit(commit) if commit.intent != Intent::Destroy || commit.begins_afresh);
        if !event.answered && !is_a_mark && !is_a_count {
            self.seen.unanswered.push(match event.what {
                What::Loaded(_) | What::Failed(CallKind::Load) => CallKind::Load,
                What::Listed | What::Failed(CallKind::SessionsOf) => CallKind::SessionsOf,
                What::Failed(call) => call,
                _ => CallKind::Update, // or another write
            });
        }
        if let What::Conflict(call) = event.what {
            coverage.saw(match call {
                CallKind::Rename => "a rename that met a conflict",
                _ => "an update that met a conflict",
            });
        }
        match &mut self.doing {
            Doing::Open(opening) => {
                opening.witness(world, event)?;
                if let What::Loaded(id) = event.what {
                    world.read(id, world.first_key);
                }
                Ok(())
            }
            Doing::Commit(commit) => {
                let done = commit.witness(world, event)?;
                if let (Witnessed::Touched, What::Touched(id, until)) = (&done, event.what) {
                    let lives_longer = world.stored(id).is_some_and(|number| world.lives[number].expires_at > until);
                    coverage.saw_if(lives_longer, "a touch of a session that lives longer");
                }
                let was_expired = matches!(done, Witnessed::LoggedOut { had_expired: true });
                coverage.saw_if(was_expired, "a logout of a session that had expired");
                self.seen.has_touched |= matches!(done, Witnessed::Touched if event.answered);
                if let Witnessed::Wrote(base) = done {
                    self.seen.wrote = Some(Wrote { base, is_answered: event.answered });
                }
                Ok(())
            }
            Doing::Revoke(revocation) => revocation.witness(world, event),
            Doing::List(_) => match event.what {
                What::Loaded(id) => {
                    world.read(id, world.first_key);
                    Ok(())
                }
                What::Listed | What::Failed(_) => Ok(()),
                _ => Err(format!("a listing led to {:?}", event.what)),
            },
            Doing::Sweep { removed } => match event.what {
                What::Swept(count) => {
                    let expired = world.sweep();
                    if count != expired {
                        return Err(format!("a sweep has removed {count} sessions, but {expired} had expired"));
                    }
                    *removed += count;
                    Ok(())
                }
                What::Failed(_) => Ok(()),
                _ => Err(format!("a sweep led to {:?}", event.what)),
            },
        }
    }
}

impl Opening {
    fn witness(&mut self, world: &World, event: &Event) -> Result<(), Wrong> {
        let What::Loaded(id) = event.what else {
            return match event.what {
                What::Failed(_) => Ok(()),
                _ => Err(format!("a request that only began led to {:?}", event.what)),
            };
        };
        if self.found.is_some() {
            return Err("a session was loaded although one was found already".to_owned());
        }
        if !self.verified(world).any(|cookie| cookie.id == id) {
            return Err("an id was looked up that no key of the ring vouches for".to_owned());
        }
        self.tried.insert(id);
        self.has_moved |= world.has_moved(id);
        self.found = world.opens(id).map(|number| (number, world.lives[number].clone()));
        Ok(())
    }

    /// Returns the cookies whose signature is good.
    pub(crate) fn verified(&self, world: &World) -> impl Iterator<Item = &Cookie> {
        self.cookies.iter().filter(|cookie| world.keys.contains(&cookie.key))
    }
}

enum Witnessed {
    Nothing,
    Touched,
    LoggedOut { had_expired: bool },
    Wrote(Base),
}

impl Commit {
    fn witness(&mut self, world: &mut World, event: &Event) -> Result<Witnessed, Wrong> {
        let Self { request, intent, .. } = self;
        let login = request.login;
        let base = request.base.clone();
        match event.what {
            What::Missing(id) if world.stored(id).is_some() => {
                Err("a session was not found in the store that has it".to_owned())
            }
            What::Missing(_) | What::Loaded(_) => {
                if let What::Loaded(id) = event.what {
                    world.read(id, request.key);
                }
                self.finds_gone |= base.is_some_and(|base| !base.is_open(world));
                Ok(Witnessed::Nothing)
            }
            What::Failed(CallKind::Create) => {
                self.begins_afresh |= *intent == Intent::Destroy;
                Ok(Witnessed::Nothing)
            }
            What::Listed | What::Conflict(_) | What::Failed(_) | What::NotMarked | What::NotEnded => {
                Ok(Witnessed::Nothing)
            }
            What::Created(id, expires_at) => {
                self.begins_afresh |= *intent == Intent::Destroy;
                let is_due = match (&base, &*intent) {
                    (None, Intent::Create) => true,
                    (_, Intent::Destroy) => request.has_content(),
                    // Whoever has just proven who they are is let in, also if the session has ended meanwhile.
                    (Some(base), Intent::Rename) => login.is_some() && !base.is_open(world),
                    _ => false,
                };
                if !is_due {
                    return Err(format!("a session was created by a commit that is to {intent:?}"));
                }
                let number = world.begin(id, request.key, &request.log, login);
                expires_as_due(world, number, expires_at)?;
                Ok(Witnessed::Wrote(Base::of(world, number)))
            }
            What::Updated(id, expires_at) => {
                let number = in_place(world, base.as_ref(), id, "updated")?;
                if !matches!(intent, Intent::Update | Intent::Upkeep) {
                    return Err(format!("a session was updated by a commit that is to {intent:?}"));
                }
                let number = world.write(number, id, request.key, &request.log, None);
                expires_as_due(world, number, expires_at)?;
                Ok(Witnessed::Wrote(Base::of(world, number)))
            }
            What::Renamed(old, new, expires_at) => {
                let number = in_place(world, base.as_ref(), old, "renamed")?;
                if *intent != Intent::Rename {
                    return Err(format!("a session was renamed by a commit that is to {intent:?}"));
                }
                let number = world.write(number, new, request.key, &request.log, login);
                expires_as_due(world, number, expires_at)?;
                Ok(Witnessed::Wrote(Base::of(world, number)))
            }
            What::Touched(id, until) => {
                let number = in_place(world, base.as_ref(), id, "touched")?;
                if *intent != Intent::Upkeep {
                    return Err(format!("a session was touched by a commit that is to {intent:?}"));
                }
                if until != world.renewed(world.lives[number].authenticated_at) {
                    return Err("a touch lets a session live longer or shorter than it may".to_owned());
                }
                world.touch(number);
                Ok(Witnessed::Touched)
            }
            What::Marked(old, new) => {
                let moved = base.as_ref().filter(|base| base.id == old && *intent == Intent::Rename);
                let moved = moved.ok_or("an id was marked by a commit that has not replaced it")?;
                // A login gives the session to its user, whom the old id must not lead to.
                let leads_on = login.is_none() || login == moved.user;
                if new != leads_on.then_some(world.lives[moved.life].id) {
                    return Err("an old id leads to where it must not, or does not lead on".to_owned());
                }
                world.mark(old, true, request.key);
                world.moves.extend(new.map(|new| (old, new)));
                Ok(Witnessed::Nothing)
            }
            What::Deleted(id) if world.stored_ever(id).is_none() => match world.marks.remove(&id) {
                Some(_) if *intent == Intent::Destroy => Ok(Witnessed::Nothing),
                _ => Err(format!("a record that is no session was deleted by a commit that is to {intent:?}")),
            },
            What::Ended(id) | What::Deleted(id) => {
                let number = world.stored_ever(id);
                let is_own = base.is_some_and(|base| number == Some(base.life));
                match number {
                    Some(number) if *intent == Intent::Destroy && (is_own || world.leads_to(&request.vouched, id)) => {
                        if matches!(event.what, What::Ended(_)) {
                            world.mark(id, false, request.key);
                        }
                        let life = &mut world.lives[number];
                        life.end = Some("logged out");
                        Ok(Witnessed::LoggedOut { had_expired: life.expires_at <= world.now })
                    }
                    _ => Err(format!("a session was ended by a commit that is to {intent:?}")),
                }
            }
            What::Swept(_) => Err("a commit has swept".to_owned()),
        }
    }
}

/// Checks that a request writes to the session that it has loaded, under the id that it knows, and only while the
/// session is live.
fn in_place(world: &World, base: Option<&Base>, id: SessionId, done: &str) -> Result<LifeNumber, Wrong> {
    let base = base.ok_or_else(|| format!("a session was {done} by a request that has none"))?;
    if base.id != id {
        return Err(format!("a session was {done} by a request that has another"));
    }
    if !base.is_stored(world) {
        let life = &world.lives[base.life];
        let why = life.end.unwrap_or(if life.id == id { "expired" } else { "under another id by now" });
        return Err(format!("a session was {done} that is {why}"));
    }
    Ok(base.life)
}

fn expires_as_due(world: &World, number: LifeNumber, expires_at: Timestamp) -> Result<(), Wrong> {
    if world.lives[number].expires_at == expires_at {
        return Ok(());
    }
    Err("a session was written that lives longer or shorter than it may".to_owned())
}

impl Revocation {
    fn witness(&mut self, world: &mut World, event: &Event) -> Result<(), Wrong> {
        match event.what {
            What::Loaded(id) => {
                world.read(id, world.first_key);
                Ok(())
            }
            What::Listed | What::Failed(_) | What::Missing(_) => Ok(()),
            // The session has moved since it was listed, and is counted once more under its new id.
            What::Deleted(id) if world.stored_ever(id).is_none() && world.marks.remove(&id).is_some() => {
                self.deleted += 1;
                Ok(())
            }
            What::Deleted(id) => {
                let number = world.stored_ever(id).ok_or("a revocation has deleted what had ended already")?;
                let life = &world.lives[number];
                // What cannot be read is ended with the others: it is not known that it is the one to be spared.
                let is_spared = self.whom.is_meant(life) == Some(false) && world.is_readable(life);
                if life.user != Some(self.user) || is_spared {
                    return Err("a revocation has ended a session that was not meant".to_owned());
                }
                world.lives[number].end = Some("revoked");
                self.deleted += 1;
                Ok(())
            }
            _ => Err(format!("a revocation led to {:?}", event.what)),
        }
    }
}
