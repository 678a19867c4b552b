//! As long as a retired key is in use, the operator hears of it.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod common;

use std::fmt::{Debug, Write as _};
use std::sync::{Arc, Mutex};

use common::{NEW, OLD, Records, created, id, record};
use nexios_store_core::{Record, SessionStore, Timestamp};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Metadata, Subscriber, span};

#[tokio::test]
async fn a_retired_key_in_use_is_reported_once_a_minute() {
    let log = Log::default();
    let _guard = tracing::subscriber::set_default(log.clone());
    let records = Records::default();
    let lasting = |payload: &str| Record { expires_at: Timestamp::MAX, ..record(payload) };
    created(&records.store(&[OLD]), &id(0xc5), &lasting("hush-hush")).await;
    created(&records.store(&[NEW]), &id(2), &lasting("hush-hush")).await;
    // A process that puts the old key first, and writes the record again and again.
    let late = records.store(&[OLD, NEW]);

    let store = records.store(&[NEW, OLD]);
    let told = async |number: u8, second: u64| {
        let now = Timestamp::from_unix_millis(second * 1_000);
        assert!(store.load(&id(number), now).await.unwrap().is_some());
        let told = std::mem::take(&mut *log.0.lock().unwrap());
        if number == 0xc5 {
            assert!(late.load(&id(number), now).await.unwrap().is_some());
        }
        log.0.lock().unwrap().clear();
        told
    };
    assert_eq!(told(2, 1_000).await, "", "the first key is no news");
    let first = told(0xc5, 1_000).await;
    assert!(first.starts_with("INFO message: a session record was opened that a retired key"), "{first}");
    assert!(first.ends_with(" last_used: 1000000"), "{first}");
    // The key is in use all the time, so there must be more events than the first.
    for second in [1_001, 1_030, 1_059] {
        assert_eq!(told(0xc5, second).await, "", "second {second}");
    }
    assert!(told(0xc5, 1_060).await.contains("last_used: 1060000"));
    assert_eq!(told(0xc5, 1_061).await, "");
    assert!(told(0xc5, 900).await.contains("last_used: 900000"), "the clock was set back");
    assert_eq!(told(0xc5, 901).await, "");
    let last = told(0xc5, 5_000).await;
    assert!(last.contains("last_used: 5000000"));
    for secret in ["c5c5", "197", "hush", NEW, OLD] {
        assert!(!last.contains(secret), "{secret} in {last}");
    }
    assert_eq!(told(0xc5, 0).await, "", "a look at no time in particular is no news, and no clock that was set back");
    assert_eq!(told(0xc5, 5_001).await, "");
    assert!(store.load(&id(9), Timestamp::from_unix_millis(9_000_000)).await.unwrap().is_none());
    assert_eq!(*log.0.lock().unwrap(), "", "what is not there is not news either");
}

/// A subscriber that keeps the text of events.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() <= Level::INFO && metadata.target().starts_with("nexios")
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut log = self.0.lock().unwrap();
        write!(log, "{}", event.metadata().level()).unwrap();
        event.record(&mut Line(&mut log));
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

struct Line<'a>(&'a mut String);

impl Visit for Line<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        write!(self.0, " {field}: {value:?}").unwrap();
    }
}
