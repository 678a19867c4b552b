//! The cost of the parts of a request: its payload, its plan, its session.
//!
//! ```console
//! $ cargo bench -p nexios-middleware-core
//! ```

#![allow(clippy::panic, clippy::unwrap_used, reason = "a measurement stops when anything fails")]
#![allow(dead_code, unreachable_pub, unused_imports, reason = "the parts that are compiled here have more to them")]

// These modules have no public interface, and need none: they are compiled a second time here.
#[path = "../src/commit"]
mod commit {
    pub mod plan;
}
#[path = "../src/state"]
mod state {
    pub mod decisions;
}
#[path = "../src/format"]
mod format {
    pub mod extensions;
    pub mod handle;
    pub mod packed;
    pub mod payload;
    pub mod values;
}

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{BenchmarkId, Criterion};
use nexios_middleware_core::{Header, PlainHead, Session, SessionManager};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::Timestamp;
use nexios_store_memory::MemoryStore;
use serde_json::{Value, json};
use tokio::runtime::Runtime;

use crate::commit::plan::{Action, Plan, Situation};
use crate::format::extensions::Extensions;
use crate::format::handle::SessionHandle;
use crate::format::payload::{self, Content, Envelope, Overrides};
use crate::format::values::Values;

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    payload_and_values(&mut criterion);
    plan(&mut criterion);
    session(&mut criterion);
    criterion.final_summary();
}

/// Returns the values of a session as an application may have it: 306 or 4 059 bytes as JSON.
fn entries(size: &str) -> Vec<(&'static str, Value)> {
    let (items, note_len) = if size == "300 B" { (2, 81) } else { (47, 369) };
    let item = |number| json!({ "sku": format!("SKU-{number:06}"), "name": "a thing of some kind", "quantity": 1, "cents": 1999 });
    vec![
        ("user", json!("ada@example.org")),
        ("theme", json!("dark")),
        ("visits", json!(7)),
        ("note", json!("n".repeat(note_len))),
        ("cart", (0..items).map(item).collect()),
    ]
}

const SIZES: [&str; 2] = ["300 B", "4 KB"];

fn payload_and_values(criterion: &mut Criterion) {
    let envelope = Envelope {
        created_at: Timestamp::from_unix_millis(1_780_000_000_000),
        authenticated_at: Timestamp::from_unix_millis(1_780_000_000_000),
        idle_timeout: Duration::from_secs(1_209_600),
        overrides: Overrides::default(),
        handle: SessionHandle::from_bytes([7; 16]),
        principal: Some("ada".into()),
        extensions: Extensions::default(),
    };
    for size in SIZES {
        let encoded = |value: &Value| rmp_serde::to_vec_named(value).unwrap().into();
        let values: Values = entries(size).iter().map(|(key, value)| (*key, encoded(value))).collect();
        let payload: Bytes = payload::encode(&envelope, &values).unwrap();
        let Content::Session(decoded, mut changed) = payload::decode(&payload).unwrap() else {
            panic!("the payload is that of a session")
        };
        assert!((&decoded, &changed) == (&envelope, &values));
        changed.insert("visits", encoded(&json!(8)));
        for (name, values) in [("payload/encode new values", values), ("payload/encode one change", changed)] {
            criterion.bench_with_input(BenchmarkId::new(name, size), &values, |bencher, values| {
                bencher.iter(|| payload::encode(&envelope, black_box(values)).unwrap());
            });
        }
        criterion.bench_with_input(BenchmarkId::new("payload/decode", size), &payload, |bencher, payload| {
            bencher.iter(|| payload::decode(black_box(payload)).unwrap());
        });
    }
}

fn plan(criterion: &mut Criterion) {
    let situation =
        Situation { stored: true, changed: true, has_content: true, persistent: true, ..Situation::default() };
    assert_eq!(Plan::for_situation(situation).action, Action::Update);
    criterion.bench_function("plan", |bencher| bencher.iter(|| Plan::for_situation(black_box(situation))));
}

fn session(criterion: &mut Criterion) {
    let runtime = Runtime::new().unwrap();
    let manager =
        SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate().unwrap())).build().unwrap();
    for size in SIZES {
        let cookie = runtime.block_on(seeded(&manager, size));
        let load = async || manager.request([&cookie]).session().await.unwrap();
        let session: Session = runtime.block_on(load());
        assert_eq!(session.get("visits").unwrap(), Some(7));
        criterion.bench_function(&format!("session/find and load/{size}"), |bencher| {
            bencher.iter(|| runtime.block_on(load()));
        });
        criterion.bench_function(&format!("session/get one key/{size}"), |bencher| {
            bencher.iter(|| session.get::<u64>(black_box("visits")).unwrap());
        });
        criterion.bench_function(&format!("session/insert one key/{size}"), |bencher| {
            bencher.iter(|| session.insert(black_box("visits"), &8).unwrap());
        });
    }
}

/// Saves a session with these values, and returns its cookie.
async fn seeded(manager: &SessionManager, size: &str) -> String {
    let request = manager.request([b""]);
    let session = request.session().await.unwrap();
    entries(size).iter().for_each(|(key, value)| session.insert(key, value).unwrap());
    let mut head = PlainHead::new(200);
    assert!(request.end(200).await.apply(&mut head).is_none());
    head.value(Header::SetCookie).unwrap().split(';').next().unwrap().to_owned()
}
