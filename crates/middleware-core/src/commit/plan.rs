//! The plan of a commit, decided by a pure function from what is known.

use crate::state::decisions::{CookieAction, Fate};

/// The facts about a session that is to be committed.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Situation {
    /// The store has a record of the session.
    pub(crate) stored: bool,
    /// Cookies of the request verify, although they opened nothing. Asked only if a session is to end that is not
    /// stored.
    pub(crate) names_others: bool,
    /// A cookie of the request named a session that has moved to another id.
    pub(crate) moved: bool,
    /// A value was taken once from a session that somebody else has ended since.
    pub(crate) took_what_ended: bool,
    /// A user logs in.
    pub(crate) logs_in: bool,
    /// Values, own settings or the principal were changed since the record was read or written.
    pub(crate) changed: bool,
    /// There is something to keep: a value, or a principal.
    pub(crate) has_content: bool,
    pub(crate) fate: Fate,
    /// The expiry is to be moved.
    pub(crate) touch_due: bool,
    /// The record is to be written again for a reason of its own: an old key, or an old idle timeout.
    pub(crate) rewrite_due: bool,
    /// The visitor's cookie is not the one that we would send today: an old key has signed it.
    pub(crate) reissue_due: bool,
    /// The cookie has a lifetime of its own, which is to follow that of the session.
    pub(crate) persistent: bool,
    /// The session has just chosen between a persistent cookie and one that ends with the browser.
    pub(crate) persistence_changed: bool,
    /// The request came with a cookie of our name, whatever was in it.
    pub(crate) cookie_received: bool,
    /// The cookie holds the session itself.
    pub(crate) in_cookie: bool,
}

/// The plan of a commit: at most one write to the store, and at most one cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) action: Action,
    pub(crate) cookie: CookieAction,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    Nothing,
    Touch,
    Create,
    Update,
    Rename,
    Destroy,
    /// The changes are dropped: they are for a session that somebody else has ended or moved.
    Drop,
}

impl Plan {
    pub(crate) fn for_situation(situation: Situation) -> Self {
        let action = action(situation);
        Self { action, cookie: cookie(action, situation) }
    }
}

impl Action {
    /// Returns whether the request fails if the action does. A visitor can do without a moved expiry, but not without a
    /// logout.
    pub(crate) const fn is_essential(self, changed: bool) -> bool {
        match self {
            Self::Nothing | Self::Touch => false,
            Self::Update => changed,
            Self::Create | Self::Rename | Self::Destroy | Self::Drop => true,
        }
    }
}

fn action(situation: Situation) -> Action {
    match (situation.fate, situation.stored) {
        // What only seems expired must not come back when a clock or a setting does.
        (Fate::Destroy, stored) if stored || situation.names_others => Action::Destroy,
        (Fate::Destroy, _) => Action::Nothing,
        // The cookie of a new session would replace that of the session that has moved.
        (Fate::Keep | Fate::Cycle, false) if situation.moved && situation.has_content && !situation.logs_in => {
            Action::Drop
        }
        (Fate::Keep | Fate::Cycle, false) if situation.took_what_ended => Action::Drop,
        // A new session gets a new id in any case, so there is none to cycle.
        (Fate::Keep | Fate::Cycle, false) if situation.has_content => Action::Create,
        (Fate::Keep | Fate::Cycle, false) => Action::Nothing,
        (Fate::Cycle, true) => Action::Rename,
        (Fate::Keep, true) if situation.changed || situation.rewrite_due || situation.reissue_due => Action::Update,
        (Fate::Keep, true) if situation.touch_due => Action::Touch,
        (Fate::Keep, true) => Action::Nothing,
    }
}

fn cookie(action: Action, situation: Situation) -> CookieAction {
    let send_if = |condition| if condition { CookieAction::Send } else { CookieAction::Keep };
    match action {
        // A visitor without a session who logs out may still hold a cookie that opens nothing.
        Action::Nothing | Action::Destroy if situation.fate == Fate::Destroy => {
            if situation.cookie_received {
                CookieAction::Remove
            } else {
                CookieAction::Keep
            }
        }
        Action::Nothing | Action::Destroy | Action::Drop => CookieAction::Keep,
        Action::Create | Action::Rename => CookieAction::Send,
        Action::Update | Action::Touch if situation.in_cookie => CookieAction::Send,
        Action::Update => send_if(situation.persistent || situation.reissue_due || situation.persistence_changed),
        Action::Touch => send_if(situation.persistent),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Action::{Create, Destroy, Drop, Nothing, Rename, Touch, Update};
    use CookieAction::{Keep, Remove, Send};

    const NEW: Situation = Situation {
        stored: false,
        names_others: false,
        moved: false,
        took_what_ended: false,
        logs_in: false,
        changed: false,
        has_content: false,
        fate: Fate::Keep,
        touch_due: false,
        rewrite_due: false,
        reissue_due: false,
        persistent: true,
        persistence_changed: false,
        cookie_received: false,
        in_cookie: false,
    };
    const MOVED: Situation = Situation { moved: true, cookie_received: true, ..NEW };
    const STORED: Situation = Situation { stored: true, has_content: true, cookie_received: true, ..NEW };

    /// The table of docs/lifecycle.md, row by row.
    #[test]
    fn the_plan_table() {
        for (row, situation, action, cookie) in [
            ("a visitor who writes nothing", NEW, Nothing, Keep),
            (
                "a visitor with a stale cookie who writes nothing",
                Situation { cookie_received: true, ..NEW },
                Nothing,
                Keep,
            ),
            ("a first value", Situation { changed: true, has_content: true, ..NEW }, Create, Send),
            ("a first value, taken back", Situation { changed: true, ..NEW }, Nothing, Keep),
            (
                "login without a session",
                Situation { changed: true, has_content: true, fate: Fate::Cycle, ..NEW },
                Create,
                Send,
            ),
            ("cycle without a session", Situation { fate: Fate::Cycle, ..NEW }, Nothing, Keep),
            ("logout without session or cookie", Situation { fate: Fate::Destroy, ..NEW }, Nothing, Keep),
            (
                "logout with a stale cookie",
                Situation { fate: Fate::Destroy, cookie_received: true, ..NEW },
                Nothing,
                Remove,
            ),
            (
                "logout with a cookie whose session has expired",
                Situation { fate: Fate::Destroy, cookie_received: true, names_others: true, ..NEW },
                Destroy,
                Remove,
            ),
            ("reading under the id that the session had before", MOVED, Nothing, Keep),
            ("writing under it", Situation { changed: true, has_content: true, ..MOVED }, Drop, Keep),
            (
                "login under it",
                Situation { changed: true, has_content: true, logs_in: true, fate: Fate::Cycle, ..MOVED },
                Create,
                Send,
            ),
            ("logout under it", Situation { fate: Fate::Destroy, names_others: true, ..MOVED }, Destroy, Remove),
            (
                "a `take_once` from a session that has ended",
                Situation { changed: true, took_what_ended: true, ..NEW },
                Drop,
                Keep,
            ),
            ("reading", STORED, Nothing, Keep),
            ("reading, a ration later", Situation { touch_due: true, ..STORED }, Touch, Send),
            (
                "the same, cookie of the browser session",
                Situation { touch_due: true, persistent: false, ..STORED },
                Touch,
                Keep,
            ),
            ("writing", Situation { changed: true, ..STORED }, Update, Send),
            ("writing, a ration later", Situation { changed: true, touch_due: true, ..STORED }, Update, Send),
            (
                "writing, cookie of the browser session",
                Situation { changed: true, persistent: false, ..STORED },
                Update,
                Keep,
            ),
            (
                "writing into a session that its cookie holds",
                Situation { changed: true, persistent: false, in_cookie: true, ..STORED },
                Update,
                Send,
            ),
            (
                "reading it, a ration later",
                Situation { touch_due: true, persistent: false, in_cookie: true, ..STORED },
                Touch,
                Send,
            ),
            ("removing the last value", Situation { changed: true, has_content: false, ..STORED }, Update, Send),
            (
                "forget me",
                Situation { changed: true, persistent: false, persistence_changed: true, ..STORED },
                Update,
                Send,
            ),
            ("reading, under an old key", Situation { reissue_due: true, ..STORED }, Update, Send),
            (
                "the same, cookie of the browser session",
                Situation { reissue_due: true, persistent: false, ..STORED },
                Update,
                Send,
            ),
            ("reading, after a change of settings", Situation { rewrite_due: true, ..STORED }, Update, Send),
            ("cycle", Situation { fate: Fate::Cycle, ..STORED }, Rename, Send),
            (
                "cycle and write",
                Situation { fate: Fate::Cycle, changed: true, persistent: false, ..STORED },
                Rename,
                Send,
            ),
            ("logout", Situation { fate: Fate::Destroy, ..STORED }, Destroy, Remove),
            ("logout after writing", Situation { fate: Fate::Destroy, changed: true, ..STORED }, Destroy, Remove),
            (
                "logout of a session made by this request",
                Situation { fate: Fate::Destroy, cookie_received: false, ..STORED },
                Destroy,
                Keep,
            ),
        ] {
            assert_eq!(Plan::for_situation(situation), Plan { action, cookie }, "{row}");
        }
    }

    #[test]
    fn a_request_fails_only_if_essential_work_does() {
        for (action, changed, essential) in [
            (Nothing, true, false),
            (Touch, false, false),
            (Update, false, false),
            (Update, true, true),
            (Create, true, true),
            (Rename, false, true),
            (Destroy, false, true),
            (Drop, true, true),
        ] {
            assert_eq!(action.is_essential(changed), essential, "{action:?}, changed: {changed}");
        }
    }
}
