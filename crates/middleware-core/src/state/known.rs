use std::sync::Arc;

use nexios_signer::SignedBy;
use nexios_store_core::SessionId;

use crate::records::Snapshot;

/// What is known of a session: its snapshot, what has opened it, and what is due because of that. Nothing here is the
/// request's decision; it changes when the session is loaded, and by what a commit has brought back.
pub(crate) struct Known {
    /// What the store has; `None` for a session that was not saved yet, or that has ended.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    pub(crate) opener: Opener,
    /// Which key has tagged the session's user in the record.
    pub(crate) tagged_by: SignedBy,
    /// The request came with a cookie of our name, whatever was in it.
    pub(crate) cookie_received: bool,
    /// The store did not answer: there may be a session, which must be neither changed nor ended without knowing it.
    pub(crate) is_outage: bool,
}

/// What has opened the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// Nothing that could be sent again as it is.
    Nothing,
    /// The request's cookie at this place among the candidates, which the first key has signed for this id.
    Cookie { place: usize, id: SessionId },
    /// A cookie of a retired key, which is to be issued anew.
    RetiredCookie,
}

impl Known {
    /// What is known of a visitor who has no session.
    pub(crate) fn nothing(cookie_received: bool) -> Self {
        Self { cookie_received, ..Self::default() }
    }

    /// What is known in an outage of the store.
    pub(crate) fn outage() -> Self {
        Self { is_outage: true, ..Self::default() }
    }

    /// Whether a key other than the first has signed the cookie or tagged the record.
    pub(crate) fn uses_retired_key(&self) -> bool {
        self.opener == Opener::RetiredCookie || self.tagged_by.is_retired()
    }

    /// A commit has written the session: by the first key, whatever key its record and cookie had before.
    pub(crate) fn written(&mut self, snapshot: Arc<Snapshot>) {
        self.snapshot = Some(snapshot);
        self.tagged_by = SignedBy::First;
        if self.opener == Opener::RetiredCookie {
            self.opener = Opener::Nothing;
        }
    }
}

impl Default for Known {
    fn default() -> Self {
        Self {
            snapshot: None,
            opener: Opener::Nothing,
            tagged_by: SignedBy::First,
            cookie_received: false,
            is_outage: false,
        }
    }
}
