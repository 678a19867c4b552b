//! The search for a live session among the candidates of a `Cookie` header.

use std::pin::pin;

use nexios_signer::SignedBy;
use nexios_store_core::{SessionId, StoreError, StoreErrorKind, Stored, Timestamp};
use smallvec::SmallVec;

use crate::client_side::cookie_slot::CookieSlot;
use crate::client_side::{self, Found, Held};
use crate::error::{SessionError, SessionErrorKind};
use crate::events::Event;
use crate::records::{self, Live, Opened, Unreadable};
use crate::services::Services;
use crate::services::policies::OnOutage;
use crate::services::time_limit::within;
use crate::state::exchange::Exchange;
use crate::state::known::{Known, Opener};
use crate::state::place::Place;

/// Loads the session, unless that was done. If two extractors ask at the same time, both may ask the store, and the
/// first answer counts.
pub(super) async fn load(exchange: &Exchange) -> Result<(), SessionError> {
    if exchange.is_loaded() {
        return Ok(());
    }
    let services = &*exchange.services;
    match &exchange.place {
        Place::Store => {
            let known = match load_stored(exchange).await {
                Ok(known) => known,
                Err(error) => without_store(services, error)?,
            };
            let mut state = exchange.state();
            if !exchange.is_loaded() {
                state.begin(known);
                exchange.set_loaded(&state);
            }
            Ok(())
        }
        Place::Cookie(slot) => load_held(exchange, slot),
    }
}

async fn load_stored(exchange: &Exchange) -> Result<Known, SessionError> {
    let services = &*exchange.services;
    let found = within(services.settings.store_timeout, pin!(find(services, &exchange.cookie_header))).await;
    found.unwrap_or_else(|_| {
        let error = services.timed_out();
        services.note_failure(&error, None, None);
        Err(error)
    })
}

/// Returns what the application has chosen to serve while the store does not answer.
fn without_store(services: &Services, error: SessionError) -> Result<Known, SessionError> {
    if services.on_outage == OnOutage::Refuse || error.kind() != SessionErrorKind::Unavailable {
        return Err(error);
    }
    services.note(Event::ServedReadOnly);
    Ok(Known::outage())
}

/// Finds the session that one of the cookies in `header` opens: the first cookie that verifies and whose record is
/// live.
///
/// A cookie that opens nothing is passed over, so a forged or stale one (of another path or domain, say) hides no good
/// one. The work is bounded, whatever the header holds.
async fn find(services: &Services, header: &[u8]) -> Result<Known, SessionError> {
    let mut cookie_received = false;
    let candidates = services.verified(services.cookie.candidates(header).inspect(|_| cookie_received = true));
    // Few visitors send more than one, so one id has room in every request's future.
    let mut tried = SmallVec::<[SessionId; 1]>::new();
    let mut moved = None;
    for (place, id, signed_by) in candidates {
        if tried.contains(&id) {
            continue;
        }
        if tried.len() == MAX_LOADS {
            break;
        }
        tried.push(id);
        match load_id(services, id).await? {
            Loaded::Live(live) => {
                let opener = match signed_by {
                    SignedBy::First => Opener::Cookie { place, id },
                    SignedBy::Retired => Opener::RetiredCookie,
                };
                note_resumed(services, &live, signed_by);
                return Ok(known(live, opener));
            }
            Loaded::Moved => _ = moved.get_or_insert(id),
            Loaded::Nothing => {}
        }
    }
    if cookie_received && tried.is_empty() {
        services.note(Event::CookieRefused);
    }
    Ok(moved.map_or_else(|| Known::nothing(cookie_received), Known::moved))
}

/// The record that a cookie has named.
enum Loaded {
    Live(Live),
    /// It says that the session has another id.
    Moved,
    Nothing,
}

async fn load_id(services: &Services, id: SessionId) -> Result<Loaded, SessionError> {
    let now = services.now();
    let damage = match services.store.load(&id, now).await {
        // Strict mode: this id is never adopted. If a session is made, it gets a new one.
        Ok(None) => {
            services.note_session(Event::SessionUnknown, &id, None);
            return Ok(Loaded::Nothing);
        }
        Ok(Some(stored)) => return open(services, id, &stored, now),
        Err(error) if error.kind() == StoreErrorKind::Corrupt => error,
        // The key may come back, or another process has it.
        Err(error) if error.kind() == StoreErrorKind::NoKey => {
            services.note_error(Event::SealOfUnknownKey, Some(&id), None, &error);
            return Ok(Loaded::Nothing);
        }
        Err(error) => {
            let error = SessionError::from(error);
            services.note_failure(&error, Some(&id), None);
            return Err(error);
        }
    };
    // Boxed, so that the future of every request has no room for a rare case.
    Box::pin(set_aside(services, id, damage)).await;
    Ok(Loaded::Nothing)
}

fn open(services: &Services, id: SessionId, stored: &Stored, now: Timestamp) -> Result<Loaded, SessionError> {
    match records::open(services, id, stored, now) {
        Opened::Live(live) => return Ok(Loaded::Live(live)),
        Opened::Moved(_) => {
            services.note_session(Event::FormerIdUsed, &id, None);
            return Ok(Loaded::Moved);
        }
        Opened::Ended => services.note_session(Event::SessionUnknown, &id, None),
        Opened::Expired => services.note_session(Event::SessionExpired, &id, None),
        Opened::FromFuture => services.note_session(Event::SessionFromFuture, &id, None),
        Opened::Unreadable(unreadable) => pass_over(services, &id, unreadable)?,
    }
    Ok(Loaded::Nothing)
}

/// Passes over a record that makes no sense, so that the visitor goes on without a session; one of a newer format is an
/// error. The record is as it was written, so there is no reason for the store to set it aside.
fn pass_over(services: &Services, id: &SessionId, unreadable: Unreadable) -> Result<(), SessionError> {
    let event = unreadable.event();
    let error = unreadable.into_error();
    services.note_error(event, Some(id), None, &error);
    if error.kind() == SessionErrorKind::Unsupported { Err(error) } else { Ok(()) }
}

/// Takes a damaged record out of service, and keeps it for the operator.
async fn set_aside(services: &Services, id: SessionId, damage: StoreError) {
    services.note_error(Event::RecordCorrupt, Some(&id), None, &damage);
    drop(damage);
    if let Err(error) = services.store.set_aside(&id).await {
        services.note_error(Event::RecordNotSetAside, Some(&id), None, &error);
    }
}

/// Loads the session that the visitor's cookie holds.
fn load_held(exchange: &Exchange, slot: &CookieSlot) -> Result<(), SessionError> {
    let services = &*exchange.services;
    let found = client_side::find(services, &exchange.cookie_header, slot.sealer());
    let Found { held, cookie_received } = found.inspect_err(|error| services.note_failure(error, None, None))?;
    if let Some(Held { live, sealed_by, .. }) = &held {
        note_resumed(services, live, *sealed_by);
    }
    let mut state = exchange.state();
    if exchange.is_loaded() {
        return Ok(());
    }
    let known = match held {
        None => Known::nothing(cookie_received),
        Some(Held { id, stored, live, sealed_by }) => {
            slot.hold(id, stored);
            known(live, if sealed_by.is_retired() { Opener::RetiredCookie } else { Opener::Nothing })
        }
    };
    state.begin(known);
    exchange.set_loaded(&state);
    Ok(())
}

fn known(Live { snapshot, tagged_by }: Live, opener: Opener) -> Known {
    Known { snapshot: Some(snapshot), opener, tagged_by, cookie_received: true, ..Known::default() }
}

fn note_resumed(services: &Services, Live { snapshot, tagged_by }: &Live, cookie_by: SignedBy) {
    if cookie_by.is_retired() || tagged_by.is_retired() {
        services.note_session(Event::RetiredKeyUsed, &snapshot.id, snapshot.principal());
    }
    services.note_session(Event::SessionResumed, &snapshot.id, snapshot.principal());
}

/// The largest number of verified cookies that are looked up. A visitor has several only by cookies of several paths
/// and domains, and must not lose the session among those that have ended.
const MAX_LOADS: usize = 16;
