//! The common part of our two applications.

use nexios_middleware_core::{Session, SessionError, SessionManager};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::SessionStore;

use crate::payload::{Size, entries};

pub(crate) fn manager(store: impl SessionStore) -> SessionManager {
    let keys = KeyRing::new(Key::generate().expect("random bytes"));
    SessionManager::builder(store).keys(keys).build().expect("settings that are in order")
}

pub(crate) fn seed(session: &Session, size: Size) -> Result<&'static str, SessionError> {
    for (key, value) in entries(size) {
        session.insert(key, &value)?;
    }
    Ok("seeded")
}
