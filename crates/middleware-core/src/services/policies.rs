use std::num::NonZeroUsize;

/// What a request gets that asks for its session while the store does not answer, or not in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum OnOutage {
    /// An error, which adapters answer with an empty 503. Nobody is taken for logged out who is not.
    #[default]
    Refuse,
    /// An empty session that [takes no changes](crate::Session::is_read_only), for sites whose pages are of use to
    /// visitors who are not logged in. What would change it, a login among that, fails with
    /// [`Unavailable`](crate::SessionErrorKind::Unavailable), and so does the answer to a request that destroys it. The
    /// visitor's cookie is not touched. To an extractor for an existing session there is none.
    EmptyReadOnly,
}

/// How many sessions each user may have, and what becomes of a login that would be one too many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SessionLimit {
    pub(crate) max: NonZeroUsize,
    pub(crate) at_limit: AtLimit,
}

/// What becomes of a login when the user has as many sessions as they may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AtLimit {
    /// It is refused, with [`TooManySessions`](SessionErrorKind::TooManySessions). The user has to log out elsewhere
    /// first, or wait for a session to expire.
    Refuse,
    /// It is let in, and the session with the oldest login ends.
    EndOldest,
}
