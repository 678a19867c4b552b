/// How far the commits of a request are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Progress {
    /// None is under way, and what the last one did is known.
    #[default]
    Idle,
    /// One is under way, or its future was dropped before it came to its end.
    Saving {
        /// It has something to save, which must not be saved a second time.
        is_essential: bool,
    },
    /// The last one had something to save, and nobody knows whether it was saved.
    OutcomeUnknown,
    /// The session has ended, by this request or by another one that this one has met.
    Ended,
}

impl Progress {
    /// Whether a commit is under way, or was dropped half-way.
    pub(crate) const fn is_saving(self) -> bool {
        matches!(self, Self::Saving { .. })
    }

    /// Whether what a commit had to save may have been saved without our knowledge.
    pub(crate) const fn is_unknown(self) -> bool {
        matches!(self, Self::Saving { is_essential: true } | Self::OutcomeUnknown)
    }

    /// What may or may not have been saved is not to be saved again.
    pub(crate) const fn forget(&mut self) {
        *self = match *self {
            Self::Saving { .. } => Self::Saving { is_essential: false },
            Self::Ended => Self::Ended,
            Self::Idle | Self::OutcomeUnknown => Self::Idle,
        }
    }
}
