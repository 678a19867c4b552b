//! Plays a case: does each step on the site and in the model.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use nexios_middleware_core::{Clock as _, ManualClock, SessionErrorKind, SessionHandle};
use nexios_store_core::SessionId;

use crate::actors::finish;
use crate::begin::Begun;
use crate::coverage::Coverage;
use crate::part::{Doing, Wrong};
use crate::probe::Actor;
use crate::request::Request;
use crate::sight;
use crate::site::{Open, Site, Stores};
use crate::steps::{self, Act, Clock, Header, KEYS, Pick, Restart, Rival, Status, Step, USERS, Which};
use crate::world::{LIFETIMES, World};

pub(crate) struct Play {
    pub(crate) world: World,
    pub(crate) site: Site,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) open: Vec<(Request, Open)>,
    pub(crate) actors: Actor,
    /// The sessions that must never be seen again, whatever the rest of the model says.
    pub(crate) ended: HashSet<SessionHandle>,
    pub(crate) replaced: HashSet<SessionId>,
    pub(crate) coverage: Coverage,
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
                let Some(index) = self.begin(header).await? else { return Ok(()) };
                self.act_in(index, act)?;
                self.answer(index).await
            }
            Step::TwoTabs(visitor, one, other) => {
                let Some(first) = self.begin(Header::Own(visitor)).await? else { return Ok(()) };
                let Some(second) = self.begin(Header::Own(visitor)).await? else { return Ok(()) };
                self.act_in(first, one)?;
                self.act_in(second, other)?;
                self.answer(first).await?;
                self.answer(first).await // which is the second by now
            }
            Step::EndEarlier(visitor) => {
                let Some(slow) = self.begin(Header::Own(visitor)).await? else { return Ok(()) };
                let ration = self.world.lifetimes.idle / 10;
                self.set_clock(Clock::Forward(ration * 3));
                if let Some(fast) = self.begin(Header::Own(visitor)).await? {
                    self.answer(fast).await?;
                }
                self.set_clock(Clock::Back(ration));
                self.answer(slow).await
            }
            Step::Open(header) => self.begin(header).await.map(drop),
            Step::Act(pick, act) => self.act(pick, act),
            Step::Save(pick) => self.race(&[Rival::Commit(pick, steps::Commit::Save)], 0, None).await,
            Step::Answer(pick, status) => {
                self.race(&[Rival::Commit(pick, steps::Commit::Answer(status))], 0, None).await
            }
            Step::Stream(pick) => {
                let Some(index) = index(pick, self.open.len()) else { return Ok(()) };
                let (mut part, acting) = self.commit_of(index, steps::Commit::Answer(Status::Fine));
                if let Doing::Commit(commit) = &mut part.doing {
                    commit.goes_on = commit.status.is_some();
                }
                self.play(vec![(part, acting)], 0, None).await
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
            Step::ReturnInRevocation(visitor, order) => {
                self.restart(Restart::WithNewKey);
                let Some(index) = self.begin(Header::Own(visitor)).await? else { return Ok(()) };
                self.race_with_revocation(index, order).await
            }
            Step::LateInRevocation(visitor, order) => {
                let Some(late) = self.begin(Header::Own(visitor)).await? else { return Ok(()) };
                self.restart(Restart::WithOtherFirstKey);
                let Some(index) = self.begin(Header::Own(visitor)).await? else { return Ok(()) };
                self.answer(index).await?;
                self.act_in(late, Act::Insert(0, 1))?;
                self.race_with_revocation(late, order).await
            }
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
                self.set_clock(clock);
                Ok(())
            }
            Step::Break(call, fault, times) => {
                self.site.script.break_next(call, fault, times);
                Ok(())
            }
        }
    }

    fn set_clock(&mut self, clock: Clock) {
        self.world.now = match clock {
            Clock::Forward(by) => self.world.now.saturating_add(by),
            Clock::Back(by) => self.world.now.saturating_sub(by),
        };
        self.clock.set(self.world.now);
    }

    /// Begins a request. Returns `None` if it failed, or if enough requests are open.
    async fn begin(&mut self, header: Header) -> Result<Option<usize>, Wrong> {
        let before = self.open.len();
        let part = self.opening(header);
        self.play(part.into_iter().collect(), 0, None).await?;
        Ok((self.open.len() > before).then_some(before))
    }

    async fn answer(&mut self, index: usize) -> Result<(), Wrong> {
        let part = self.commit_of(index, steps::Commit::Answer(Status::Fine));
        self.play(vec![part], 0, None).await
    }

    /// Lets a request save its changes while the sessions of its user are revoked.
    async fn race_with_revocation(&mut self, index: usize, order: u32) -> Result<(), Wrong> {
        let part = self.commit_of(index, steps::Commit::Save);
        let theirs = part.0.user().and_then(|user| self.revocation(user, Which::All));
        self.play(std::iter::once(part).chain(theirs).collect(), order, None).await
    }

    fn act(&mut self, pick: Pick, act: Act) -> Result<(), Wrong> {
        index(pick, self.open.len()).map_or(Ok(()), |index| self.act_in(index, act))
    }

    fn act_in(&mut self, index: usize, act: Act) -> Result<(), Wrong> {
        let (request, Open { session, .. }) = &mut self.open[index];
        let takes_it = request.act(act);
        let result = match act {
            Act::Insert(key, count) => session.insert(KEYS[key], &vec![count; count]),
            Act::Add(key, element) => session.update(KEYS[key], move |list: Option<Vec<usize>>| {
                list.into_iter().flatten().chain([element]).collect::<Vec<_>>()
            }),
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
        sight::same("a session that was changed", session, &request.values, request.user())
    }

    fn restart(&mut self, restart: Restart) {
        let keys = &mut self.world.keys;
        match restart {
            Restart::WithNewKey => {
                keys.end += 1;
                keys.start = keys.start.max(keys.end.saturating_sub(MAX_KEYS));
                self.world.first_key = keys.end - 1;
            }
            Restart::WithoutOldestKey if keys.len() > 1 => {
                keys.start += 1;
                self.world.first_key = self.world.first_key.max(keys.start);
            }
            Restart::WithoutOldestKey => {}
            Restart::WithOtherFirstKey => {
                let next = self.world.first_key + 1;
                self.world.first_key = if keys.contains(&next) { next } else { keys.start };
            }
            Restart::WithOtherLifetimes => {
                let other = LIFETIMES.into_iter().find(|lifetimes| *lifetimes != self.world.lifetimes);
                self.world.lifetimes = other.unwrap_or(LIFETIMES[0]);
            }
        }
        // After the other restarts, the two services differ in keys or lifetimes, so the old one finishes nothing.
        if !matches!(restart, Restart::WithOtherFirstKey) {
            self.open.clear();
        }
        self.site.restart(&self.world);
    }

    async fn race(&mut self, rivals: &[Rival], order: u32, cut_after: Option<usize>) -> Result<(), Wrong> {
        let mut parts: Vec<Begun> = Vec::new();
        for rival in rivals {
            parts.extend(match *rival {
                Rival::Open(header) => self.opening(header),
                Rival::Commit(pick, commit) => self.commit(pick, commit),
                Rival::Revoke(user, which) => self.revocation(user, which),
                Rival::RevokeTheirs(which) => {
                    let theirs = parts.first().and_then(|(part, _)| part.user());
                    theirs.and_then(|user| self.revocation(user, which))
                }
                Rival::Sweep => Some(self.sweep()),
            });
        }
        self.play(parts, order, cut_after).await
    }

    /// Checks what is left: every cookie that was ever sent opens what it should, and no more. Once everything has
    /// expired, a sweep removes everything.
    async fn audit(&mut self) -> Result<(), Wrong> {
        self.site.script.heal();
        self.open.clear();
        for pick in 0..self.site.issued.len() {
            let part = self.opening_with(None, vec![self.site.issued[pick].clone()]);
            self.play(vec![part], 0, None).await?;
        }
        self.open.clear();
        for user in 0..USERS.len() {
            self.step(Step::List(user)).await?;
        }
        self.set_clock(Clock::Forward(A_YEAR));
        self.step(Step::Sweep).await
    }

    /// Lets the site do these parts, follows them in the model, and compares the results.
    async fn play(&mut self, parts: Vec<Begun>, order: u32, cut_after: Option<usize>) -> Result<(), Wrong> {
        let (mut parts, acting): (Vec<_>, Vec<_>) = parts.into_iter().unzip();
        self.site.script.set_pausing(parts.len() > 1 || cut_after.is_some(), cut_after);
        let done = finish(&self.site.script, acting, order).await;
        for event in self.site.script.take_events() {
            let part = parts.iter_mut().find(|part| part.actor == event.actor);
            let part = part.ok_or("somebody has called the store who had nothing to do")?;
            part.witness(&mut self.world, &event, &mut self.coverage)?;
        }
        // A request that was opened beside another counts as opened before the other was answered.
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
}

pub(crate) fn index(pick: Pick, count: usize) -> Option<usize> {
    usize::from(pick).checked_rem(count)
}

const MAX_KEYS: usize = 3;
const A_YEAR: Duration = Duration::from_secs(365 * 24 * 3600);
