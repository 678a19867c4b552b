//! The room of what all other rooms may use: store, keys, cookie, expiry policy, clock, limits, events.
//!
//! Each manager has one [`Services`], which all its requests share. Invariant: functions take `&Services`, never the
//! manager, which is a face over it.

pub(crate) mod clock;
pub(crate) mod cookie_names;
pub(crate) mod endings;
pub(crate) mod expiry;
pub(crate) mod failure_body;
pub(crate) mod policies;
pub(crate) mod settings;
pub(crate) mod signers;
pub(crate) mod striped_locks;
pub(crate) mod time_limit;
pub(crate) mod to_the_end;

use std::error::Error;
use std::pin::pin;
use std::sync::Arc;

use nexios_cookie_config::{CookieConfig, Lifetime as CookieLifetime};
use nexios_signer::{Sealer, SignedBy};
use nexios_store_core::{Result as StoreResult, SessionId, SessionStore, StoreError, StoreErrorKind, Timestamp};

use crate::error::{SessionError, SessionErrorKind};
use crate::events::fingerprint::Fingerprint;
use crate::events::{Event, Events, Occurrence};
use crate::services::clock::Clock;
use crate::services::cookie_names::CookieNames;
use crate::services::endings::Endings;
use crate::services::expiry::ExpiryPolicy;
use crate::services::failure_body::FailureBodies;
use crate::services::policies::{OnOutage, SessionLimit};
use crate::services::settings::SessionSettings;
use crate::services::signers::{COOKIE_VALUE_LEN, Signers};
use crate::services::striped_locks::StripedLocks;
use crate::services::time_limit::within;

pub(crate) struct Services {
    /// Keeps nothing if the visitors keep their sessions.
    pub(crate) store: Arc<dyn SessionStore>,
    /// Seals the sessions that visitors keep. Only [`Place::of`](crate::state::place::Place::of) asks for it.
    pub(crate) client_side: Option<Arc<Sealer>>,
    pub(crate) signers: Signers,
    pub(crate) cookie: CookieConfig,
    pub(crate) cookie_names: Arc<CookieNames>,
    /// The attributes of signed cookies.
    pub(crate) signed_cookies: CookieConfig,
    pub(crate) settings: SessionSettings,
    pub(crate) expiry: ExpiryPolicy,
    pub(crate) commit_on_server_error: bool,
    pub(crate) on_outage: OnOutage,
    pub(crate) clock: Arc<dyn Clock>,
    /// Makes writers of one session that have met a conflict go one after the other.
    pub(crate) writers: StripedLocks,
    pub(crate) session_limit: Option<SessionLimit>,
    /// Makes the logins of one user go one after the other, if the number of a user's sessions is limited.
    pub(crate) logins: StripedLocks,
    /// Those who wait for the end of a session.
    pub(crate) endings: Endings,
    pub(crate) failure_bodies: Option<FailureBodies>,
    pub(crate) events: Events,
}

impl Services {
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The candidates of a cookie that our keys have signed: their place, their id, and by which key. The first 64 that
    /// can be ours are verified.
    pub(crate) fn verified<'h>(
        &self,
        candidates: impl Iterator<Item = &'h [u8]>,
    ) -> impl Iterator<Item = (usize, SessionId, SignedBy)> {
        candidates.enumerate().filter(|(_, value)| value.len() == COOKIE_VALUE_LEN).take(MAX_VERIFICATIONS).filter_map(
            |(place, value)| {
                let (id, signed_by) = self.signers.open_cookie_value(value)?;
                Some((place, id, signed_by))
            },
        )
    }

    /// The ids that the session cookies in `header` vouch for.
    pub(crate) fn verified_ids(&self, header: &[u8]) -> impl Iterator<Item = SessionId> {
        self.verified(self.cookie.candidates(header)).map(|(_, id, _)| id)
    }

    /// Waits for an answer of the store, for as long as the settings allow.
    pub(crate) async fn in_time<T>(&self, call: impl Future<Output = StoreResult<T>>) -> Result<T, NoAnswer> {
        match within(self.settings.store_timeout, pin!(call)).await {
            Ok(answer) => answer.map_err(NoAnswer::Error),
            Err(_) => Err(NoAnswer::InTime(self.timed_out())),
        }
    }

    pub(crate) fn timed_out(&self) -> SessionError {
        SessionError::timed_out(self.settings.store_timeout)
    }

    /// Tells of an event about which nothing else is known.
    #[inline]
    pub(crate) fn note(&self, event: Event) {
        self.events.note(event, || Occurrence::of(event, self.now()));
    }

    /// Tells of an event of the session with this id, which belongs to `principal`.
    #[inline]
    pub(crate) fn note_session(&self, event: Event, id: &SessionId, principal: Option<&str>) {
        self.events.note(event, || self.occurrence(event, id, principal));
    }

    /// Tells of an event that follows from an error; of which session and whose, as far as that is known.
    pub(crate) fn note_error(
        &self,
        event: Event,
        id: Option<&SessionId>,
        principal: Option<&str>,
        error: &(dyn Error + 'static),
    ) {
        self.events.note(event, || Occurrence {
            session: id.map(|id| self.signers.fingerprint(id)),
            principal: principal.map(|principal| self.signers.principal_tag(principal)),
            error: Some(error),
            ..Occurrence::of(event, self.now())
        });
    }

    /// Tells what has happened in the store, where an error comes from there. Called once for each error.
    pub(crate) fn note_failure(&self, error: &SessionError, id: Option<&SessionId>, principal: Option<&str>) {
        if let Some(event) = error.event() {
            self.note_error(event, id, principal, error);
        }
    }

    /// Describes an event of a session. Called only if somebody listens, or if the event has a pause.
    pub(crate) fn occurrence(&self, event: Event, id: &SessionId, principal: Option<&str>) -> Occurrence<'static> {
        Occurrence {
            session: Some(self.signers.fingerprint(id)),
            principal: principal.map(|principal| self.signers.principal_tag(principal)),
            ..Occurrence::of(event, self.now())
        }
    }

    /// Tells that the id of a session has changed.
    pub(crate) fn note_cycled(&self, former: &SessionId, id: &SessionId, principal: Option<&str>) {
        self.events.note(Event::SessionCycled, || {
            let former_session: Option<Fingerprint> = Some(self.signers.fingerprint(former));
            Occurrence { former_session, ..self.occurrence(Event::SessionCycled, id, principal) }
        });
    }

    pub(crate) fn cookie_lifetime(&self, expires_at: Timestamp, now: Timestamp) -> CookieLifetime {
        let remaining = expires_at.saturating_duration_since(now);
        CookieLifetime::new(remaining, expires_at.as_unix_millis() / 1000)
    }

    /// Makes the `Set-Cookie` line that gives a visitor this value, until `expires_at` or until the browser is closed.
    pub(crate) fn session_cookie(
        &self,
        value: &str,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<String, SessionError> {
        let lifetime = expires_at.map(|expires_at| self.cookie_lifetime(expires_at, now));
        self.cookie.set_cookie(value, lifetime).map_err(|error| {
            SessionError::new(SessionErrorKind::Misconfigured, "session cookie cannot be made").with_source(error)
        })
    }
}

/// The largest number of cookies of the session's name that are verified. Browsers keep about fifty cookies a domain.
const MAX_VERIFICATIONS: usize = 64;

/// The reason why a call of the store has no answer.
pub(crate) enum NoAnswer {
    Error(StoreError),
    InTime(SessionError),
}

impl NoAnswer {
    /// Returns whether the record is there but cannot be read, which is an answer too.
    pub(crate) fn is_unreadable(&self) -> bool {
        matches!(self, Self::Error(error) if error.kind() != StoreErrorKind::Backend)
    }
}

impl From<NoAnswer> for SessionError {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::Error(error) => error.into(),
            NoAnswer::InTime(error) => error,
        }
    }
}
