/// The progress of a request's commits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// No commit is under way, and the result of the last one is known.
    #[default]
    Idle,
    /// A commit is under way, or its future was dropped before it was done.
    Saving {
        /// The commit has something to save, which must not be saved a second time.
        is_essential: bool,
    },
    /// The last commit had something to save, and it is not known whether it was saved.
    OutcomeUnknown,
    /// Another request has ended the session, as a commit has found.
    Ended,
}

impl Progress {
    /// Returns whether a commit is under way, or was dropped half-way.
    pub(crate) const fn is_saving(self) -> bool {
        matches!(self, Self::Saving { .. })
    }

    /// Returns whether a commit may have saved something without our knowledge.
    pub(crate) const fn is_unknown(self) -> bool {
        matches!(self, Self::Saving { is_essential: true } | Self::OutcomeUnknown)
    }

    /// Forgets what may or may not have been saved: it is not to be saved again.
    pub(crate) const fn forget(&mut self) {
        *self = match *self {
            Self::Saving { .. } => Self::Saving { is_essential: false },
            Self::Ended => Self::Ended,
            Self::Idle | Self::OutcomeUnknown => Self::Idle,
        }
    }
}
