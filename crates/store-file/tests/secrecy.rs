//! Nothing that is shown or logged has an id, a payload or a path below the session directory in it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::sync::{Arc, Mutex};

use common::{NOW, Sessions, at, hex, record};
use nexios_store_core::{Revision, SessionId, SessionStore, StoreError};
use nexios_store_file::{Durability, FileStore};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// A subscriber that keeps the text of all events.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        event.record(&mut Line(&mut self.0.lock().unwrap()));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        writeln!(self.0, "{field}: {value:?}").unwrap();
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        writeln!(self.0, "{field}: {} {value:?}", chain(value)).unwrap();
    }
}

fn chain(error: &dyn Error) -> String {
    let source = error.source().map(|source| format!(": {}", chain(source))).unwrap_or_default();
    format!("{error}{source}")
}

#[test]
fn errors_and_events_show_neither_ids_nor_paths() {
    let log = Log::default();
    tracing::subscriber::set_global_default(log.clone()).unwrap();
    let runtime = tokio::runtime::Builder::new_multi_thread().build().unwrap();
    let shown = runtime.block_on(all_that_is_shown());
    let events = log.0.lock().unwrap().clone();
    assert!(events.contains("a session file could not be swept"), "{events}");
    assert!(events.contains("what has the record's name is not a regular file"), "the sweep is silent: {events}");

    for text in [&shown, &events] {
        for secret in [&hex(&ID), &hex(&OTHER), "c0ffee", "5ec2e7", "c0/", "5e/", "192, 255, 238", "hush", "\\xc0"] {
            assert!(!text.contains(secret), "{secret} in:\n{text}");
        }
    }
    for expected in [
        "session record is corrupt: no slot of the record is whole",
        "session store is unavailable: what has the record's name is not a regular file of our own with one link",
        "session store is unavailable: opening a session record: Not a directory (os error 20)",
        "session store is unavailable: the session directory was removed",
    ] {
        assert!(shown.contains(expected), "no `{expected}` in:\n{shown}");
    }
}

async fn all_that_is_shown() -> String {
    let mut shown = String::new();
    let mut show = |error: StoreError| writeln!(shown, "{} {error:?} {error:#?}", chain(&error)).unwrap();

    let sessions = Sessions::new(Durability::Fast);
    sessions.plant(&ID, b"hush");
    every_error(&sessions.store, &mut show).await;
    fs::remove_file(sessions.path(&ID)).unwrap();
    fs::create_dir(sessions.path(&ID)).unwrap();
    every_error(&sessions.store, &mut show).await;
    fs::remove_dir_all(sessions.path(&ID).parent().unwrap()).unwrap();
    fs::write(sessions.path(&ID).parent().unwrap(), "a file where a directory should be").unwrap();
    every_error(&sessions.store, &mut show).await;
    fs::remove_dir_all(sessions.dir()).unwrap();
    every_error(&sessions.store, &mut show).await;
    writeln!(shown, "{:?} {:#?}", sessions.store, FileStore::builder("sessions")).unwrap();
    shown
}

async fn every_error(store: &FileStore, show: &mut impl FnMut(StoreError)) {
    let hush = record("hush");
    let revision = Revision::new(1);
    store.load(&ID, NOW).await.map_or_else(&mut *show, drop);
    store.create(&ID, &hush, NOW).await.map_or_else(&mut *show, drop);
    store.update(&ID, revision, &hush, NOW).await.map_or_else(&mut *show, drop);
    store.touch(&ID, revision, at(9_000_000), NOW).await.map_or_else(&mut *show, drop);
    store.rename(&ID, revision, &OTHER, &hush, NOW).await.map_or_else(&mut *show, drop);
    store.expiry().unwrap().delete_expired(NOW, 9.try_into().unwrap()).await.map_or_else(&mut *show, drop);
}

const ID: SessionId = SessionId::from_bytes(*b"\xc0\xff\xee\xc0\xff\xee\xc0\xff\xee\xc0\xff\xee\xc0\xff\xee\xc0");
const OTHER: SessionId = SessionId::from_bytes(*b"\x5e\xc2\xe7\x5e\xc2\xe7\x5e\xc2\xe7\x5e\xc2\xe7\x5e\xc2\xe7\x5e");
