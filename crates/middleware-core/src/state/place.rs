use std::sync::Arc;

use crate::client_side::cookie_slot::CookieSlot;
use crate::services::Services;

/// The place where a request's session is kept.
pub(crate) enum Place {
    /// In the store of all sessions.
    Store,
    /// In the visitor's cookie, which serves as a store for one record while the request lasts.
    Cookie(Box<CookieSlot>),
}

impl Place {
    pub(crate) fn of(services: &Services) -> Self {
        match &services.client_side {
            None => Self::Store,
            Some(sealer) => Self::Cookie(Box::new(CookieSlot::new(Arc::clone(sealer)))),
        }
    }

    /// Returns whether everything that is saved must be sent to the visitor, or is lost.
    pub(crate) const fn is_cookie(&self) -> bool {
        matches!(self, Self::Cookie(_))
    }
}
