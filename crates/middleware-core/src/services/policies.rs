use std::num::NonZeroUsize;

use nexios_settings::Setting;

/// The choice of what a request gets if it asks for its session while the store does not answer, or not in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnOutage {
    /// The request gets an error, which adapters answer with an empty 503. So nobody who is logged in is treated as
    /// logged out.
    #[default]
    Refuse,
    /// The request gets an empty session that [takes no changes](crate::Session::is_read_only).
    ///
    /// Choose it for sites whose pages are of use to visitors who are not logged in. A change to such a session, a
    /// login included, fails with [`Unavailable`](crate::SessionErrorKind::Unavailable). So does the answer to a
    /// request that destroys it. The visitor's cookie is not touched. An extractor for an existing session finds none.
    EmptyReadOnly,
}

/// The number of sessions that each user may have, and the choice of what becomes of a login that would be one too
/// many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionLimit {
    pub(crate) max: NonZeroUsize,
    pub(crate) at_limit: AtLimit,
}

/// The choice of what becomes of a login if the user has as many sessions as they may have.
///
/// As a setting, it is `refuse` or `end-oldest`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AtLimit {
    /// The login is refused with [`TooManySessions`](crate::SessionErrorKind::TooManySessions). The user has to log out
    /// elsewhere first, or wait for a session to expire.
    Refuse,
    /// The login succeeds, and the session with the oldest login ends.
    #[default]
    EndOldest,
}

impl Setting for AtLimit {
    const ALLOWED: &'static str = "end-oldest or refuse";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "end-oldest" => Some(Self::EndOldest),
            "refuse" => Some(Self::Refuse),
            _ => None,
        }
    }
}
