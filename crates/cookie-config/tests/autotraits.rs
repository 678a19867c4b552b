//! Each public type can be sent to and shared between threads, and the error types are errors.

use std::error::Error;

use nexios_cookie_config::*;

#[test]
fn public_types_are_send_and_sync() {
    const fn is_send_sync<T: Send + Sync + 'static>() {}
    is_send_sync::<CookieConfig>();
    is_send_sync::<CookieConfigBuilder>();
    is_send_sync::<CookieConfigError>();
    is_send_sync::<CookieError>();
    is_send_sync::<Lifetime>();
    is_send_sync::<SameSite>();
}

#[test]
fn candidates_can_be_sent() {
    const fn is_send<T: Send>(_: &T) {}
    is_send(&CookieConfig::default().candidates(b""));
}

#[test]
fn errors_are_errors() {
    const fn is_error<T: Error>() {}
    is_error::<CookieConfigError>();
    is_error::<CookieError>();
}

#[test]
fn public_types_have_their_known_size() {
    let sizes = [
        ("CookieConfigBuilder", size_of::<CookieConfigBuilder>(), 80),
        ("CookieConfig", size_of::<CookieConfig>(), 104),
        ("CookieConfigError", size_of::<CookieConfigError>(), 48),
        ("CookieError", size_of::<CookieError>(), 40),
        ("Lifetime", size_of::<Lifetime>(), 16),
        ("SameSite", size_of::<SameSite>(), 1),
    ];
    let changed: Vec<_> = sizes.iter().filter(|(_, size, known)| size != known).collect();
    assert!(changed.is_empty(), "{changed:?}");
}
