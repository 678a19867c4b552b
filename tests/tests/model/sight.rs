//! A request sees of its session what the model has, when the session is loaded and while it is changed.

use nexios_middleware_core::{Session, SessionError, SessionErrorKind};
use nexios_store_testkit::hook::CallKind;

use crate::coverage::Coverage;
use crate::part::{Opening, Wrong};
use crate::request::Base;
use crate::site::Cookie;
use crate::steps::{USERS, User};
use crate::world::{LifeNumber, Values, World};

/// Checks a request that has begun: it has the session that its cookies open, or none.
pub(crate) fn opening(
    world: &mut World,
    opening: &Opening,
    unanswered: &[CallKind],
    session: Result<&Session, &SessionError>,
    coverage: &mut Coverage,
) -> Result<Option<Base>, Wrong> {
    let session = match session {
        Err(error) if error.kind() == SessionErrorKind::Unavailable && !unanswered.is_empty() => {
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
    coverage.saw_if(opener.is_some_and(|cookie| cookie.key != world.first_key), "a session opened by an old key");
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

/// Checks that a handler sees what the model has.
pub(crate) fn same(what: &str, session: &Session, values: &Values, user: Option<User>) -> Result<(), Wrong> {
    let seen = session.entries::<Vec<usize>>().map_err(|error| error.to_string())?;
    let expected: Vec<_> = values.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    if seen != expected {
        return Err(format!("{what} has {seen:?} instead of {expected:?}"));
    }
    let (seen, expected) = (session.principal(), user.map(|user| USERS[user].to_owned()));
    if seen != expected {
        return Err(format!("{what} is that of {seen:?} instead of {expected:?}"));
    }
    Ok(())
}

/// Learns the handle of a session, and checks that a session keeps its handle.
pub(crate) fn learn(world: &mut World, number: LifeNumber, session: &Session) -> Result<(), Wrong> {
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
