//! The uses of each public type: between threads, behind a pin, after a panic; and how large it is.

use std::error::Error;
use std::panic::{RefUnwindSafe, UnwindSafe};

use nexios_middleware_core::*;
use nexios_signer::{Key, KeyRing};
use nexios_store_memory::MemoryStore;

/// Each type is named once for each property. A new public type belongs in `public_types_are_send_and_sync`.
macro_rules! each {
    ($check:ident: $($type:ty),* $(,)?) => { $($check::<$type>();)* };
}

#[test]
fn public_types_are_send_and_sync() {
    const fn is_send_sync<T: Send + Sync + ?Sized + 'static>() {}
    each!(is_send_sync:
        AtLimit, Counters, Entry<Vec<u8>>, Event, ErrorAnswer, FailureBody, Fingerprint, Header,
        ManualClock, OnOutage, PlainHead, PrincipalTag, RequestEnd, RequestSession, Revocation, Session, SessionError,
        SessionErrorKind, SessionHandle, SessionHandleError, SessionManager, SessionManagerBuilder, SessionSettings,
        SignedCookieError, SignedCookieErrorKind, SignedCookies, SweepCounts, Sweeper, SystemClock, Timestamp,
        UserSession,
        dyn Clock, dyn Observer,
    );
}

/// The value's type may be neither; only its name is kept.
#[test]
fn an_entry_is_send_and_sync_whatever_its_value() {
    const fn is_send_sync<T: Send + Sync>() {}
    is_send_sync::<Entry<std::rc::Rc<std::cell::Cell<u8>>>>();
}

/// The end of a request is awaited by one task, which may move.
#[test]
fn an_ending_can_be_sent() {
    const fn is_send<T: Send + 'static>() {}
    is_send::<Ending>();
}

#[test]
fn public_types_are_unpin() {
    const fn is_unpin<T: Unpin>() {}
    each!(is_unpin:
        Counters, Ending, Entry<Vec<u8>>, ErrorAnswer, FailureBody, Fingerprint, ManualClock, Occurrence<'static>,
        PlainHead, RequestEnd, RequestSession, Session, SessionError, SessionHandle, SessionManager,
        SessionManagerBuilder, SessionSettings, SignedCookieError, SignedCookies, Sweeper, Timestamp, UserSession,
    );
}

/// Those that are values and hold no code of the application.
#[test]
fn values_are_unwind_safe() {
    const fn is_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}
    each!(is_unwind_safe:
        AtLimit, Counters, Entry<Vec<u8>>, Event, FailureBody, Fingerprint, Header, ManualClock, OnOutage, PlainHead,
        PrincipalTag, SessionErrorKind, SessionHandle, SessionHandleError, SessionSettings, SignedCookieError,
        SignedCookieErrorKind, SweepCounts, SystemClock, Timestamp, UserSession,
    );
}

#[test]
fn errors_are_errors_that_go_anywhere() {
    const fn is_error<T: Error + Clone + Send + Sync + 'static>() {}
    each!(is_error: SessionError, SessionHandleError, SignedCookieError);
    fn boxed(error: impl Error + Send + Sync + 'static) -> Box<dyn Error + Send + Sync> {
        error.into()
    }
    let error: Option<SessionHandleError> = "no handle".parse::<SessionHandle>().err();
    assert!(error.map(boxed).is_some());
}

#[test]
fn handles_on_something_shared_are_one_pointer() {
    const fn size<T>() -> usize {
        size_of::<Option<T>>()
    }
    const POINTER: usize = size_of::<usize>();
    assert_eq!(
        [
            size::<RequestSession>(),
            size::<Session>(),
            size::<SessionManager>(),
            size::<SignedCookies>(),
            size::<ErrorAnswer>()
        ],
        [POINTER; 5]
    );
}

#[test]
fn values_are_small() {
    assert_eq!(size_of::<Option<Event>>(), 1);
    assert_eq!((size_of::<Fingerprint>(), align_of::<Fingerprint>()), (6, 1));
    assert_eq!((size_of::<SessionHandle>(), size_of::<Timestamp>()), (16, 8));
    assert_eq!(size_of::<Entry<[u8; 1000]>>(), size_of::<&str>());
    // In every `Result` of a session's methods.
    assert!(size_of::<SessionError>() <= 72, "{}", size_of::<SessionError>());
    assert!(size_of::<Result<Option<String>, SessionError>>() <= 72);
    assert!(size_of::<Ending>() <= 32, "{}", size_of::<Ending>());
    assert!(size_of::<RequestEnd>() <= 128, "{}", size_of::<RequestEnd>());
    assert!(size_of::<Occurrence<'_>>() <= 128, "{}", size_of::<Occurrence<'_>>());
}

/// The types that neither of the tests above names.
#[test]
fn other_types_have_their_known_size() {
    let sizes = [
        ("AtLimit", size_of::<AtLimit>(), 1),
        ("Counters", size_of::<Counters>(), 512),
        ("FailureBody", size_of::<FailureBody>(), 56),
        ("Header", size_of::<Header>(), 1),
        ("ManualClock", size_of::<ManualClock>(), 8),
        ("OnOutage", size_of::<OnOutage>(), 1),
        ("PlainHead", size_of::<PlainHead>(), 32),
        ("PrincipalTag", size_of::<PrincipalTag>(), 32),
        ("Revocation", size_of::<Revocation>(), 16),
        ("SessionErrorKind", size_of::<SessionErrorKind>(), 1),
        ("SessionHandleError", size_of::<SessionHandleError>(), 0),
        ("SessionManagerBuilder", size_of::<SessionManagerBuilder>(), 400),
        ("SessionSettings", size_of::<SessionSettings>(), 88),
        ("SignedCookieError", size_of::<SignedCookieError>(), 56),
        ("SignedCookieErrorKind", size_of::<SignedCookieErrorKind>(), 1),
        ("SweepCounts", size_of::<SweepCounts>(), 24),
        ("Sweeper", size_of::<Sweeper>(), 32),
        ("SystemClock", size_of::<SystemClock>(), 0),
        ("UserSession", size_of::<UserSession>(), 80),
    ];
    let grown: Vec<_> = sizes.iter().filter(|(_, size, known)| size != known).collect();
    assert!(grown.is_empty(), "{grown:?}");
}

/// Handlers are spawned on runtimes of several threads.
#[test]
fn futures_of_a_session_can_be_sent() -> Result<(), Box<dyn Error>> {
    const fn is_send<T: Send>(_: &T) {}
    let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
    let request = manager.request([b"theme=dark"]);
    is_send(&request.session());
    is_send(&request.existing_session());
    is_send(&request.end(200));
    is_send(&manager.sessions_of("ada"));
    is_send(&manager.revoke("ada", "00000000000000000000000000000000".parse()?));
    is_send(&manager.revoke_all("ada"));
    is_send(&manager.revoke_others("ada", "00000000000000000000000000000000".parse()?));
    is_send(&manager.sweep());
    fn save_is_send(session: &Session) {
        is_send(&session.save());
        is_send(&session.reload());
        is_send(&session.ended());
    }
    fn stop_is_send(sweeper: Sweeper) {
        is_send(&sweeper.stop());
    }
    let _ = (save_is_send as fn(&Session), stop_is_send as fn(Sweeper));
    Ok(())
}
