//! Checks that the result of a commit is what the model says. The request goes on from there.

use nexios_middleware_core::{Header, PlainHead, RequestEnd, SessionErrorKind as Kind};
use nexios_store_core::SessionId;
use nexios_store_testkit::hook::CallKind;

use crate::coverage::{Coverage, saw_commit};
use crate::part::{Commit, Seen, Wrong};
use crate::request::{Change, CookieFate, Intent, Request};
use crate::sight::learn;
use crate::site::Cookie;
use crate::steps::Status;
use crate::world::World;

/// Checks the result of a `save`, or of the commit of an answer.
pub(crate) fn commit(
    world: &mut World,
    seen: &Seen,
    commit: &mut Commit,
    outcome: Result<(), Kind>,
    coverage: &mut Coverage,
) -> Result<(), Wrong> {
    let Commit { request, open, intent, status, finds_gone, begins_afresh, .. } = commit;
    let is_gone = *finds_gone && seen.wrote.is_none();
    let wrote = seen.wrote.as_ref().is_some_and(|wrote| wrote.is_answered);
    let has_failed = !seen.unanswered.is_empty();
    let expected = match intent {
        // An explicit save of a session that is known to have ended.
        Intent::Nothing if request.has_ended && status.is_none() => Err(Kind::Gone),
        Intent::Nothing => Ok(()),
        Intent::Refuse => Err(Kind::Interrupted),
        Intent::TooLate => Err(Kind::HeadSent),
        Intent::Drop => Err(Kind::Gone),
        Intent::Upkeep if has_failed => Ok(()),
        _ if has_failed => Err(Kind::Unavailable),
        // The logout is carried out, but what came after it would need a cookie.
        Intent::Destroy if request.has_content() && request.head_is_sent => {
            *begins_afresh = true;
            Err(Kind::HeadSent)
        }
        Intent::Create | Intent::Destroy => Ok(()),
        _ if wrote => Ok(()),
        Intent::Upkeep if !is_gone => Ok(()),
        // With a login, the commit makes a fresh session instead.
        _ if is_gone && request.login.is_none() => Err(Kind::Gone),
        _ => return Err(format!("a commit that is to {intent:?} a live session did nothing: {outcome:?}")),
    };
    // An answer stands, even if the session is gone.
    let is_expected = outcome == expected || (status.is_some() && expected == Err(Kind::Gone) && outcome.is_ok());
    if !is_expected {
        return Err(format!("a commit that is to {intent:?} came to {outcome:?} instead of {expected:?}"));
    }
    saw_commit(world, seen, request, *intent, expected, coverage);
    match expected {
        Ok(()) => {
            if *intent == Intent::Create && !wrote {
                return Err("a commit that is to create a session did nothing".to_owned());
            }
            // If the session has moved, the touch meets the word of that, and does nothing.
            let is_open = request.base.as_ref().is_some_and(|base| base.is_open(world));
            if *intent == Intent::Upkeep && !has_failed && !is_gone && is_open {
                kept_up(world, seen, request)?;
            }
            if *intent == Intent::Destroy {
                destroyed(world, request)?;
                if request.has_content() && !wrote {
                    return Err("what was changed after a logout began no session".to_owned());
                }
            }
            succeed(seen, request, *intent);
            if let Some(base) = request.base.clone().filter(|_| wrote) {
                learn(world, base.life, &open.session)?;
            }
        }
        Err(Kind::Gone) if *intent == Intent::Nothing => succeed(seen, request, *intent),
        Err(Kind::Gone) => request.end(),
        // The logout itself is done.
        Err(_) if *intent == Intent::Destroy && *begins_afresh => {
            destroyed(world, request)?;
            request.begin_afresh();
        }
        // Nothing was tried.
        Err(_) if matches!(intent, Intent::Refuse | Intent::TooLate) => {}
        Err(_) => {
            // The load after a conflict failed, so nothing was written for certain.
            let is_known = seen.unanswered.last() == Some(&CallKind::Load);
            let is_repeatable = match intent {
                Intent::Update => Change::are_repeatable(&request.log),
                Intent::Rename => false,
                _ => true,
            };
            if !is_known && !is_repeatable {
                request.is_stuck = true;
                request.forget();
            }
        }
    }
    Ok(())
}

fn succeed(seen: &Seen, request: &mut Request, intent: Intent) {
    let wrote = seen.wrote.as_ref().filter(|wrote| wrote.is_answered);
    match intent {
        Intent::Destroy => {
            request.begin_afresh();
            if let Some(wrote) = wrote {
                request.settle(wrote.base.clone());
            }
        }
        Intent::Nothing => {
            if request.destroys {
                request.begin_afresh();
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
        _ if seen.has_touched => request.cookie = CookieFate::Send,
        _ => {}
    }
}

/// Checks that reading counts as activity, up to a tenth of the idle timeout, and that a record under an old key is
/// renewed.
fn kept_up(world: &World, seen: &Seen, request: &Request) -> Result<(), Wrong> {
    let Some(base) = &request.base else { return Ok(()) };
    let life = &world.lives[base.life];
    if request.is_rewrite_due && seen.wrote.is_none() {
        return Err("what is under an old key was not written again".to_owned());
    }
    let was_alone = life.writes - usize::from(seen.wrote.is_some() || seen.has_touched) == base.writes;
    let ration = world.lifetimes.idle / 10;
    if was_alone && life.expires_at.saturating_add(ration) < world.renewed(life.authenticated_at) {
        return Err("reading did not count as activity".to_owned());
    }
    Ok(())
}

/// Checks that a logout has ended the session under any id that it has by now, unless it was anonymous when loaded.
fn destroyed(world: &World, request: &Request) -> Result<(), Wrong> {
    // Also what had expired, or is from the future: a clock that is set back must not bring it back.
    if request.vouched.iter().any(|id| world.stored_ever(*id).is_some()) {
        return Err("a logout has left the session of a cookie that came with it".to_owned());
    }
    let Some(base) = &request.base else { return Ok(()) };
    let life = &world.lives[base.life];
    let is_known_limit = base.user.is_none() && life.id != base.id;
    if life.end.is_none() && !is_known_limit && world.keys.contains(&life.key) {
        return Err("a session lives on after its logout was answered".to_owned());
    }
    Ok(())
}

/// Checks that the answer carries the cookie that it should.
pub(crate) fn answer(
    world: &World,
    request: &mut Request,
    end: RequestEnd,
    cookie_name: &str,
) -> Result<Option<Option<Cookie>>, Wrong> {
    let mut head = PlainHead::new(200);
    let _ = end.apply(&mut head);
    let line = head.value(Header::SetCookie);
    let pair = line.map(|line| line.split(';').next().unwrap_or_default());
    let value = pair.and_then(|pair| pair.strip_prefix(cookie_name)?.strip_prefix('='));
    let id = value.and_then(|value| value.split('.').next()).and_then(|id| SessionId::parse(id).ok());
    match (request.cookie, &request.base, id) {
        (CookieFate::Remove, _, None) if value == Some("") => Ok(Some(None)),
        (CookieFate::Send, Some(base), Some(id)) if base.id == id => {
            let pair = pair.unwrap_or_default().to_owned();
            Ok(Some(Some(Cookie { pair, id, key: request.key })))
        }
        (CookieFate::Keep, _, None) | (CookieFate::Send, None, None) if line.is_none() => Ok(None),
        (CookieFate::Send, Some(base), None) if line.is_none() && !base.is_open(world) => Ok(None),
        (fate, ..) => {
            Err(format!("an answer that is to {fate:?} the cookie has {}", line.map_or("none", |_| "another")))
        }
    }
}

/// Takes back what followed the last save, if the answer is a 5xx. A logout stays.
pub(crate) fn roll_back(request: &mut Request, status: Status, coverage: &mut Coverage) {
    if status == Status::ServerError {
        coverage.saw_if(!request.log.is_empty(), "a server error that took changes back");
        coverage.saw_if(request.destroys, "a server error that did not take a logout back");
        request.roll_back();
    }
}
