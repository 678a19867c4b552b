//! Measures how times grow: with the size of a session and the number of its values, with the number of sessions, with
//! clients at the same time, and with keys.

use std::hint::black_box;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderValue, Request, Uri, header};
use axum::routing::get;
use nexios_adapter_axum::{Session, SessionError, SessionLayer};
use nexios_middleware_core::SessionManager;
use nexios_signer::{Key, KeyRing, Purpose};
use nexios_store_core::{CreateOutcome, Record, Revision, SessionId, SessionStore, Timestamp, UpdateOutcome};
use nexios_store_file::FileStore;
use nexios_store_memory::MemoryStore;
use tower::ServiceExt as _;

const USAGE: &str = "usage: growth DIR SESSIONS";
const ROUNDS: usize = 7;

/// Prints a line for each measurement: what grows, what is measured, how far it has grown, the nanoseconds of one
/// operation.
fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, sessions] = &args[..] else { return usage() };
    let Ok(sessions) = sessions.parse() else { return usage() };
    of_size();
    of_values();
    of_sessions(Path::new(dir), sessions);
    of_clients();
    of_keys();
    ExitCode::SUCCESS
}

fn usage() -> ExitCode {
    eprintln!("{USAGE}");
    ExitCode::from(2)
}

/// Measures requests that read or write one small key of a session with one large key.
fn of_size() {
    // By default a session has at most 256 KiB.
    for len in [300, 1 << 10, 4 << 10, 16 << 10, 64 << 10, 255 << 10] {
        requests("size", len, vec!["n".repeat(len)]);
    }
}

/// Measures requests that read or write one key of a session with many other keys, all with small values.
fn of_values() {
    for count in [1, 4, 16, 64, 256, 1024] {
        requests("values", count, vec!["n".repeat(20); count]);
    }
}

fn requests(grows: &str, to: usize, others: Vec<String>) {
    current_thread().block_on(async {
        let router = router(KeyRing::new(key()), others);
        let cookie = seed(&router).await;
        for (series, path) in [("read one key", "/read"), ("write one key", "/write")] {
            for _ in 0..ROUNDS {
                let start = Instant::now();
                for _ in 0..REQUESTS {
                    visit(&router, path, &cookie).await;
                }
                print(grows, series, to, start.elapsed(), REQUESTS);
            }
        }
    });
}

/// Measures operations of stores with many sessions of 1,009 bytes, each operation on another session.
fn of_sessions(dir: &Path, most: usize) {
    let memory = MemoryStore::with_capacity_limit(NonZeroUsize::MAX);
    let file = FileStore::builder(dir.join("sessions")).inline_reads(true).open().expect("a directory to work in");
    current_thread().block_on(async {
        of_sessions_in(&memory, "memory", most.max(1_000_000)).await;
        of_sessions_in(&file, "files", most).await;
    });
}

async fn of_sessions_in(store: &impl SessionStore, name: &str, most: usize) {
    let mut sessions = Vec::new();
    for count in [10, 100, 1000, 10_000, 100_000, 1_000_000] {
        if count > most {
            break;
        }
        while sessions.len() < count {
            let id = SessionId::generate().expect("random bytes");
            let created = store.create(&id, &record(), NOW).await;
            let Ok(CreateOutcome::Created(revision)) = created else { panic!("{created:?}") };
            sessions.push((id, revision));
        }
        for _ in 0..ROUNDS {
            let of_each = |operation: usize| operation * STRIDE % count;
            let start = Instant::now();
            for operation in 0..OPERATIONS {
                let loaded = store.load(&sessions[of_each(operation)].0, NOW).await;
                assert!(matches!(black_box(loaded), Ok(Some(_))));
            }
            print("sessions", &format!("{name}, load"), count, start.elapsed(), OPERATIONS);
            let start = Instant::now();
            for operation in 0..OPERATIONS {
                let (id, revision) = &mut sessions[of_each(operation)];
                *revision = updated(store, id, *revision).await;
            }
            print("sessions", &format!("{name}, update"), count, start.elapsed(), OPERATIONS);
        }
    }
}

async fn updated(store: &impl SessionStore, id: &SessionId, expected: Revision) -> Revision {
    match store.update(id, expected, &record(), NOW).await {
        Ok(UpdateOutcome::Updated(revision)) => revision,
        other => panic!("{other:?}"),
    }
}

/// Measures requests of clients at the same time, all with one session or each with its own.
fn of_clients() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_time().build().expect("a runtime");
    runtime.block_on(async {
        let router = router(KeyRing::new(key()), vec!["n".repeat(300)]);
        let one = seed(&router).await;
        for clients in [1, 4, 16, 64, 256] {
            let mut many = Vec::new();
            for _ in 0..clients {
                many.push(seed(&router).await);
            }
            let same = vec![one.clone(); clients];
            for (series, path, cookies) in [
                ("read, one session", "/read", &same),
                ("read, many sessions", "/read", &many),
                ("write, one session", "/write", &same),
                ("write, many sessions", "/write", &many),
            ] {
                for _ in 0..ROUNDS {
                    let took = at_the_same_time(&router, path, cookies).await;
                    print("clients", series, clients, took, clients * REQUESTS_OF_A_CLIENT);
                }
            }
        }
    });
}

async fn at_the_same_time(router: &Router, path: &'static str, cookies: &[HeaderValue]) -> Duration {
    let all_are_ready = Arc::new(tokio::sync::Barrier::new(cookies.len() + 1));
    let clients = cookies.iter().cloned().map(|cookie| {
        let (router, all_are_ready) = (router.clone(), Arc::clone(&all_are_ready));
        tokio::spawn(async move {
            all_are_ready.wait().await;
            for _ in 0..REQUESTS_OF_A_CLIENT {
                visit(&router, path, &cookie).await;
            }
        })
    });
    let clients: Vec<_> = clients.collect();
    // Before they begin: this task may be the last that runs again.
    let start = Instant::now();
    all_are_ready.wait().await;
    for client in clients {
        client.await.expect("a client that succeeds");
    }
    start.elapsed()
}

/// Measures verifications by a ring of many keys, which tries one key after the other.
fn of_keys() {
    const NAME: &[u8] = b"sessionid";
    const ID: &[u8] = b"00ff1234567890abcdef00112233aa55";
    const PURPOSE: Purpose = Purpose::new("example.org session");
    for count in [1, 2, 4, 8, 16, 32] {
        let keys: Vec<Key> = (0..count).map(|_| key()).collect();
        let by = |key: &Key| KeyRing::new(key.clone()).signer(PURPOSE).sign(NAME, ID).to_text();
        let ring = keys[1..].iter().cloned().fold(KeyRing::new(keys[0].clone()), KeyRing::with_retired);
        let signer = ring.signer(PURPOSE);
        for (series, tag, is_valid) in [
            ("signed with the first", by(&keys[0]), true),
            ("signed with the last", by(&keys[count - 1]), true),
            ("forged", by(&key()), false),
        ] {
            for _ in 0..ROUNDS {
                let start = Instant::now();
                for _ in 0..OPERATIONS {
                    assert_eq!(signer.verify(NAME, black_box(ID), &tag).is_some(), is_valid, "{series} of {count}");
                }
                print("keys", series, count, start.elapsed(), OPERATIONS);
            }
        }
    }
}

fn router(keys: KeyRing, others: Vec<String>) -> Router {
    let store = MemoryStore::with_capacity_limit(NonZeroUsize::MAX);
    let manager = SessionManager::builder(store).keys(keys).build();
    let seed = async move |session: Session| {
        session.insert("visits", &7)?;
        for (number, other) in others.iter().enumerate() {
            session.insert(&format!("other {number}"), other)?;
        }
        Ok::<_, SessionError>("seeded")
    };
    let read = async |session: Session| {
        let visits: Option<u64> = session.get("visits")?;
        assert!(visits.is_some(), "the cookie opens the session");
        Ok::<_, SessionError>("read")
    };
    let write = async |session: Session| {
        session.insert("visits", &8)?;
        Ok::<_, SessionError>("written")
    };
    Router::new()
        .route("/seed", get(seed))
        .route("/read", get(read))
        .route("/write", get(write))
        .layer(SessionLayer::new(manager.expect("settings that are in order")))
}

/// Begins a session and returns its cookie.
async fn seed(router: &Router) -> HeaderValue {
    let response = router.clone().oneshot(request("/seed", None)).await.expect("a router does not fail");
    let cookie = response.headers()[header::SET_COOKIE].to_str().expect("text");
    cookie.split(';').next().expect("a pair").parse().expect("a header's value")
}

async fn visit(router: &Router, path: &'static str, cookie: &HeaderValue) {
    let response = router.clone().oneshot(request(path, Some(cookie))).await.expect("a router does not fail");
    assert_eq!(response.status(), 200, "{path}");
}

fn request(path: &'static str, cookie: Option<&HeaderValue>) -> Request<Body> {
    let mut request = Request::new(Body::empty());
    *request.uri_mut() = Uri::from_static(path);
    if let Some(cookie) = cookie {
        request.headers_mut().insert(header::COOKIE, cookie.clone());
    }
    request
}

fn record() -> Record {
    Record { payload: vec![b'x'; 1009].into(), expires_at: Timestamp::MAX, principal: None }
}

fn key() -> Key {
    Key::generate().expect("random bytes")
}

fn current_thread() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

fn print(grows: &str, series: &str, to: usize, took: Duration, operations: usize) {
    println!("{grows}\t{series}\t{to}\t{}", took.as_nanos() / operations as u128);
}

const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000);
const REQUESTS: usize = 300;
const REQUESTS_OF_A_CLIENT: usize = 50;
const OPERATIONS: usize = 1000;
/// A prime, so that one operation is far from the next.
const STRIDE: usize = 7919;
