//! Compares the results on the site with the model.

use nexios_middleware_core::{RequestEnd, Session, SessionError, SessionErrorKind};

use crate::begin::Done;
use crate::part::{Commit, Doing, Opening, Part, Revocation, Seen, Whom, Wrong};
use crate::play::Play;
use crate::request::{CookieFate, Intent, Request};
use crate::site::Open;
use crate::world::Values;
use crate::{outcome, sight, users};

impl Play {
    pub(crate) fn conclude(&mut self, part: Part, done: Done) -> Result<(), Wrong> {
        let Self { world, coverage, .. } = self;
        let Part { doing, seen, .. } = part;
        match (doing, done) {
            (Doing::Open(opening), Done::Opened(result)) => self.opened(&seen, opening, result),
            (Doing::Commit(commit), Done::Saved(result)) => {
                self.committed(&seen, commit, result.map_err(|error| error.kind()), None)
            }
            (Doing::Commit(commit), Done::Answered(end)) => {
                let outcome = end.failure().map_or(Ok(()), |error| Err(error.kind()));
                self.committed(&seen, commit, outcome, Some(end))
            }
            (Doing::Revoke(revocation), Done::Revoked(result)) => {
                let revocation = match revocation.whom {
                    // It says whether a session has ended, not how many. An id that it meets twice is deleted once.
                    Whom::Only(_) => Revocation { deleted: revocation.deleted.min(1), ..revocation },
                    _ => revocation,
                };
                users::revocation(world, &revocation, &seen.unanswered, result.as_ref().copied(), coverage)?;
                if result.is_ok() {
                    let targets = revocation.targets.iter();
                    self.ended.extend(targets.filter_map(|number| world.lives[*number].handle));
                }
                Ok(())
            }
            (Doing::List(user), Done::Listed(result)) => {
                users::listing(world, user, &seen.unanswered, result.as_deref(), coverage)
            }
            (Doing::Sweep { removed }, Done::Swept(result)) => match result {
                Ok(count) if count == removed && seen.unanswered.is_empty() => {
                    coverage.saw_if(count > 0, "a session swept");
                    Ok(())
                }
                Err(_) if !seen.unanswered.is_empty() => Ok(()),
                result => Err(format!("a sweep has removed {removed} sessions and says {result:?}")),
            },
            _ => Err("something else was done than was begun".to_owned()),
        }
    }

    fn opened(&mut self, seen: &Seen, opening: Opening, result: Result<Open, SessionError>) -> Result<(), Wrong> {
        let session = result.as_ref().map(|open| &open.session);
        let base = sight::opening(&mut self.world, &opening, &seen.unanswered, session, &mut self.coverage)?;
        let Ok(open) = result else { return Ok(()) };
        self.never_again(&open.session, &opening)?;
        let key = self.world.first_key;
        let is_rewrite_due = opening.found.as_ref().is_some_and(|(_, life)| {
            let opener = opening.verified(&self.world).find(|cookie| cookie.id == life.id);
            opener.is_some_and(|cookie| cookie.key != key) || (life.user.is_some() && life.key != key)
        });
        let vouched = opening.verified(&self.world).map(|cookie| cookie.id).collect();
        let request = Request {
            visitor: opening.visitor,
            vouched,
            cookies: opening.cookies,
            is_rewrite_due,
            key,
            values: base.as_ref().map_or_else(Values::new, |base| base.values.clone()),
            base,
            former: None,
            has_moved: opening.found.is_none() && opening.has_moved,
            log: Vec::new(),
            login: None,
            cycles: false,
            destroys: false,
            has_ended: false,
            is_stuck: false,
            head_is_sent: false,
            cookie: CookieFate::Keep,
        };
        self.open.push((request, open));
        Ok(())
    }

    /// Checks the promises themselves, without the rest of the model.
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
        seen: &Seen,
        mut commit: Commit,
        outcome: Result<(), SessionErrorKind>,
        end: Option<RequestEnd>,
    ) -> Result<(), Wrong> {
        let before = commit.request.base.clone();
        outcome::commit(&mut self.world, seen, &mut commit, outcome, &mut self.coverage)?;
        if let (Some(before), Ok(())) = (before, outcome) {
            match commit.intent {
                // A session that a changed clock has hidden may come back. The login began another session in that
                // case.
                Intent::Rename if self.world.stored_ever(before.id).is_none() => drop(self.replaced.insert(before.id)),
                // The known limit: an anonymous session lives on under an id that it has got meanwhile.
                Intent::Destroy if before.user.is_some() => self.ended.extend(self.world.lives[before.life].handle),
                _ => {}
            }
        }
        if (commit.intent, outcome) == (Intent::Destroy, Ok(())) {
            let ids = &commit.request.vouched;
            let logged_out = self.world.lives.iter().filter(|life| ids.contains(&life.id) && life.end.is_some());
            self.ended.extend(logged_out.filter_map(|life| life.handle));
        }
        let Some(end) = end else {
            let Commit { request, open, .. } = commit;
            sight::same("a session that was saved", &open.session, &request.values, request.user())?;
            self.open.push((request, open));
            return Ok(());
        };
        let name = self.site.manager.cookie().name();
        if let Some(cookie) = outcome::answer(&self.world, &mut commit.request, end, name)? {
            self.site.issued.extend(cookie.clone());
            if let Some(visitor) = commit.request.visitor {
                self.site.jars[visitor] = cookie;
            }
        }
        if commit.goes_on {
            let Commit { mut request, open, .. } = commit;
            request.head_is_sent = true;
            if outcome.is_err() {
                request.roll_back();
            }
            self.open.push((request, open));
        }
        Ok(())
    }

    /// Follows a part whose result nobody hears of.
    pub(crate) fn cut_short(&mut self, part: Part) {
        self.coverage.saw("a commit that was cut short");
        self.coverage.saw_if(part.seen.wrote.is_some(), "a commit that was cut short when it had written");
        let Doing::Commit(Commit { mut request, open, intent, status: None, .. }) = part.doing else { return };
        match intent {
            Intent::Nothing | Intent::Upkeep | Intent::Refuse | Intent::TooLate | Intent::Drop => {}
            // It had gone on with the fresh session if there is nothing left to do.
            Intent::Destroy if request.has_content() && !open.session.is_modified() => {
                request.begin_afresh();
                request.is_stuck = true;
                request.forget();
            }
            Intent::Destroy => {}
            Intent::Create | Intent::Update | Intent::Rename => {
                request.is_stuck = true;
                request.forget();
            }
        }
        self.open.push((request, open));
    }
}
