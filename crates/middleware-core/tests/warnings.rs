//! Warnings and errors at the start.
#![allow(clippy::unwrap_used)]

mod site;

use nexios_cookie_config::CookieConfig;
use nexios_middleware_core::SessionManager;
use nexios_signer::{Key, KeyRing};
use nexios_store_memory::MemoryStore;
use site::Log;
use tracing::Level;

fn log_of(cookie: CookieConfig) -> String {
    let log = Log::of_level(Level::INFO);
    let keys = KeyRing::new(Key::generate().unwrap());
    let _manager = SessionManager::builder(MemoryStore::new()).keys(keys).cookie(cookie).build().unwrap();
    log.text()
}

#[test]
fn starting_without_secure_logs_one_warning() {
    let log = log_of(CookieConfig::default());
    assert_eq!((log.lines().count(), log.matches("SESSION_COOKIE_SECURE=true").count()), (1, 1), "{log}");
    assert_eq!(log_of(CookieConfig::strict().build().unwrap()), "");
}

#[test]
fn a_manager_without_keys_cannot_be_built() {
    let error = SessionManager::builder(MemoryStore::new()).build().unwrap_err();
    assert_eq!(error.to_string(), "SessionManager has no keys to sign with");
}

#[test]
fn a_touch_fraction_out_of_bounds_is_refused() {
    for fraction in [-0.1, 0.6, f64::NAN] {
        let builder = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate().unwrap()));
        let error = builder.touch_fraction(fraction).build().unwrap_err();
        assert!(error.to_string().starts_with("touch_fraction is `"), "{error}");
    }
}
