//! What a request, its session and their clones share.

use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use smallvec::SmallVec;

use crate::client_side::cookie_slot::CookieSlot;
use crate::commit::plan::Fate;
use crate::request::load::Found;
use crate::services::time_limit::within;
use crate::state::State;
use crate::{OnOutage, SessionError, SessionErrorKind, SessionManager, SignedCookies};

/// One request and its session: a single allocation, which a route that does not ask for the session leaves as it is.
pub(crate) struct Exchange {
    pub(crate) manager: SessionManager,
    pub(crate) cookie_header: CookieHeader,
    pub(crate) signed_cookies: OnceLock<SignedCookies>,
    /// Somebody has asked for the session, whatever came of it.
    pub(crate) looked_at: AtomicBool,
    /// The state is that of the visitor's session. Set with the state's lock held, and never taken back.
    loaded: AtomicBool,
    state: Mutex<State>,
    /// The session's record, where the visitor's cookie holds it and not a store.
    pub(crate) slot: Option<Arc<CookieSlot>>,
    /// Held by the commit that is under way; there is one at a time.
    pub(crate) turn: tokio::sync::Mutex<()>,
    /// Whether the head of the response is out. Set by the request; where there is a session, with the state's lock held and
    /// no commit under way.
    pub(crate) head_sent: AtomicBool,
}

/// A request's `Cookie` headers, joined. The session's cookie and a few small ones take no allocation of their own.
pub(crate) type CookieHeader = SmallVec<[u8; 128]>;

impl Exchange {
    pub(crate) fn new(manager: SessionManager, cookie_header: CookieHeader) -> Self {
        Self {
            slot: manager.sealed().map(|_| Arc::default()),
            manager,
            cookie_header,
            signed_cookies: OnceLock::new(),
            looked_at: AtomicBool::new(false),
            loaded: AtomicBool::new(false),
            state: Mutex::default(),
            turn: tokio::sync::Mutex::const_new(()),
            head_sent: AtomicBool::new(false),
        }
    }

    /// No code of the application runs under this lock, so a panic of the application's cannot poison it.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// Waits for the turn. It is free but where a clone of the session is in use in parallel.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        match self.turn.try_lock() {
            Ok(turn) => turn,
            Err(_) => self.turn.lock().await,
        }
    }

    /// Loads the session, unless that was done. If two extractors ask at the same time, both may ask the store, and the
    /// first answer counts.
    pub(crate) async fn load(&self) -> Result<(), SessionError> {
        if self.is_loaded() {
            return Ok(());
        }
        let found = match self.manager.sealed() {
            None => Some(self.load_stored().await.or_else(|error| self.without_store(error))?),
            Some(_) => None,
        };
        let mut state = self.state();
        if self.is_loaded() {
            return Ok(());
        }
        let found = match (found, self.manager.sealed(), &self.slot) {
            // Under the lock, because the slot may have changed by the time that a second one opens the cookie.
            (None, Some(sealed), Some(slot)) => self.manager.open_sealed(sealed, &self.cookie_header, slot)?,
            (found, _, _) => found.unwrap_or_default(),
        };
        state.begin(found);
        self.loaded.store(true, Ordering::Release);
        Ok(())
    }

    async fn load_stored(&self) -> Result<Found, SessionError> {
        let limit = self.manager.settings().store_timeout;
        let loaded = within(limit, pin!(self.manager.load(&self.cookie_header))).await;
        loaded.unwrap_or_else(|_| {
            self.manager.counting().store_failures.increment();
            Err(SessionError::timed_out(limit))
        })
    }

    /// What the application has chosen to serve while the store does not answer.
    fn without_store(&self, error: SessionError) -> Result<Found, SessionError> {
        if self.manager.on_outage() == OnOutage::Refuse || error.kind() != SessionErrorKind::Unavailable {
            return Err(error);
        }
        error.log();
        Ok(Found { read_only: true, ..Found::default() })
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if *self.head_sent.get_mut() && (state.is_changed() || state.fate != Fate::Keep) {
            tracing::warn!("session was changed after the response's head was sent, and never saved");
        }
    }
}
