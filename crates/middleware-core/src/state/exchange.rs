use std::error::Error;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use nexios_store_core::{SessionId, Timestamp};
use smallvec::SmallVec;

use crate::client_side;
use crate::error::SessionError;
use crate::events::Event;
use crate::records::Snapshot;
use crate::services::Services;
use crate::services::time_limit::within;
use crate::signed_cookies::SignedCookies;
use crate::state::State;
use crate::state::decisions::Fate;
use crate::state::place::Place;

/// One request and its session: everything that the request, its session and all their clones share.
///
/// It is a single allocation, or two where visitors keep their sessions. A route that does not ask for the session
/// leaves it as it is.
pub(crate) struct Exchange {
    pub(crate) services: Arc<Services>,
    pub(crate) cookie_header: CookieHeader,
    signed_cookies: OnceLock<SignedCookies>,
    /// Somebody has asked for the session, whatever came of it.
    looked_at: AtomicBool,
    /// The state is that of the visitor's session. Set while the state is locked, and never taken back.
    loaded: AtomicBool,
    state: Mutex<State>,
    pub(crate) place: Place,
    /// Held by the commit that is under way. There is at most one at a time.
    turn: tokio::sync::Mutex<()>,
    /// The head of the response is out. Set by the request; if there is a session, it is set while the state is locked
    /// and no commit is under way.
    head_sent: AtomicBool,
    /// The save at the request's end has failed, and the log was told. Then a logout may be left undone.
    end_failed: AtomicBool,
    /// The error that the answer is about was told. A framework may ask for the answer more than once.
    answer_told: AtomicBool,
}

/// The joined `Cookie` headers of a request. The session's cookie and a few small ones take no allocation of their own.
pub(crate) type CookieHeader = SmallVec<[u8; 128]>;

impl Exchange {
    pub(crate) fn new(services: Arc<Services>, cookie_header: CookieHeader) -> Self {
        Self {
            place: Place::of(&services),
            services,
            cookie_header,
            signed_cookies: OnceLock::new(),
            looked_at: AtomicBool::new(false),
            loaded: AtomicBool::new(false),
            state: Mutex::default(),
            turn: tokio::sync::Mutex::const_new(()),
            head_sent: AtomicBool::new(false),
            end_failed: AtomicBool::new(false),
            answer_told: AtomicBool::new(false),
        }
    }

    /// No code of the application runs under this lock, so a panic of the application cannot poison it.
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn is_loaded(&self) -> bool {
        self.loaded.load(Ordering::Acquire)
    }

    /// Declares that the state is that of the visitor's session. Call it with the state locked.
    pub(crate) fn set_loaded(&self, _: &MutexGuard<'_, State>) {
        self.loaded.store(true, Ordering::Release);
    }

    pub(crate) fn look_at(&self) {
        self.looked_at.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_looked_at(&self) -> bool {
        self.looked_at.load(Ordering::Relaxed)
    }

    pub(crate) fn send_head(&self) {
        self.head_sent.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_head_sent(&self) -> bool {
        self.head_sent.load(Ordering::Relaxed)
    }

    pub(crate) fn fail_end(&self) {
        self.end_failed.store(true, Ordering::Relaxed);
    }

    /// Returns whether the error that the answer is about is still to be told. It is so once.
    pub(crate) fn take_telling(&self) -> bool {
        !self.answer_told.swap(true, Ordering::Relaxed)
    }

    /// Tells of an event of the request that follows from an error.
    pub(crate) fn note_error(&self, event: Event, error: &(dyn Error + 'static)) {
        let snapshot = self.state().known.snapshot.clone();
        let snapshot = snapshot.as_deref();
        let principal = snapshot.and_then(Snapshot::principal);
        self.services.note_error(event, snapshot.map(|snapshot| &snapshot.id), principal, error);
    }

    /// Waits for the turn, for as long as one commit may take. It is free unless a clone of the session is being saved.
    /// A clone that is never polled again does not keep the others waiting: they get `None`.
    pub(crate) async fn turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        match self.turn.try_lock() {
            Ok(turn) => Some(turn),
            // Boxed, because it takes room and is rare.
            Err(_) => Box::pin(self.wait_for_turn()).await,
        }
    }

    async fn wait_for_turn(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        within(self.services.settings.store_timeout, pin!(self.turn.lock())).await.ok()
    }

    /// Returns the request's signed cookies, which are made when somebody first asks.
    pub(crate) fn signed_cookies(&self) -> SignedCookies {
        let cookies = || SignedCookies::new(Arc::clone(&self.services), self.cookie_header.to_vec());
        self.signed_cookies.get_or_init(cookies).clone()
    }

    /// Returns the request's signed cookies, if anybody has asked for them.
    pub(crate) fn used_signed_cookies(&self) -> Option<&SignedCookies> {
        self.signed_cookies.get()
    }

    /// Returns the ids that the request's cookies vouch for, whether or not they open anything. None where visitors
    /// keep their sessions.
    pub(crate) fn vouched_ids(&self) -> impl Iterator<Item = SessionId> {
        let header = if self.place.is_cookie() { &[][..] } else { &self.cookie_header };
        self.services.verified_ids(header)
    }

    /// Returns the value for the visitor's cookie: the signed id, or the session itself.
    pub(crate) fn cookie_value(&self, snapshot: &Snapshot, now: Timestamp) -> Result<String, SessionError> {
        if let Place::Cookie(slot) = &self.place
            && let Some(record) = slot.record()
        {
            return client_side::seal(&self.services, slot.sealer(), &record, now);
        }
        Ok(self.services.signers.cookie_value(&snapshot.id))
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        let is_told = *self.end_failed.get_mut() && !state.pending.is_changed() && state.pending.fate == Fate::Destroy;
        if *self.head_sent.get_mut() && state.is_unsaved() && !is_told {
            match &state.known.snapshot {
                Some(snapshot) => {
                    self.services.note_session(Event::ChangesNeverSaved, &snapshot.id, snapshot.principal());
                }
                None => self.services.note(Event::ChangesNeverSaved),
            }
        }
    }
}
