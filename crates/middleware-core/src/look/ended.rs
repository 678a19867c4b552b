//! The wait for the end of a session.

use std::pin::pin;
use std::time::Duration;

use nexios_store_core::SessionId;

use crate::look::look;
use crate::records::Opened;
use crate::state::exchange::Exchange;

/// Waits until the session has ended, in whatever process.
pub(crate) async fn ended(exchange: &Exchange) {
    let services = &*exchange.services;
    // The id that another request has given the session since it was loaded.
    let mut moved_to = None;
    let mut was_saved = false;
    loop {
        let (known, has_ended) = {
            let state = exchange.state();
            (state.known.snapshot.as_ref().map(|snapshot| (snapshot.id, snapshot.expires_at)), state.has_ended())
        };
        if has_ended {
            return;
        }
        let Some((id, expires_at)) = known else {
            if was_saved {
                return; // ended by a clone of this session
            }
            tokio::time::sleep(BETWEEN_LOOKS).await; // it may be saved yet
            continue;
        };
        was_saved = true;
        let id = moved_to.unwrap_or(id);
        let notify = services.endings.of(id);
        let mut told = pin!(notify.notified());
        told.as_mut().enable(); // before the look, so that no end falls between the two
        let fate = if exchange.place.is_cookie() {
            // Nobody else can end what the visitor's cookie holds.
            if expires_at > services.now() { Fate::GoesOn } else { Fate::Ended }
        } else {
            fate(exchange, id).await
        };
        match fate {
            Fate::Ended => {
                // From here on, a change is refused and a save says that the session is gone.
                if let Some(_turn) = exchange.turn().await {
                    exchange.state().end();
                }
                return;
            }
            Fate::Moved(to) => moved_to = Some(to),
            Fate::GoesOn => {
                tokio::select! {
                    () = told => {}
                    () = tokio::time::sleep(BETWEEN_LOOKS) => {}
                }
            }
        }
    }
}

enum Fate {
    GoesOn,
    Ended,
    Moved(SessionId),
}

/// Returns what has become of a session. What cannot be looked at has not ended.
async fn fate(exchange: &Exchange, id: SessionId) -> Fate {
    match look(&exchange.services, id).await {
        Ok(Some(Opened::Moved(Some(to)))) => Fate::Moved(to),
        Ok(Some(Opened::Moved(None) | Opened::Expired | Opened::Ended) | None) => Fate::Ended,
        Ok(Some(Opened::Live(_) | Opened::FromFuture | Opened::Unreadable(_))) | Err(_) => Fate::GoesOn,
    }
}

/// The time after which the end of a session in another process is noticed, but for the time that the store takes. One
/// second is left for that of five.
const BETWEEN_LOOKS: Duration = Duration::from_secs(4);
