//! Checks that revocations and listings say of a user's sessions what the model says.

use nexios_middleware_core::{SessionError, SessionErrorKind as Kind, UserSession};
use nexios_store_testkit::hook::CallKind;

use crate::coverage::Coverage;
use crate::part::{Revocation, Whom, Wrong};
use crate::steps::User;
use crate::world::World;

pub(crate) fn revocation(
    world: &World,
    revocation: &Revocation,
    unanswered: &[CallKind],
    outcome: Result<usize, &SessionError>,
    coverage: &mut Coverage,
) -> Result<(), Wrong> {
    match outcome {
        Err(error) if error.kind() == Kind::Incomplete && !unanswered.is_empty() => {
            coverage.saw("a revocation that failed");
            let counted = error.revocation().map(|revocation| revocation.ended);
            // A delete whose answer was lost may or may not have ended one more.
            if counted.is_none_or(|ended| ended > revocation.deleted || ended + unanswered.len() < revocation.deleted) {
                return Err(format!("a revocation has ended {} sessions and says {counted:?}", revocation.deleted));
            }
            Ok(())
        }
        // It cannot read some of the user's sessions, and one of them may be the one that is meant.
        Err(error)
            if error.kind() == Kind::Incomplete
                && matches!(revocation.whom, Whom::Only(_))
                && revocation.deleted == 0
                && has_unreadable(world, revocation.user) =>
        {
            coverage.saw("a revocation that may have missed its session");
            Ok(())
        }
        Err(error) => Err(format!("a revocation failed: {error}")),
        Ok(_) if !unanswered.is_empty() => Err("a revocation was answered although the store was not".to_owned()),
        Ok(count) if count != revocation.deleted => {
            Err(format!("a revocation has ended {} sessions and says {count}", revocation.deleted))
        }
        Ok(count) => {
            coverage.saw_if(count > 0, "sessions revoked");
            let had_expired = |number: &&usize| world.lives[**number].expires_at <= world.now;
            coverage.saw_if(
                revocation.targets.iter().any(|number| had_expired(&number)),
                "sessions revoked that had expired",
            );
            let survivor = revocation.targets.iter().find(|number| world.lives[**number].end.is_none());
            survivor.map_or(Ok(()), |number| Err(format!("session {number} has survived its revocation")))
        }
    }
}

/// Returns whether a process that has only today's keys cannot read all of a user's sessions.
fn has_unreadable(world: &World, user: User) -> bool {
    world.listed_ever(user).into_iter().any(|number| !world.is_readable(&world.lives[number]))
}

pub(crate) fn listing(
    world: &World,
    user: User,
    unanswered: &[CallKind],
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
