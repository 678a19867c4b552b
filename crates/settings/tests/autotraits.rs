//! Threads can send and share each public type; and how large it is.

use std::error::Error;
use std::time::Duration;

use nexios_settings::*;

#[test]
fn public_types_are_send_and_sync() {
    const fn is_send_sync<T: Send + Sync + 'static>() {}
    is_send_sync::<ByteSize>();
    is_send_sync::<OrNone<Duration>>();
    is_send_sync::<SettingError>();
    is_send_sync::<Vars>();
}

#[test]
fn the_error_is_an_error() {
    const fn is_error<T: Error>() {}
    is_error::<SettingError>();
}

#[test]
fn public_types_have_their_known_size() {
    let sizes = [
        ("ByteSize", size_of::<ByteSize>(), 8),
        ("OrNone", size_of::<OrNone<Duration>>(), 16),
        ("SettingError", size_of::<SettingError>(), 48),
        ("Vars", size_of::<Vars>(), 32),
    ];
    let changed: Vec<_> = sizes.iter().filter(|(_, size, known)| size != known).collect();
    assert!(changed.is_empty(), "{changed:?}");
}
