use std::sync::Arc;

use crate::client_side::cookie_slot::CookieSlot;
use crate::services::Services;

/// Where a request's session is kept.
pub(crate) enum Place {
    /// In the store of all sessions.
    Store,
    /// In the visitor's cookie, which is a store for one record as long as the request lasts.
    Cookie(Arc<CookieSlot>),
}

impl Place {
    pub(crate) fn of(services: &Services) -> Self {
        match &services.client_side {
            None => Self::Store,
            Some(sealer) => Self::Cookie(Arc::new(CookieSlot::new(Arc::clone(sealer)))),
        }
    }

    /// Whether all that is saved must be sent to the visitor, or comes to nothing.
    pub(crate) const fn is_cookie(&self) -> bool {
        matches!(self, Self::Cookie(_))
    }
}
