//! Plays a case: each step on the site and in the model.

use std::collections::HashSet;
use std::sync::Arc;

use nexios_middleware_core::{
    Clock as _, ManualClock, RequestEnd, Session, SessionError, SessionErrorKind, SessionHandle, UserSession,
};
use nexios_store_core::SessionId;

use crate::actors::{Acting, finish};
use crate::conclude;
use crate::coverage::Coverage;
use crate::part::{Commit, Doing, Opening, Part, Revocation, Whom, Wrong};
use crate::probe::Actor;
use crate::request::{CookieFate, Intent, Request};
use crate::site::{Cookie, Open, Site, Stores};
use crate::steps::{self, Act, Clock, Header, KEYS, Pick, Restart, Rival, Status, Step, USERS, User, Which};
use crate::world::{LIFETIMES, Values, World};

pub(crate) struct Play {
    world: World,
    site: Site,
    clock: Arc<ManualClock>,
    open: Vec<(Request, Open)>,
    actors: Actor,
    /// What must never be seen again, whatever the rest of the model thinks.
    ended: HashSet<SessionHandle>,
    replaced: HashSet<SessionId>,
    pub(crate) coverage: Coverage,
}

/// What has come out of a part on the site.
enum Done {
    Opened(Result<Open, SessionError>),
    Saved(Result<(), SessionError>),
    Answered(RequestEnd),
    Revoked(Result<usize, SessionError>),
    Listed(Result<Vec<UserSession>, SessionError>),
    Swept(Result<usize, SessionError>),
}

impl Play {
    pub(crate) fn new(stores: Stores) -> Self {
        let clock = Arc::new(ManualClock::default());
        let world = World::new(clock.now(), stores.is_encrypted());
        let site = Site::new(stores, clock.clone(), &world);
        Self {
            world,
            site,
            clock,
            open: Vec::new(),
            actors: 0,
            ended: HashSet::new(),
            replaced: HashSet::new(),
            coverage: Coverage::default(),
        }
    }

    pub(crate) async fn all(&mut self, steps: &[Step]) -> Result<(), Wrong> {
        for (number, step) in steps.iter().enumerate() {
            self.step(*step).await.map_err(|wrong| format!("step {number}, {step:?}: {wrong}"))?;
        }
        self.audit().await.map_err(|wrong| format!("at the end: {wrong}"))
    }

    async fn step(&mut self, step: Step) -> Result<(), Wrong> {
        match step {
            Step::Visit(header, act) => {
                let before = self.open.len();
                let part = self.opening(header);
                self.play(part.into_iter().collect(), 0, None).await?;
                if self.open.len() == before {
                    return Ok(());
                }
                self.act_in(before, act)?;
                let part = self.commit_of(before, steps::Commit::Answer(Status::Fine));
                self.play(vec![part], 0, None).await
            }
            Step::Open(header) => {
                let part = self.opening(header);
                self.play(part.into_iter().collect(), 0, None).await
            }
            Step::Act(pick, act) => self.act(pick, act),
            Step::Save(pick) => self.race(&[Rival::Commit(pick, steps::Commit::Save)], 0, None).await,
            Step::Answer(pick, status) => {
                self.race(&[Rival::Commit(pick, steps::Commit::Answer(status))], 0, None).await
            }
            Step::CutShort(pick, commit, after) => {
                self.race(&[Rival::Commit(pick, commit)], 0, Some(usize::from(after))).await
            }
            Step::Race(one, other, order) => self.race(&[one, other], order, None).await,
            Step::Leave(pick) => {
                if let Some(index) = index(pick, self.open.len()) {
                    self.open.remove(index);
                }
                Ok(())
            }
            Step::Revoke(user, which) => self.race(&[Rival::Revoke(user, which)], 0, None).await,
            Step::List(user) => {
                let part = self.listing(user);
                self.play(vec![part], 0, None).await
            }
            Step::Sweep => self.race(&[Rival::Sweep], 0, None).await,
            Step::Restart(restart) => {
                self.restart(restart);
                Ok(())
            }
            Step::Clock(clock) => {
                self.world.now = match clock {
                    Clock::Forward(by) => self.world.now.saturating_add(by),
                    Clock::Back(by) => self.world.now.saturating_sub(by),
                };
                self.clock.set(self.world.now);
                Ok(())
            }
            Step::Break(call, fault, times) => {
                self.site.script.break_next(call, fault, times);
                Ok(())
            }
        }
    }

    fn act(&mut self, pick: Pick, act: Act) -> Result<(), Wrong> {
        index(pick, self.open.len()).map_or(Ok(()), |index| self.act_in(index, act))
    }

    fn act_in(&mut self, index: usize, act: Act) -> Result<(), Wrong> {
        let (request, Open { session, .. }) = &mut self.open[index];
        let takes_it = request.act(act);
        let result = match act {
            Act::Insert(key, value) => session.insert(KEYS[key], &value),
            Act::Add(key) => session.update(KEYS[key], |present: Option<u32>| present.unwrap_or_default() + 1),
            Act::Login(user) => session.login(USERS[user]),
            Act::Remove(key) => {
                session.remove(KEYS[key]);
                Ok(())
            }
            Act::Clear => {
                session.clear();
                Ok(())
            }
            Act::Cycle => {
                session.cycle_id();
                Ok(())
            }
            Act::Destroy => {
                session.destroy();
                Ok(())
            }
            Act::Discard => {
                session.discard();
                Ok(())
            }
        };
        match result {
            Ok(()) if takes_it => {}
            Err(error) if !takes_it && error.kind() == SessionErrorKind::Ended => {}
            _ => return Err(format!("a change came to {result:?}")),
        }
        conclude::same("a session that was changed", session, &request.values, request.user())
    }

    fn restart(&mut self, restart: Restart) {
        let keys = &mut self.world.keys;
        match restart {
            Restart::WithNewKey => keys.end += 1,
            Restart::WithoutOldestKey if keys.len() > 1 => keys.start += 1,
            Restart::WithoutOldestKey => {}
            Restart::WithOtherLifetimes => {
                let other = LIFETIMES.into_iter().find(|lifetimes| *lifetimes != self.world.lifetimes);
                self.world.lifetimes = other.unwrap_or(LIFETIMES[0]);
            }
        }
        self.open.clear();
        self.site.restart(&self.world);
    }

    async fn race(&mut self, rivals: &[Rival], order: u32, cut_after: Option<usize>) -> Result<(), Wrong> {
        let mut parts = Vec::new();
        for rival in rivals {
            parts.extend(match *rival {
                Rival::Open(header) => self.opening(header),
                Rival::Commit(pick, commit) => self.commit(pick, commit),
                Rival::Revoke(user, which) => self.revocation(user, which),
                Rival::Sweep => Some(self.sweep()),
            });
        }
        self.play(parts, order, cut_after).await
    }

    /// Nothing is wrong with what is left: every cookie that was ever sent opens what it should, and no more.
    async fn audit(&mut self) -> Result<(), Wrong> {
        self.site.script.heal();
        self.open.clear();
        for pick in 0..self.site.issued.len() {
            let part = self.opening_with(None, vec![self.site.issued[pick].clone()]);
            self.play(vec![part], 0, None).await?;
        }
        self.open.clear();
        for user in 0..USERS.len() {
            let part = self.listing(user);
            self.play(vec![part], 0, None).await?;
        }
        Ok(())
    }

    fn opening(&mut self, header: Header) -> Option<(Part, Acting<Done>)> {
        if self.open.len() >= MAX_OPEN {
            return None;
        }
        let issued = &self.site.issued;
        let copy = |pick| index(pick, issued.len()).map(|index| issued[index].clone());
        let (visitor, cookies) = match header {
            Header::Own(visitor) => (Some(visitor), self.site.jars[visitor].iter().cloned().collect()),
            Header::Stolen(pick) => (None, copy(pick).into_iter().collect()),
            Header::Both(pick, visitor) => {
                (Some(visitor), copy(pick).into_iter().chain(self.site.jars[visitor].clone()).collect())
            }
        };
        Some(self.opening_with(visitor, cookies))
    }

    fn opening_with(&mut self, visitor: Option<usize>, cookies: Vec<Cookie>) -> (Part, Acting<Done>) {
        let request = Arc::new(self.site.manager.request(cookies.iter().map(|cookie| &cookie.pair)));
        let opening = Opening { visitor, cookies, tried: HashSet::new(), found: None };
        self.part(Doing::Open(opening), async move {
            let session = request.session().await;
            Done::Opened(session.map(|session| Open { request, session }))
        })
    }

    fn commit(&mut self, pick: Pick, commit: steps::Commit) -> Option<(Part, Acting<Done>)> {
        index(pick, self.open.len()).map(|index| self.commit_of(index, commit))
    }

    fn commit_of(&mut self, index: usize, commit: steps::Commit) -> (Part, Acting<Done>) {
        let (mut request, open) = self.open.remove(index);
        let status = match commit {
            steps::Commit::Save => None,
            steps::Commit::Answer(status) => Some(status),
        };
        if let Some(status) = status {
            conclude::roll_back(&mut request, status, &mut self.coverage);
        }
        let doing = Commit { intent: request.intent(), request, open: open.clone(), status };
        self.part(Doing::Commit(doing), async move {
            match status {
                None => Done::Saved(open.session.save().await),
                Some(status) => Done::Answered(open.request.end(status.code()).await),
            }
        })
    }

    fn revocation(&mut self, user: User, which: Which) -> Option<(Part, Acting<Done>)> {
        let known: Vec<_> = self.world.lives.iter().filter_map(|life| life.handle).collect();
        let whom = match which {
            Which::All => Whom::All,
            Which::Only(pick) => Whom::Only(known[index(pick, known.len())?]),
            Which::Others(pick) => Whom::Others(known[index(pick, known.len())?]),
        };
        let mut targets = self.world.listed(user);
        targets.retain(|number| whom.is_meant(&self.world.lives[*number]) == Some(true));
        for (request, _) in &self.open {
            let has_it = request.base.as_ref().is_some_and(|base| targets.contains(&base.life));
            self.coverage.saw_if(has_it, "a session revoked while a request had it");
        }
        let manager = self.site.manager.clone();
        Some(self.part(Doing::Revoke(Revocation { user, whom, targets, deleted: 0 }), async move {
            Done::Revoked(match whom {
                Whom::All => manager.revoke_all(USERS[user]).await,
                Whom::Only(handle) => manager.revoke(USERS[user], handle).await.map(usize::from),
                Whom::Others(handle) => manager.revoke_others(USERS[user], handle).await,
            })
        }))
    }

    fn listing(&mut self, user: User) -> (Part, Acting<Done>) {
        let manager = self.site.manager.clone();
        self.part(Doing::List(user), async move { Done::Listed(manager.sessions_of(USERS[user]).await) })
    }

    fn sweep(&mut self) -> (Part, Acting<Done>) {
        let manager = self.site.manager.clone();
        self.part(Doing::Sweep { removed: 0 }, async move { Done::Swept(manager.sweep().await) })
    }

    fn part(&mut self, doing: Doing, future: impl Future<Output = Done> + 'static) -> (Part, Acting<Done>) {
        self.actors += 1;
        let acting = Acting { actor: self.actors, future: Box::pin(future) };
        (Part::new(self.actors, doing), acting)
    }

    /// Lets the site do it, follows that in the model, and compares what came out of it.
    async fn play(
        &mut self,
        parts: Vec<(Part, Acting<Done>)>,
        order: u32,
        cut_after: Option<usize>,
    ) -> Result<(), Wrong> {
        let (mut parts, acting): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        self.site.script.set_pausing(parts.len() > 1 || cut_after.is_some(), cut_after);
        let done = finish(&self.site.script, acting, order).await;
        for event in self.site.script.take_events() {
            let part = parts.iter_mut().find(|part| part.actor == event.actor);
            let part = part.ok_or("somebody has called the store who had nothing to do")?;
            part.witness(&mut self.world, &event, &mut self.coverage)?;
        }
        // What a request was given beside another counts from before that one was answered.
        let (openings, others): (Vec<_>, Vec<_>) =
            parts.into_iter().zip(done).partition(|(part, _)| matches!(part.doing, Doing::Open(_)));
        for (part, done) in openings.into_iter().chain(others) {
            match done {
                Some(done) => self.conclude(part, done)?,
                None => self.cut_short(part),
            }
        }
        Ok(())
    }

    fn conclude(&mut self, mut part: Part, done: Done) -> Result<(), Wrong> {
        let Self { world, coverage, .. } = self;
        match (std::mem::replace(&mut part.doing, Doing::Sweep { removed: 0 }), done) {
            (Doing::Open(opening), Done::Opened(result)) => self.opened(&part, opening, result),
            (Doing::Commit(commit), Done::Saved(result)) => {
                self.committed(&mut part, commit, result.map_err(|error| error.kind()), None)
            }
            (Doing::Commit(commit), Done::Answered(end)) => {
                let outcome = end.failure().map_or(Ok(()), |error| Err(error.kind()));
                self.committed(&mut part, commit, outcome, Some(end))
            }
            (Doing::Revoke(revocation), Done::Revoked(result)) => {
                let revocation = match revocation.whom {
                    // It says whether, not how many; an id that is met twice is deleted once.
                    Whom::Only(_) => Revocation { deleted: revocation.deleted.min(1), ..revocation },
                    _ => revocation,
                };
                conclude::revocation(world, &revocation, &part.unanswered, result.as_ref().copied(), coverage)?;
                if result.is_ok() {
                    let targets = revocation.targets.iter();
                    self.ended.extend(targets.filter_map(|number| world.lives[*number].handle));
                }
                Ok(())
            }
            (Doing::List(user), Done::Listed(result)) => {
                conclude::listing(world, user, &part.unanswered, result.as_deref(), coverage)
            }
            (Doing::Sweep { removed }, Done::Swept(result)) => match result {
                Ok(count) if count == removed && part.unanswered.is_empty() => {
                    coverage.saw_if(count > 0, "a session swept");
                    Ok(())
                }
                Err(_) if !part.unanswered.is_empty() => Ok(()),
                result => Err(format!("a sweep has removed {removed} sessions and says {result:?}")),
            },
            _ => Err("something else was done than was begun".to_owned()),
        }
    }

    fn opened(&mut self, part: &Part, opening: Opening, result: Result<Open, SessionError>) -> Result<(), Wrong> {
        let session = result.as_ref().map(|open| &open.session);
        let base = conclude::opening(&mut self.world, &opening, &part.unanswered, session, &mut self.coverage)?;
        let Ok(open) = result else { return Ok(()) };
        self.never_again(&open.session, &opening)?;
        let first = self.world.first_key();
        let is_rewrite_due = base.as_ref().is_some_and(|base| {
            let life = &self.world.lives[base.life];
            let opener = opening.verified(&self.world).find(|cookie| cookie.id == base.id);
            opener.is_some_and(|cookie| cookie.key != first) || (base.user.is_some() && life.key != first)
        });
        let request = Request {
            visitor: opening.visitor,
            cookies: opening.cookies,
            is_rewrite_due,
            values: base.as_ref().map_or_else(Values::new, |base| base.values.clone()),
            base,
            log: Vec::new(),
            login: None,
            cycles: false,
            destroys: false,
            has_ended: false,
            is_stuck: false,
            cookie: CookieFate::Keep,
        };
        self.open.push((request, open));
        Ok(())
    }

    /// The promises themselves, without the rest of the model.
    fn never_again(&self, session: &Session, opening: &Opening) -> Result<(), Wrong> {
        let Some(handle) = session.handle() else { return Ok(()) };
        if self.ended.contains(&handle) {
            return Err("a session that was ended is back".to_owned());
        }
        if opening.cookies.iter().all(|cookie| self.replaced.contains(&cookie.id)) {
            return Err("an id has outlived a login or a new id".to_owned());
        }
        let limit = session.authenticated_at().map(|login| login.saturating_add(self.world.lifetimes.absolute));
        if limit.is_none_or(|limit| limit <= self.world.now) {
            return Err("a session is older than its absolute limit".to_owned());
        }
        Ok(())
    }

    fn committed(
        &mut self,
        part: &mut Part,
        mut commit: Commit,
        outcome: Result<(), SessionErrorKind>,
        end: Option<RequestEnd>,
    ) -> Result<(), Wrong> {
        let before = commit.request.base.clone();
        conclude::commit(&mut self.world, part, &mut commit, outcome, &mut self.coverage)?;
        if let (Some(before), Ok(())) = (before, outcome) {
            match commit.intent {
                // What a clock that was set has hidden may come back; a login then began another session.
                Intent::Rename if self.world.stored_ever(before.id).is_none() => drop(self.replaced.insert(before.id)),
                // The one limit: a session that was nobody's goes on under an id that it has got meanwhile.
                Intent::Destroy if before.user.is_some() => self.ended.extend(self.world.lives[before.life].handle),
                _ => {}
            }
        }
        let Some(end) = end else {
            let Commit { request, open, .. } = commit;
            conclude::same("a session that was saved", &open.session, &request.values, request.user())?;
            self.open.push((request, open));
            return Ok(());
        };
        let name = self.site.manager.cookie().name();
        if let Some(cookie) = conclude::answer(&self.world, &mut commit.request, end, name)? {
            self.site.issued.extend(cookie.clone());
            if let Some(visitor) = commit.request.visitor {
                self.site.jars[visitor] = cookie;
            }
        }
        Ok(())
    }

    /// Nobody hears of what came of it.
    fn cut_short(&mut self, part: Part) {
        self.coverage.saw("a commit that was cut short");
        self.coverage.saw_if(part.wrote.is_some(), "a commit that was cut short when it had written");
        let Doing::Commit(Commit { mut request, open, intent, status: None }) = part.doing else { return };
        match intent {
            Intent::Nothing | Intent::Upkeep | Intent::Refuse => {}
            Intent::Destroy => {}
            Intent::Create | Intent::Update | Intent::Rename => {
                request.is_stuck = true;
                request.forget();
            }
        }
        self.open.push((request, open));
    }
}

fn index(pick: Pick, count: usize) -> Option<usize> {
    usize::from(pick).checked_rem(count)
}

const MAX_OPEN: usize = 4;
