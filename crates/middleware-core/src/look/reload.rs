//! A second look at the session, between its load and its commit.

use std::sync::Arc;

use crate::error::SessionError;
use crate::events::Event;
use crate::look::look;
use crate::records::{Live, Opened, Snapshot};
use crate::state::exchange::Exchange;
use crate::state::place::Place;

/// Reads what the store has now, and does the pending changes again on top of it.
pub(crate) async fn reload(exchange: &Exchange) -> Result<(), SessionError> {
    let _turn = exchange.turn().await.ok_or_else(SessionError::interrupted)?;
    let known = {
        let state = exchange.state();
        if state.has_ended() {
            return Err(SessionError::gone());
        }
        state.kept_snapshot().cloned()
    };
    let (Some(known), Place::Store) = (known, &exchange.place) else {
        return Ok(()); // not saved yet, or the visitor's cookie has it, which nobody else can change
    };
    let Some(Live { snapshot, tagged_by }) = load(exchange, &known).await? else {
        let has_changes = exchange.state().pending.is_changed();
        if has_changes {
            exchange.services.note_session(Event::ChangesDropped, &known.id, known.principal());
        }
        exchange.state().end();
        return Err(SessionError::gone());
    };
    loop {
        let (changes, before) = {
            let state = exchange.state();
            (state.pending.changes.clone(), state.view.values.clone())
        };
        let mut values = snapshot.values.clone();
        // The application's code, which does not run under the lock.
        changes.replay(&mut values)?;
        let mut state = exchange.state();
        if state.view.values != before {
            continue; // a clone of this session has changed it meanwhile
        }
        (state.view.values, state.view.is_stale) = (values, false);
        state.known.snapshot = Some(Arc::clone(&snapshot));
        state.known.tagged_by = tagged_by;
        return Ok(());
    }
}

/// Loads the session that the request has; `None` if it has ended.
async fn load(exchange: &Exchange, known: &Snapshot) -> Result<Option<Live>, SessionError> {
    let services = &*exchange.services;
    let failed = |error: SessionError| {
        services.note_failure(&error, Some(&known.id), known.principal());
        error.told()
    };
    match look(services, known.id).await.map_err(|no_answer| failed(no_answer.into()))? {
        Some(Opened::Live(live)) => Ok(Some(live)),
        Some(Opened::Unreadable(problem)) => Err(failed(problem.into_error())),
        Some(Opened::Expired | Opened::FromFuture | Opened::Moved(_) | Opened::Ended) | None => Ok(None),
    }
}
