//! The room of events: everything worth telling that happens to sessions, in one enum.
//!
//! Invariant: [`Events::note`] is the only way to tell of an event. It counts the event, writes the line of the log,
//! and calls the observers of the application. `docs/operations.md` says what each event means and what to do about it.
//! One line of the log has no event: that of a missing layer, where there is no manager.

pub(crate) mod counters;
pub(crate) mod fingerprint;
pub(crate) mod observer;
mod told;

use std::error::Error;
use std::fmt;
use std::time::{Duration, SystemTime};

use nexios_store_core::{PrincipalTag, Timestamp};
use tracing::Level;
use tracing::level_filters::LevelFilter;

use crate::events::counters::{Counters, Counts};
use crate::events::fingerprint::Fingerprint;
use crate::events::observer::Observers;
use crate::events::told::{Line, Told};

/// Something that happened to a session, and that an operator or the application may want to know.
///
/// Each event is counted (see [`SessionManager::counters`](crate::SessionManager::counters)), logged, and passed to the
/// application's [observers](crate::Observer). A line of the log has the [name](Self::name) of its event in the field
/// `event`. If visitors or an outage can repeat an event at will, the log pauses after a line about it, and the next
/// line has in the field `repeated` how many were left out. `docs/operations.md` has a section on each event.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::Event;
///
/// assert_eq!(Event::StoreFailed.name(), "store_failed");
/// assert!(Event::ALL.contains(&Event::StoreFailed));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Event {
    /// A request had a cookie of the session's name, but none that one of our keys has signed.
    CookieRefused,
    /// A cookie verified, but the store has no record under its id: the session has ended or expired.
    SessionUnknown,
    /// A request came with the id that a session had before a login or a change of its id.
    FormerIdUsed,
    /// A session was found that has expired.
    SessionExpired,
    /// A session was found that was made in the future, so the clock must have been set back.
    SessionFromFuture,
    /// A request opened its session.
    SessionResumed,
    /// A session was saved for the first time.
    SessionCreated,
    /// A session got a new id.
    SessionCycled,
    /// A user logged in.
    LoggedIn,
    /// A session was ended by its own request.
    SessionDestroyed,
    /// A revocation has ended sessions of a user: all of them, or as many as it could.
    SessionsRevoked,
    /// Another request saved first, so the changes of both are merged.
    ChangesMerged,
    /// Changes were dropped, because another request had ended the session.
    ChangesDropped,
    /// A session was changed after the head of the response was sent, and never saved.
    ChangesNeverSaved,
    /// The expiry or the cookie of a session could not be renewed. The application's answer stood.
    RenewalFailed,
    /// The store has a damaged record. If a request tried to load it, the record is set aside and the visitor got a
    /// fresh session. If a request tried to write over it, the request failed.
    RecordCorrupt,
    /// A damaged record could not be set aside.
    RecordNotSetAside,
    /// The store returned a record as it was written, but the payload makes no sense.
    PayloadUnreadable,
    /// A record has a user, but none of our keys has made the tag.
    TagOfUnknownKey,
    /// A record is sealed, and none of our keys opens it.
    SealOfUnknownKey,
    /// A record has a newer format. The visitor got a 503.
    RecordUnsupported,
    /// A user's session is missing from a list, because its record cannot be read.
    SessionUnlisted,
    /// The store answered a call with an error.
    StoreFailed,
    /// The store did not answer within the time limit.
    StoreTimedOut,
    /// The store did not answer, so a request got an empty session that takes no changes.
    ServedReadOnly,
    /// A key other than the first of the ring has signed a cookie or tagged a record.
    RetiredKeyUsed,
    /// A request was answered with an error of its session.
    RequestFailed,
    /// A request was answered with a refusal of its changes: the session was gone, would have been one too
    /// many, or had a value that the changes do not go together with.
    ChangesRefused,
    /// A signed cookie of the application was not as we have signed it.
    SignedCookieRefused,
    /// A pass of the sweeper over the expired sessions was completed.
    Swept,
    /// A pass of the sweeper failed.
    SweepFailed,
    /// A manager was built whose cookie is also sent over plain HTTP.
    CookieInsecure,
}

impl Event {
    /// All events, in the order of the enum.
    pub const ALL: &[Self] = &[
        Self::CookieRefused,
        Self::SessionUnknown,
        Self::FormerIdUsed,
        Self::SessionExpired,
        Self::SessionFromFuture,
        Self::SessionResumed,
        Self::SessionCreated,
        Self::SessionCycled,
        Self::LoggedIn,
        Self::SessionDestroyed,
        Self::SessionsRevoked,
        Self::ChangesMerged,
        Self::ChangesDropped,
        Self::ChangesNeverSaved,
        Self::RenewalFailed,
        Self::RecordCorrupt,
        Self::RecordNotSetAside,
        Self::PayloadUnreadable,
        Self::TagOfUnknownKey,
        Self::SealOfUnknownKey,
        Self::RecordUnsupported,
        Self::SessionUnlisted,
        Self::StoreFailed,
        Self::StoreTimedOut,
        Self::ServedReadOnly,
        Self::RetiredKeyUsed,
        Self::RequestFailed,
        Self::ChangesRefused,
        Self::SignedCookieRefused,
        Self::Swept,
        Self::SweepFailed,
        Self::CookieInsecure,
    ];

    /// Returns the name that the event has in the log, in metrics and in `docs/operations.md`.
    pub const fn name(self) -> &'static str {
        self.description().0
    }

    /// Returns the level of the event's line in the log.
    pub(crate) const fn level(self) -> Level {
        self.description().1
    }

    const fn message(self) -> &'static str {
        self.description().2
    }

    const fn description(self) -> (&'static str, Level, &'static str) {
        match self {
            Self::CookieRefused => ("cookie_refused", Level::INFO, "no key of ours has signed the session cookie"),
            Self::SessionUnknown => {
                ("session_unknown", Level::DEBUG, "session is not known to the store, or has expired")
            }
            Self::FormerIdUsed => ("former_id_used", Level::DEBUG, "session has got another id since"),
            Self::SessionExpired => ("session_expired", Level::DEBUG, "session has expired"),
            Self::SessionFromFuture => (
                "session_from_future",
                Level::WARN,
                "session was made in the future and does not count until then; was the clock set back?",
            ),
            Self::SessionResumed => ("session_resumed", Level::TRACE, "session resumed"),
            Self::SessionCreated => ("session_created", Level::DEBUG, "session created"),
            Self::SessionCycled => ("session_cycled", Level::DEBUG, "session id cycled"),
            Self::LoggedIn => ("logged_in", Level::DEBUG, "user logged in"),
            Self::SessionDestroyed => ("session_destroyed", Level::DEBUG, "session destroyed"),
            Self::SessionsRevoked => ("sessions_revoked", Level::INFO, "sessions of a user were revoked"),
            Self::ChangesMerged => ("changes_merged", Level::DEBUG, "parallel changes are merged"),
            Self::ChangesDropped => (
                "changes_dropped",
                Level::INFO,
                "session was ended by another request, so the changes of this one are dropped",
            ),
            Self::ChangesNeverSaved => (
                "changes_never_saved",
                Level::WARN,
                "session was changed after the response's head was sent, and never saved",
            ),
            Self::RenewalFailed => {
                ("renewal_failed", Level::WARN, "expiry or cookie of the session could not be renewed")
            }
            Self::RecordCorrupt => ("record_corrupt", Level::ERROR, "session record is corrupt"),
            Self::RecordNotSetAside => {
                ("record_not_set_aside", Level::ERROR, "corrupt session record could not be set aside")
            }
            Self::PayloadUnreadable => {
                ("payload_unreadable", Level::ERROR, "session payload cannot be read; the record is left where it is")
            }
            Self::TagOfUnknownKey => (
                "tag_of_unknown_key",
                Level::ERROR,
                "no key of ours has tagged the user of the session; the record is left where it is",
            ),
            Self::SealOfUnknownKey => {
                ("seal_of_unknown_key", Level::ERROR, "no key of ours opens the session record; it is left where it is")
            }
            Self::RecordUnsupported => ("record_unsupported", Level::ERROR, "session record has a newer format"),
            Self::SessionUnlisted => {
                ("session_unlisted", Level::WARN, "session is not listed, because its record cannot be read")
            }
            Self::StoreFailed => ("store_failed", Level::ERROR, "session store failed"),
            Self::StoreTimedOut => ("store_timed_out", Level::ERROR, "session store did not answer in time"),
            Self::ServedReadOnly => (
                "served_read_only",
                Level::WARN,
                "session store did not answer, so a request got an empty session that takes no changes",
            ),
            Self::RetiredKeyUsed => (
                "retired_key_used",
                Level::INFO,
                "a retired key of the ring was used; remove it once it has not been for as long as sessions live",
            ),
            Self::RequestFailed => ("request_failed", Level::ERROR, "session failed"),
            Self::ChangesRefused => ("changes_refused", Level::INFO, "session could not be saved"),
            Self::SignedCookieRefused => {
                ("signed_cookie_refused", Level::INFO, "a signed cookie is not as we have signed it")
            }
            Self::Swept => ("swept", Level::DEBUG, "swept expired sessions"),
            Self::SweepFailed => ("sweep_failed", Level::WARN, "sweeping expired sessions failed"),
            Self::CookieInsecure => (
                "cookie_insecure",
                Level::WARN,
                "session cookie is sent over plain HTTP too; set SESSION_COOKIE_SECURE=true where there is HTTPS",
            ),
        }
    }

    /// Returns how long the log is silent about an event after a line about it, or `None` if every occurrence has a
    /// line.
    ///
    /// Events that a visitor or an outage can repeat at will have a pause. Lines below INFO have none, because they are
    /// for readers who asked for everything.
    pub(crate) const fn pause(self) -> Option<Duration> {
        match self {
            Self::RetiredKeyUsed => Some(Duration::from_secs(60)),
            Self::SessionUnknown
            | Self::FormerIdUsed
            | Self::SessionExpired
            | Self::SessionResumed
            | Self::SessionCreated
            | Self::SessionCycled
            | Self::LoggedIn
            | Self::SessionDestroyed
            | Self::ChangesMerged
            | Self::Swept
            // These are rare, and each one matters by itself.
            | Self::SessionsRevoked
            | Self::SweepFailed
            | Self::CookieInsecure => None,
            _ => Some(PAUSE),
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One occurrence of an [`Event`], as an [`Observer`](crate::Observer) sees it.
///
/// It contains no session id, no secret, no value and no user's name. Its error may name the key that a value is stored
/// under. A field that does not apply to the event, or is not known, is `None`.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Occurrence<'a> {
    /// The event.
    pub event: Event,
    /// The time, by the manager's clock.
    pub at: Timestamp,
    /// The session, by a keyed hash of its id.
    pub session: Option<Fingerprint>,
    /// The session before its id changed, by the same hash.
    pub former_session: Option<Fingerprint>,
    /// The user that the session belongs to, as a tag that the first key of the ring makes.
    ///
    /// The store lists the session under this tag. Only if a retired key has tagged the record, the store has the tag
    /// of that key until the record is written again.
    pub principal: Option<PrincipalTag>,
    /// The number of sessions, for revocations and sweeps.
    pub count: Option<usize>,
    /// The error that the event follows from.
    pub error: Option<&'a (dyn Error + 'static)>,
}

impl Occurrence<'_> {
    /// Makes an occurrence of an event about which nothing else is known.
    pub(crate) const fn of(event: Event, at: Timestamp) -> Self {
        Self { event, at, session: None, former_session: None, principal: None, count: None, error: None }
    }
}

/// The listeners to events: counts, log and observers.
#[derive(Debug, Default)]
pub(crate) struct Events {
    counts: Counts,
    told: Told,
    observers: Observers,
}

impl Events {
    pub(crate) fn new(observers: Observers) -> Self {
        Self { observers, ..Self::default() }
    }

    /// Tells of an event. `occurrence` is called only if somebody listens, or if the event has a pause.
    #[inline]
    pub(crate) fn note<'a>(&self, event: Event, occurrence: impl FnOnce() -> Occurrence<'a>) {
        self.counts.increment(event);
        if event.pause().is_some() || self.is_heard(event) {
            self.tell(&occurrence());
        }
    }

    pub(crate) fn counters(&self) -> Counters {
        self.counts.snapshot()
    }

    fn is_heard(&self, event: Event) -> bool {
        LevelFilter::current() >= event.level() || !self.observers.is_empty()
    }

    #[cold]
    fn tell(&self, occurrence: &Occurrence<'_>) {
        let Occurrence { event, at, .. } = *occurrence;
        self.counts.happened(event, at);
        if let Some(repeated) = self.told.is_due(event, at) {
            log(occurrence, repeated);
        }
        self.observers.observe(occurrence);
    }
}

/// Tells of a route without a layer, where there is no manager that could. A visitor can repeat it at will, so it has
/// no more lines than other events.
pub(crate) fn tell_missing_layer(error: &dyn Error) {
    static LINE: Line = Line::new();
    if let Some(repeated) = LINE.is_due(PAUSE, SystemTime::now().into()) {
        let repeated = (repeated > 0).then_some(repeated);
        tracing::error!(target: LOG_TARGET, event = "layer_missing", repeated, "{error}");
    }
}

/// The target of all lines of the log.
const LOG_TARGET: &str = "nexios_sessions";

/// The time for which the log is silent about what can be repeated at will.
const PAUSE: Duration = Duration::from_secs(10);

/// Writes the line of an event. `repeated` is the number of occurrences that had no line since the last one.
fn log(occurrence: &Occurrence<'_>, repeated: u64) {
    let Occurrence { event, session, former_session, principal: _, count, error, .. } = *occurrence;
    let session = session.as_ref().map(tracing::field::display);
    let was = former_session.as_ref().map(tracing::field::display);
    let repeated = (repeated > 0).then_some(repeated);
    // `tracing` wants the level as a constant, so there is a call for each.
    macro_rules! line {
        ($level:expr) => {
            tracing::event!(
                target: LOG_TARGET,
                $level,
                event = event.name(),
                session,
                was,
                count,
                error,
                repeated,
                "{}",
                event.message()
            )
        };
    }
    match event.level() {
        Level::ERROR => line!(Level::ERROR),
        Level::WARN => line!(Level::WARN),
        Level::INFO => line!(Level::INFO),
        Level::DEBUG => line!(Level::DEBUG),
        _ => line!(Level::TRACE),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// Counters and log find an event's place by its number.
    #[test]
    fn all_events_are_listed_in_their_order() {
        for (place, event) in Event::ALL.iter().enumerate() {
            assert_eq!(*event as usize, place, "{event}");
        }
        const LAST: Event = Event::CookieInsecure;
        assert_eq!(LAST as usize + 1, Event::ALL.len());
    }

    #[test]
    fn a_name_is_that_of_the_variant() {
        for event in Event::ALL {
            let words = event.name().split('_').map(|word| word[..1].to_uppercase() + &word[1..]);
            assert_eq!(words.collect::<String>(), format!("{event:?}"));
        }
    }

    #[test]
    fn the_page_for_operators_says_how_often_an_event_has_a_line() {
        let page = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md")).unwrap();
        for event in Event::ALL {
            let how_often = match event.pause() {
                Some(pause) => format!("at most one line in {} seconds", pause.as_secs()),
                None => "one line each time".to_owned(),
            };
            let begin = format!("\n### `{event}`\n\n**{}**, {how_often}.", event.level());
            assert!(page.contains(&begin), "docs/operations.md has no {begin:?}");
        }
    }
}
