use std::sync::Arc;

use nexios_signer::SignedBy;
use nexios_store_core::SessionId;

use crate::records::Snapshot;

/// The facts about a session: its snapshot, its opener, and what is due because of the two.
///
/// Nothing here is a decision of the request. It changes when the session is loaded, and by the results of commits.
pub(crate) struct Known {
    /// The session as the store had it last; `None` if it was not saved yet, or this request has ended it.
    pub(crate) snapshot: Option<Arc<Snapshot>>,
    pub(crate) opener: Opener,
    /// The key that has tagged the session's user in the record.
    pub(crate) tagged_by: SignedBy,
    /// The request came with a cookie of our name, whatever was in it.
    pub(crate) cookie_received: bool,
    /// The store did not answer. There may be a session, which must be neither changed nor ended unseen.
    pub(crate) is_outage: bool,
}

/// The thing that has opened the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opener {
    /// Nothing that could be sent again as it is.
    Nothing,
    /// The request's cookie at this place among the candidates. The first key has signed it for this id.
    Cookie { place: usize, id: SessionId },
    /// A cookie that a retired key has signed. It is to be issued anew.
    RetiredCookie,
    /// Nothing: the session has moved from this id to another one.
    Moved(SessionId),
}

impl Known {
    /// Returns the facts about a visitor who has no session.
    pub(crate) fn nothing(cookie_received: bool) -> Self {
        Self { cookie_received, ..Self::default() }
    }

    /// Returns the facts about a visitor whose session has moved from this id to another one.
    pub(crate) fn moved(from: SessionId) -> Self {
        Self { opener: Opener::Moved(from), ..Self::nothing(true) }
    }

    /// Returns the id by which the request named a session that has moved to another one.
    pub(crate) fn former_id(&self) -> Option<SessionId> {
        match self.opener {
            Opener::Moved(from) => Some(from),
            _ => None,
        }
    }

    /// Returns the facts in an outage of the store.
    pub(crate) fn outage() -> Self {
        Self { is_outage: true, ..Self::default() }
    }

    /// Takes in that a commit has written the session. It was written under the first key, whichever key its record and
    /// cookie had before.
    pub(crate) fn written(&mut self, snapshot: Arc<Snapshot>) {
        self.snapshot = Some(snapshot);
        self.tagged_by = SignedBy::First;
        if matches!(self.opener, Opener::RetiredCookie | Opener::Moved(_)) {
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
