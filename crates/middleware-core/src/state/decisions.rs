/// The decision of a request about the session as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Fate {
    #[default]
    Keep,
    /// The session goes on under a new id.
    Cycle,
    /// The session ends.
    Destroy,
}

impl Fate {
    /// Returns the decision that stays when a commit has taken the rest.
    pub(crate) const fn left_by_a_commit(self) -> Self {
        match self {
            Self::Destroy => Self::Destroy,
            Self::Keep | Self::Cycle => Self::Keep,
        }
    }
}

/// The action that a response takes about the session's cookie.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum CookieAction {
    /// The visitor keeps the cookie, or the lack of one.
    #[default]
    Keep,
    Send,
    Remove,
}

impl CookieAction {
    /// Adds the action of a later commit, which replaces the earlier one unless it is `Keep`.
    pub(crate) const fn advance(&mut self, next: Self) {
        if !matches!(next, Self::Keep) {
            *self = next;
        }
    }
}
