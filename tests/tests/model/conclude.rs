//! What came out of it must be what the model says, and the model's requests go on from there.

use nexios_middleware_core::{RequestEnd, Session, SessionError, SessionErrorKind, UserSession};

use nexios_store_core::SessionId;

use crate::coverage::Coverage;
use crate::part::{Commit, Opening, Part, Revocation, Wrong};
use crate::probe::Call;
use crate::request::{Base, Change, CookieFate, Intent, Request};
use crate::site::Cookie;
use crate::steps::{KEYS, Status, USERS, User};
use crate::world::{LifeNumber, Values, World};

type Kind = SessionErrorKind;

/// A request has begun: it has the session that its cookies open, or none.
pub(crate) fn opening(
    world: &mut World,
    opening: &Opening,
    unanswered: &[Call],
    session: Result<&Session, &SessionError>,
    coverage: &mut Coverage,
) -> Result<Option<Base>, Wrong> {
    let session = match session {
        Err(error) if error.kind() == Kind::Unavailable && !unanswered.is_empty() => {
            coverage.saw("a load that failed");
            return Ok(None);
        }
        Err(error) => return Err(format!("a session could not be loaded: {error}")),
        Ok(_) if !unanswered.is_empty() => return Err("a store that did not answer was taken for an answer".to_owned()),
        Ok(session) => session,
    };
    let Some((number, life)) = &opening.found else {
        if session.handle().is_some() || !session.is_empty() || session.principal().is_some() {
            return Err(format!("a cookie has opened a session: {}", why_not(world, opening)));
        }
        if opening.verified(world).any(|cookie| !opening.tried.contains(&cookie.id)) {
            return Err("a good cookie was not looked up".to_owned());
        }
        saw_why_not(world, opening, coverage);
        return Ok(None);
    };
    let handle =
        session.handle().ok_or("a session was not found that lives, under a cookie that is good: it is lost")?;
    learn(world, *number, session)?;
    let ends_at = world.ends_at(life);
    let times = [session.created_at(), session.authenticated_at(), session.expires_at()];
    if times != [Some(life.created_at), Some(life.authenticated_at), Some(ends_at)] {
        return Err(format!("session {handle} has other times than it should have"));
    }
    same("a session that was loaded", session, &life.values, life.user)?;
    coverage.saw("a session opened");
    let opener = opening.verified(world).find(|cookie| cookie.id == life.id);
    coverage.saw_if(opener.is_some_and(|cookie| cookie.key != world.first_key()), "a session opened by an old key");
    coverage.saw_if(
        opening.cookies.first().is_some_and(|cookie| cookie.id != life.id),
        "a session opened by the second of two cookies",
    );
    Ok(Some(Base { values: life.values.clone(), id: life.id, user: life.user, writes: life.writes, life: *number }))
}

fn why_not(world: &World, opening: &Opening) -> String {
    let reason = |cookie: &Cookie| match world.lives.iter().find(|life| life.id == cookie.id) {
        None => "its id was replaced, or never known".to_owned(),
        Some(life) => life.end.map_or_else(|| "it has expired, or does not count".to_owned(), ToOwned::to_owned),
    };
    opening.cookies.iter().map(reason).collect::<Vec<_>>().join("; ")
}

fn saw_why_not(world: &World, opening: &Opening, coverage: &mut Coverage) {
    for cookie in &opening.cookies {
        coverage.saw("a cookie that opened nothing");
        if !world.keys.contains(&cookie.key) {
            coverage.saw("a cookie under a lost key");
            continue;
        }
        coverage.saw(match world.lives.iter().find(|life| life.id == cookie.id) {
            None => "a cookie that a new id has replaced",
            Some(life) if life.end.is_some() => "a cookie of an ended session",
            Some(life) if !world.is_stored(life) => "a cookie of an expired session",
            Some(life) if world.ends_at(life) <= world.now => "a session that a shortened timeout has ended",
            Some(_) => "a cookie of a session from the future",
        });
    }
}

/// What a handler sees is what the model has.
pub(crate) fn same(what: &str, session: &Session, values: &Values, user: Option<User>) -> Result<(), Wrong> {
    let seen = session.entries::<u32>().map_err(|error| error.to_string())?;
    let expected: Vec<_> = values.iter().map(|(key, value)| ((*key).to_owned(), *value)).collect();
    if seen != expected {
        return Err(format!("{what} has {seen:?} instead of {expected:?}"));
    }
    let (seen, expected) = (session.principal(), user.map(|user| USERS[user].to_owned()));
    if seen != expected {
        return Err(format!("{what} is that of {seen:?} instead of {expected:?}"));
    }
    debug_assert!(values.keys().all(|key| KEYS.contains(key)));
    Ok(())
}

/// A session has one handle, and keeps it.
fn learn(world: &mut World, number: LifeNumber, session: &Session) -> Result<(), Wrong> {
    let handle = session.handle().ok_or("a session that was saved has no handle")?;
    match world.lives.iter().position(|life| life.handle == Some(handle)) {
        Some(known) if known == number => Ok(()),
        Some(other) => Err(format!("session {number} has the handle of session {other}")),
        None if world.lives[number].handle.is_some() => Err(format!("session {number} has changed its handle")),
        None => {
            world.lives[number].handle = Some(handle);
            Ok(())
        }
    }
}

/// A `save` or the commit of an answer, which came to this.
pub(crate) fn commit(
    world: &mut World,
    part: &mut Part,
    commit: &mut Commit,
    outcome: Result<(), Kind>,
    coverage: &mut Coverage,
) -> Result<(), Wrong> {
    let Commit { request, open, intent, status } = commit;
    let is_gone = request.base.as_ref().is_some_and(|base| !base.is_open(world));
    let wrote = part.wrote.as_ref().is_some_and(|wrote| wrote.is_answered);
    let has_failed = !part.unanswered.is_empty();
    let expected = match intent {
        Intent::Nothing => Ok(()),
        Intent::Refuse => Err(Kind::Interrupted),
        Intent::Upkeep if has_failed => Ok(()),
        _ if has_failed => Err(Kind::Unavailable),
        Intent::Create | Intent::Destroy => Ok(()),
        _ if wrote => Ok(()),
        Intent::Upkeep if !is_gone => Ok(()),
        Intent::Upkeep if outcome.is_ok() => Ok(()), // it was not looked
        // A login makes a fresh session then.
        _ if is_gone && request.login.is_none() => Err(Kind::Gone),
        _ => return Err(format!("a commit that is to {intent:?} a live session did nothing: {outcome:?}")),
    };
    // To an answer it makes no difference whether the session is gone.
    let is_expected = outcome == expected || (status.is_some() && expected == Err(Kind::Gone) && outcome.is_ok());
    if !is_expected {
        return Err(format!("a commit that is to {intent:?} came to {outcome:?} instead of {expected:?}"));
    }
    saw_commit(world, part, request, *intent, expected, coverage);
    match expected {
        Ok(()) => {
            if *intent == Intent::Create && !wrote {
                return Err("a commit that is to create a session did nothing".to_owned());
            }
            if *intent == Intent::Upkeep && !has_failed && !is_gone {
                kept_up(world, part, request)?;
            }
            if *intent == Intent::Destroy {
                destroyed(world, request)?;
            }
            succeed(part, request, *intent);
            if let Some(base) = request.base.clone().filter(|_| wrote) {
                learn(world, base.life, &open.session)?;
            }
        }
        Err(Kind::Gone) => request.end(),
        Err(_) => {
            let is_known = part.unanswered.last().is_none_or(|call| *call == Call::Load) && *intent != Intent::Refuse;
            let is_repeatable = match intent {
                Intent::Update => Change::are_repeatable(&request.log),
                Intent::Rename | Intent::Refuse => false,
                _ => true,
            };
            if !is_known && !is_repeatable {
                // What a refused commit was to save is to be saved still, but cannot be.
                request.is_stuck = true;
                if *intent != Intent::Refuse {
                    request.forget();
                }
            }
        }
    }
    Ok(())
}

fn succeed(part: &Part, request: &mut Request, intent: Intent) {
    let wrote = part.wrote.as_ref().filter(|wrote| wrote.is_answered);
    match intent {
        Intent::Destroy => {
            request.end();
            if !request.cookies.is_empty() {
                request.cookie = CookieFate::Remove;
            }
        }
        Intent::Nothing => {
            if request.destroys {
                if !request.cookies.is_empty() {
                    request.cookie = CookieFate::Remove;
                }
                request.end();
            }
            request.cycles = false;
            if request.values.is_empty() {
                request.log.clear();
            }
        }
        _ if wrote.is_some() => {
            if let Some(wrote) = wrote {
                request.settle(wrote.base.clone());
            }
        }
        _ if part.has_touched => request.cookie = CookieFate::Send,
        _ => {}
    }
}

/// Reading counts as activity, up to a tenth of the idle timeout, and what is under an old key is renewed.
fn kept_up(world: &World, part: &Part, request: &Request) -> Result<(), Wrong> {
    let Some(base) = &request.base else { return Ok(()) };
    let life = &world.lives[base.life];
    if request.is_rewrite_due && part.wrote.is_none() {
        return Err("what is under an old key was not written again".to_owned());
    }
    let was_alone = life.writes - usize::from(part.wrote.is_some() || part.has_touched) == base.writes;
    let ration = world.lifetimes.idle / 10;
    if was_alone && life.expires_at.saturating_add(ration) < world.renewed(life.authenticated_at) {
        return Err("reading did not count as activity".to_owned());
    }
    Ok(())
}

/// A logout has ended the session under whatever id it has by now, unless it was nobody's when it was loaded.
fn destroyed(world: &World, request: &Request) -> Result<(), Wrong> {
    let Some(base) = &request.base else { return Ok(()) };
    let life = &world.lives[base.life];
    let is_known_limit = base.user.is_none() && life.id != base.id;
    if world.is_stored(life) && !is_known_limit {
        return Err("a session lives on after its logout was answered".to_owned());
    }
    Ok(())
}

/// The answer carries the cookie that it should.
pub(crate) fn answer(
    world: &World,
    request: &mut Request,
    end: RequestEnd,
    cookie_name: &str,
) -> Result<Option<Option<Cookie>>, Wrong> {
    let headers = end.headers([], []);
    let line = headers.as_ref().and_then(|headers| headers.set_cookies.first()).map(String::as_str);
    let pair = line.map(|line| line.split(';').next().unwrap_or_default());
    let value = pair.and_then(|pair| pair.strip_prefix(cookie_name)?.strip_prefix('='));
    let id = value.and_then(|value| value.split('.').next()).and_then(|id| SessionId::parse(id).ok());
    match (request.cookie, &request.base, id) {
        (CookieFate::Remove, _, None) if value == Some("") => Ok(Some(None)),
        (CookieFate::Send, Some(base), Some(id)) if base.id == id => {
            let pair = pair.unwrap_or_default().to_owned();
            Ok(Some(Some(Cookie { pair, id, key: world.first_key() })))
        }
        (CookieFate::Keep, _, None) | (CookieFate::Send, None, None) if line.is_none() => Ok(None),
        (CookieFate::Send, Some(base), None) if line.is_none() && !base.is_open(world) => Ok(None),
        (fate, ..) => {
            Err(format!("an answer that is to {fate:?} the cookie has {}", line.map_or("none", |_| "another")))
        }
    }
}

pub(crate) fn revocation(
    world: &World,
    revocation: &Revocation,
    unanswered: &[Call],
    outcome: Result<usize, &SessionError>,
    coverage: &mut Coverage,
) -> Result<(), Wrong> {
    match outcome {
        Err(error) if error.kind() == Kind::Unavailable && !unanswered.is_empty() => {
            coverage.saw("a revocation that failed");
            Ok(())
        }
        Err(error) => Err(format!("a revocation failed: {error}")),
        Ok(_) if !unanswered.is_empty() => Err("a revocation was answered although the store was not".to_owned()),
        Ok(count) if count != revocation.deleted => {
            Err(format!("a revocation has ended {} sessions and says {count}", revocation.deleted))
        }
        Ok(count) => {
            coverage.saw_if(count > 0, "sessions revoked");
            let survivor = revocation.targets.iter().find(|number| world.is_stored(&world.lives[**number]));
            survivor.map_or(Ok(()), |number| Err(format!("session {number} has survived its revocation")))
        }
    }
}

pub(crate) fn listing(
    world: &World,
    user: User,
    unanswered: &[Call],
    outcome: Result<&[UserSession], &SessionError>,
    coverage: &mut Coverage,
) -> Result<(), Wrong> {
    let sessions = match outcome {
        Err(error) if error.kind() == Kind::Unavailable && !unanswered.is_empty() => return Ok(()),
        Err(error) => return Err(format!("a listing failed: {error}")),
        Ok(_) if !unanswered.is_empty() => return Err("a listing was answered although the store was not".to_owned()),
        Ok(sessions) => sessions,
    };
    let expected: Vec<_> =
        world.listed(user).into_iter().map(|number| &world.lives[number]).filter(|life| world.is_live(life)).collect();
    coverage.saw_if(!expected.is_empty(), "sessions listed");
    for session in sessions {
        if world.lives.iter().any(|life| life.handle == Some(session.handle))
            && !expected.iter().any(|life| life.handle == Some(session.handle))
        {
            return Err("a session is listed that is not this user's, or has ended".to_owned());
        }
    }
    for life in &expected {
        let is_listed = |session: &UserSession| Some(session.handle) == life.handle;
        match sessions.iter().find(|session| is_listed(session)) {
            Some(session) if session.authenticated_at != life.authenticated_at => {
                return Err("a listing has another time of login".to_owned());
            }
            Some(_) => {}
            None if life.handle.is_none() => {}
            None => return Err("a session is not listed".to_owned()),
        }
    }
    match sessions.len() == expected.len() {
        true => Ok(()),
        false => Err(format!("{} sessions are listed instead of {}", sessions.len(), expected.len())),
    }
}

/// Notes which of the interesting situations this was.
fn saw_commit(
    world: &World,
    part: &Part,
    request: &Request,
    intent: Intent,
    outcome: Result<(), Kind>,
    coverage: &mut Coverage,
) {
    let wrote = part.wrote.is_some();
    let is_lost = part.wrote.as_ref().is_some_and(|wrote| !wrote.is_answered);
    let life = request.base.as_ref().map(|base| &world.lives[base.life]);
    let has_moved = request.base.as_ref().zip(life).is_some_and(|(base, life)| life.id != base.id);
    match outcome {
        Ok(()) => match intent {
            Intent::Create => coverage.saw("a session created"),
            Intent::Update => coverage.saw("a session updated"),
            Intent::Rename => {
                let new = part.wrote.as_ref().map(|wrote| wrote.base.life);
                let old = request.base.as_ref().map(|base| base.life);
                coverage.saw_if(new == old, "a session renamed");
                let ended = life.and_then(|life| life.end);
                let is_given = new != old && ended == Some("given to another user");
                coverage.saw_if(is_given, "a session given to another user");
                coverage.saw_if(new != old && !is_given, "a login into a session that was gone");
            }
            Intent::Destroy => {
                coverage.saw("a session destroyed");
                coverage.saw_if(
                    has_moved && life.is_some_and(|life| life.end == Some("logged out")),
                    "a session destroyed under the id that another request has given it",
                );
            }
            Intent::Upkeep => {
                coverage.saw_if(part.has_touched, "a session touched");
                coverage.saw_if(wrote && !is_lost, "a session written again under a new key");
                coverage.saw_if(!part.unanswered.is_empty(), "an upkeep that failed, and the answer stood");
            }
            Intent::Nothing | Intent::Refuse => {}
        },
        Err(Kind::Gone) => coverage.saw(match life {
            Some(life) if life.end.is_some() => "changes dropped because the session had ended",
            Some(_) if has_moved => "changes dropped because the session had another id",
            _ => "changes dropped because the session had expired",
        }),
        Err(Kind::Interrupted) => coverage.saw("a commit refused because the last one was not heard of"),
        Err(_) => {
            coverage.saw("a commit that failed");
            coverage.saw_if(intent == Intent::Create && is_lost, "a create whose answer was lost");
            coverage.saw_if(intent == Intent::Update && is_lost, "an update whose answer was lost");
            coverage.saw_if(intent == Intent::Rename && is_lost, "a rename whose answer was lost");
            let is_deleted = life.is_some_and(|life| life.end == Some("logged out"));
            coverage.saw_if(intent == Intent::Destroy && is_deleted, "a delete whose answer was lost");
        }
    }
}

/// A 5xx answer takes back what followed the last save, but not a logout.
pub(crate) fn roll_back(request: &mut Request, status: Status, coverage: &mut Coverage) {
    if status == Status::ServerError {
        coverage.saw_if(!request.log.is_empty(), "a server error that took changes back");
        coverage.saw_if(request.destroys, "a server error that did not take a logout back");
        request.roll_back();
    }
}
