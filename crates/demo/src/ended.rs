//! The stream of `GET /ended`.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use nexios_middleware_core::Session;

use crate::Reply;

/// The media type of a stream of events (<https://html.spec.whatwg.org/multipage/server-sent-events.html>).
pub const EVENT_STREAM: &str = "text/event-stream";

/// `GET /ended`: waits until the session has ended, in whatever process, and says so with the one event `ended`.
///
/// Until then, a comment now and then shows a proxy that the connection is in use, and shows the server that the client
/// is still there.
///
/// # Errors
///
/// Refuses a visitor who has no session.
pub fn ended(session: &Session) -> Result<impl Stream<Item = Event> + Send + use<>, Reply> {
    if session.handle().is_none() {
        return Err(Reply::refused(401, "you have no session"));
    }
    Ok(stream::unfold(Next::Begin(session.clone()), async |next| match next {
        Next::Begin(session) => say(": waiting\n\n", Next::Wait(session)),
        Next::Wait(session) => tokio::select! {
            () = session.ended() => say("event: ended\ndata: the session has ended\n\n", Next::Nothing),
            () = tokio::time::sleep(HEARTBEAT) => say(": still waiting\n\n", Next::Wait(session)),
        },
        Next::Nothing => None,
    }))
}

/// A part of the stream. No part can fail.
type Event = Result<Bytes, Infallible>;

enum Next {
    Begin(Session),
    Wait(Session),
    Nothing,
}

#[expect(clippy::unnecessary_wraps, reason = "the type that the stream is made of")]
fn say(text: &'static str, next: Next) -> Option<(Event, Next)> {
    Some((Ok(Bytes::from_static(text.as_bytes())), next))
}

/// Proxies close connections on which nothing happens for a minute.
const HEARTBEAT: Duration = Duration::from_secs(15);
