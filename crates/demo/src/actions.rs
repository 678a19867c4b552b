//! The actions of the routes: what each of them does with the visitor's session.
//!
//! Nothing here belongs to a framework. The handler of a program extracts the [`Session`], calls an action, and sends
//! the [`Reply`]. Changes are saved, and the cookie is set, after the handler has returned. Only an action that must
//! know the outcome before it answers calls [`save`](Session::save) itself.
//!
//! An action fails only if the session does. It returns the error of the session, and the adapter answers it.
#![allow(clippy::missing_errors_doc, reason = "the documentation of the module says it once for all")]

use std::time::Duration;

use nexios_middleware_core::{
    Session, SessionError, SessionErrorKind, SessionHandle, SignedCookieErrorKind, SignedCookies,
};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::numbers::all_numbers_fit;
use crate::{Reply, Result};

/// `POST /session/{key}`: stores the JSON value in the body under the key. Its numbers come back as they went in.
pub async fn set(session: &Session, key: &str, body: &[u8]) -> Result {
    if !all_numbers_fit(body) {
        return Ok(Reply::refused(400, "a number in the body does not fit"));
    }
    let Ok(value) = serde_json::from_slice::<Value>(body) else {
        return Ok(Reply::refused(400, "the body is not valid JSON"));
    };
    save(session, session.insert(key, &value)).await
}

/// `GET /session/{key}`: answers with the value of the key.
pub fn get(session: &Session, key: &str) -> Result {
    Ok(match session.get::<Value>(key)? {
        Some(value) => Reply::ok(value),
        None => Reply::refused(404, "the session has no such key"),
    })
}

/// `DELETE /session/{key}`: removes the key, if it is there. A visitor without a session does not get one.
pub fn remove(session: &Session, key: &str) -> Reply {
    session.remove(key);
    Reply::done()
}

/// `GET /session`: answers with all keys and their values.
pub fn all(session: &Session) -> Result {
    let entries: Map<String, Value> = session.entries()?.into_iter().collect();
    Ok(Reply::ok(entries))
}

/// `POST /increment/{key}`: adds one atomically, and answers with the number that this request has reached.
///
/// Of any number of parallel requests, no two get the same number: `try_update` is repeated on the newer value if
/// another request was faster, and `get` after `save` reads what was committed.
pub async fn increment(session: &Session, key: &str) -> Result {
    let add_one =
        |present: Option<i64>| present.unwrap_or(0).checked_add(1).map(Some).ok_or("the number would overflow");
    let saved = match session.try_update(key, add_one) {
        Ok(()) => session.save().await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => Ok(Reply::ok(json!(session.get::<i64>(key)?))),
        Err(error) if error.kind() == SessionErrorKind::Refused => {
            session.discard();
            Ok(Reply::refused(409, &error.to_string()))
        }
        Err(error) if error.kind() == SessionErrorKind::InvalidValue => {
            session.discard();
            Ok(Reply::refused(409, "the key holds something other than an integer"))
        }
        Err(error) => Reply::for_failed_change(session, error),
    }
}

/// `POST /login`: logs a user in. In this demo, the name alone is enough.
///
/// A login gives the session a new id, so that an id from before the login is worth nothing after it.
pub fn login(session: &Session, body: &[u8]) -> Result {
    #[derive(Deserialize)]
    struct Login {
        user: String,
    }
    let Ok(Login { user }) = serde_json::from_slice(body) else {
        return Ok(Reply::refused(400, r#"the body is not {"user": "..."}"#));
    };
    if user.is_empty() {
        return Ok(Reply::refused(400, "the user's name is empty"));
    }
    match session.login(&user).and_then(|()| session.insert("user", &user)) {
        Ok(()) => Ok(Reply::done()),
        Err(error) => Reply::for_failed_change(session, error),
    }
}

/// `POST /logout`: ends the session. The record is deleted, and the cookie removed.
pub fn logout(session: &Session) -> Reply {
    session.destroy();
    Reply::done()
}

/// `GET /sessions`: lists the live sessions of the user who is logged in. Times are in milliseconds since 1970.
pub async fn sessions(session: &Session) -> Result {
    let Some(user) = session.principal() else { return Ok(nobody_is_logged_in()) };
    let sessions = session.manager().sessions_of(&user).await?;
    let rows = sessions.iter().map(|found| {
        json!({
            "handle": found.handle.to_string(),
            "created_at": found.created_at.as_unix_millis(),
            "last_seen": found.last_seen.as_unix_millis(),
            "device": found.device,
            "current": found.is_current(session),
        })
    });
    Ok(Reply::ok(rows.collect::<Vec<_>>()))
}

/// `DELETE /sessions/{handle}`: ends one session of the user who is logged in. A handle of another user ends nothing.
pub async fn end_session(session: &Session, handle: &str) -> Result {
    let Some(user) = session.principal() else { return Ok(nobody_is_logged_in()) };
    let Ok(handle) = handle.parse::<SessionHandle>() else {
        return Ok(Reply::refused(400, "a handle is 32 lower-case hex digits"));
    };
    let was_there = session.manager().revoke(&user, handle).await?;
    if session.handle() == Some(handle) {
        session.destroy(); // the record is gone already; this removes the cookie
    }
    Ok(Reply::ok(json!({ "revoked": u8::from(was_there) })))
}

/// `POST /device`: names the device that this session is used on, for the list of sessions.
pub async fn name_device(session: &Session, body: &[u8]) -> Result {
    if session.principal().is_none() {
        return Ok(nobody_is_logged_in());
    }
    let Ok(name) = std::str::from_utf8(body) else {
        return Ok(Reply::refused(400, "the body is not UTF-8 text"));
    };
    if name.chars().count() > MAX_DEVICE_CHARS {
        return Ok(Reply::refused(413, "the name is longer than 200 characters"));
    }
    save(session, session.set_device(name)).await
}

/// `POST /logout-everywhere`: ends all sessions of the user who is logged in, this one included.
///
/// It goes on past a session that cannot be ended, and runs to its end even if the client hangs up.
pub async fn logout_everywhere(session: &Session) -> Result {
    let Some(user) = session.principal() else { return Ok(nobody_is_logged_in()) };
    match session.manager().revoke_all(&user).await {
        Ok(revoked) => {
            session.destroy(); // the record is gone already; this removes the cookie
            Ok(Reply::ok(json!({ "revoked": revoked })))
        }
        // The cookie stays, because this session may be one of those that could not be ended.
        Err(error) => match error.revocation() {
            Some(done) => Ok(Reply::json(503, &json!({ "revoked": done.ended, "failed": done.failed }))),
            None => Err(error),
        },
    }
}

fn nobody_is_logged_in() -> Reply {
    Reply::refused(401, "nobody is logged in")
}

/// `GET /slow?ms=N`: works for a while, then sets `slow` to `true`.
///
/// Log out in another tab while it runs: the slow request does not bring the session back.
pub async fn slow(session: &Session, query: &str) -> Result {
    let millis = query.split('&').find_map(|pair| pair.strip_prefix("ms=")).map(str::parse::<u64>);
    let Some(millis) = millis.and_then(Result::ok).filter(|millis| *millis <= MAX_SLOW_MILLIS) else {
        return Ok(Reply::refused(400, "ms must be a whole number up to 10000"));
    };
    tokio::time::sleep(Duration::from_millis(millis)).await;
    match session.insert("slow", &true) {
        Ok(()) => Ok(Reply::done()),
        Err(error) => Reply::for_failed_change(session, error),
    }
}

/// `GET /fail`: changes the session, and then fails. The change is not kept, because the status is 5xx.
pub fn fail(session: &Session) -> Result {
    session.insert("fail", &true)?;
    Ok(Reply::refused(500, "this route always fails"))
}

/// `POST /signed-cookie/{name}`: sets a signed cookie to the text in the body. This needs no session.
pub fn set_signed_cookie(cookies: &SignedCookies, name: &str, body: &[u8]) -> Reply {
    let Ok(text) = std::str::from_utf8(body) else {
        return Reply::refused(400, "the body is not UTF-8 text");
    };
    match cookies.set(name, text) {
        Ok(()) => Reply::done(),
        Err(error) => refused_cookie(error.kind()),
    }
}

/// `GET /signed-cookie/{name}`: answers with the text of a signed cookie.
pub fn signed_cookie(cookies: &SignedCookies, name: &str) -> Reply {
    match cookies.get(name) {
        Ok(Some(text)) => Reply::text(text),
        Ok(None) => Reply::refused(404, "there is no such cookie"),
        Err(error) => refused_cookie(error.kind()),
    }
}

fn refused_cookie(kind: SignedCookieErrorKind) -> Reply {
    match kind {
        SignedCookieErrorKind::TooLarge => Reply::refused(413, "the text is too long for a cookie"),
        SignedCookieErrorKind::Tampered => Reply::refused(400, "the cookie was tampered with"),
        _ => Reply::refused(400, "there can be no signed cookie of this name"),
    }
}

/// Saves a change before the answer.
///
/// Parallel requests may together make the session too large, or may have ended it, and only `save` can tell.
async fn save(session: &Session, change: Result<(), SessionError>) -> Result {
    let saved = match change {
        Ok(()) => session.save().await,
        Err(error) => Err(error),
    };
    match saved {
        Ok(()) => Ok(Reply::done()),
        Err(error) => Reply::for_failed_change(session, error),
    }
}

const MAX_SLOW_MILLIS: u64 = 10_000;
const MAX_DEVICE_CHARS: usize = 200;
