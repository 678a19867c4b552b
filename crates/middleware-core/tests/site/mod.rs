//! A site without a web server: a manager on a file store, visitors who keep their cookie, and a probe that can let the
//! store fail. So a test reads as a story of requests.
#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod log;
mod probe;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use nexios_middleware_core::{
    Clock, Header, ManualClock, PlainHead, RequestSession, Session, SessionError, SessionManager,
    SessionManagerBuilder, Timestamp,
};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::{SessionId, SessionStore};
use nexios_store_file::FileStore;
use nexios_store_testkit::hook::Hooked;
use tempfile::TempDir;

pub use log::Log;
pub use nexios_store_testkit::hook::CallKind;
pub use probe::{NoIndex, Probe, Trouble, Yields};

pub const KEY: &str = "0123456789abcdef0123456789abcdef";
pub const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

pub struct Site {
    pub manager: SessionManager,
    pub clock: Arc<ManualClock>,
    pub store: Arc<FileStore>,
    /// Stands between the manager and the store.
    pub probe: Arc<Probe>,
    pub dir: Arc<TempDir>,
}

impl Site {
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// Makes a site, and a visitor who has a session in which `a` is 1.
    pub async fn with_visitor() -> (Self, Visitor) {
        let site = Self::new();
        let visitor = site.visitor(|session| session.insert("a", &1).unwrap()).await;
        (site, visitor)
    }

    /// Makes a site with other settings.
    pub fn with(build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let store = Arc::new(FileStore::open(dir.path().join("sessions")).unwrap());
        Self::on(dir, store, Arc::default(), Arc::default(), build)
    }

    /// Makes a site whose visitors keep their sessions. Nobody uses its store.
    pub fn client_side(build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        let site = Self::new();
        site.restarted_client_side(build)
    }

    pub fn restarted_client_side(&self, build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        let builder = SessionManager::client_side().keys(keys(&[KEY])).clock(self.clock.clone());
        Self {
            manager: build(builder).build().unwrap(),
            clock: self.clock.clone(),
            store: self.store.clone(),
            probe: self.probe.clone(),
            dir: self.dir.clone(),
        }
    }

    /// Makes a site whose store keeps no index of users.
    pub fn without_index() -> Self {
        let site = Self::new();
        let builder = SessionManager::builder(Hooked::new(site.store.clone(), NoIndex));
        let manager = builder.keys(keys(&[KEY])).clock(site.clock.clone()).build().unwrap();
        Self { manager, ..site }
    }

    /// Restarts the site with other settings, on the same files and the same clock.
    pub fn restarted(&self, build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        Self::on(self.dir.clone(), self.store.clone(), self.probe.clone(), self.clock.clone(), build)
    }

    fn on(
        dir: Arc<TempDir>,
        store: Arc<FileStore>,
        probe: Arc<Probe>,
        clock: Arc<ManualClock>,
        build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder,
    ) -> Self {
        let hooked = Hooked::new(store.clone(), probe.clone());
        let builder = SessionManager::builder(hooked).keys(keys(&[KEY])).clock(clock.clone());
        Self { manager: build(builder).build().unwrap(), clock, store, probe, dir }
    }

    pub fn sleep(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The session directory. It lies inside the temporary directory, which others may read.
    pub fn sessions(&self) -> PathBuf {
        self.dir.path().join("sessions")
    }

    /// The names of the session files, sorted.
    pub fn files(&self) -> Vec<String> {
        let mut files = Vec::new();
        for folder in std::fs::read_dir(self.sessions()).unwrap().map(Result::unwrap) {
            let is_fan_out = folder.file_name().len() == 2;
            for file in is_fan_out.then(|| std::fs::read_dir(folder.path()).unwrap()).into_iter().flatten() {
                files.push(file.unwrap().file_name().into_string().unwrap());
            }
        }
        files.sort();
        files
    }

    /// The names of the files of sessions, sorted, without those that tell of a session that has moved.
    pub async fn session_files(&self) -> Vec<String> {
        let mut files = self.files();
        let mut moved = Vec::new();
        for file in &files {
            let id = SessionId::parse(file).unwrap();
            let stored = self.store.load(&id, self.clock_now()).await.unwrap();
            // The second byte is the kind; see docs/changing-the-payload.md.
            if stored.is_some_and(|stored| stored.record.payload[1] == 1) {
                moved.push(file.clone());
            }
        }
        files.retain(|file| !moved.contains(file));
        files
    }

    pub fn file(&self, id: &str) -> PathBuf {
        self.sessions().join(&id[..2]).join(id)
    }

    /// Makes a visitor, whose first request does this with the session.
    pub async fn visitor(&self, handler: impl FnOnce(&Session)) -> Visitor {
        let mut visitor = Visitor::default();
        visitor.act(self, handler).await;
        visitor
    }

    pub async fn open(&self, visitor: &Visitor) -> Open {
        self.try_open(visitor).await.unwrap()
    }

    pub async fn try_open(&self, visitor: &Visitor) -> Result<Open, SessionError> {
        let request = self.manager.request(visitor.cookies.iter());
        let session = request.session().await?;
        Ok(Open { request, session })
    }
}

pub fn keys(texts: &[&str]) -> KeyRing {
    let mut keys = texts.iter().map(|text| Key::from_text(text).unwrap());
    let first = KeyRing::new(keys.next().unwrap());
    keys.fold(first, KeyRing::with_retired)
}

/// The head of the response to a request whose handler answers 200 without headers of its own.
pub async fn head_of(request: &RequestSession) -> PlainHead {
    let mut head = PlainHead::new(200);
    assert_eq!(request.end(200).await.apply(&mut head), None);
    head
}

/// The pair of name and value in a `Set-Cookie` line, as a browser sends it back.
pub fn pair(head: &PlainHead) -> String {
    head.value(Header::SetCookie).unwrap().split(';').next().unwrap().to_owned()
}

/// A request whose handler is at work.
pub struct Open {
    pub request: RequestSession,
    pub session: Session,
}

impl std::ops::Deref for Open {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Open {
    /// Ends the request with this status, and gives the visitor the answer.
    pub async fn answer(self, visitor: &mut Visitor, status: u16) -> Answer {
        Answer::of(&self.request, visitor, status).await
    }
}

/// A browser.
#[derive(Clone, Default)]
pub struct Visitor {
    /// The `Cookie` header lines that the browser sends.
    pub cookies: Vec<String>,
}

impl Visitor {
    pub fn with_cookie(cookie: impl Into<String>) -> Self {
        Self { cookies: vec![cookie.into()] }
    }

    pub fn id(&self) -> String {
        self.cookies[0].split(['=', '.']).nth(1).unwrap().to_owned()
    }

    /// Makes a whole request. For a handler that is async, or that answers with another status than 200.
    pub async fn visit(&mut self, site: &Site, handler: impl AsyncFnOnce(&Session) -> u16) -> Answer {
        let open = site.open(self).await;
        let status = handler(&open.session).await;
        open.answer(self, status).await
    }

    /// Makes a whole request, whose handler does this with the session and answers 200.
    pub async fn act(&mut self, site: &Site, handler: impl FnOnce(&Session)) -> Answer {
        let open = site.open(self).await;
        handler(&open.session);
        open.answer(self, 200).await
    }

    /// Returns the value of `key` that a new request sees.
    pub async fn sees<T: serde::de::DeserializeOwned>(&self, site: &Site, key: &str) -> Option<T> {
        site.open(self).await.session.get(key).unwrap()
    }
}

/// The parts of a response that concern the session.
#[derive(Debug)]
pub struct Answer {
    pub set_cookie: Option<String>,
    pub vary: Option<String>,
    pub cache_control: Option<String>,
    /// The status that replaces the handler's, if the session could not be saved.
    pub failure: Option<u16>,
}

impl Answer {
    pub async fn of(request: &RequestSession, visitor: &mut Visitor, status: u16) -> Self {
        let end = request.end(status).await;
        let failure = end.failure().map(SessionError::status);
        let mut head = PlainHead::new(status);
        let _ = end.apply(&mut head);
        assert_eq!(head.status, failure.unwrap_or(status));
        let line = |header| head.value(header).map(str::to_owned);
        let set_cookie = line(Header::SetCookie);
        if let Some(line) = &set_cookie {
            let pair = line.split(';').next().unwrap().to_owned();
            visitor.cookies = if line.contains("Max-Age=0") { Vec::new() } else { vec![pair] };
        }
        Self { set_cookie, vary: line(Header::Vary), cache_control: line(Header::CacheControl), failure }
    }

    pub fn removes_cookie(&self) -> bool {
        self.set_cookie.as_ref().is_some_and(|line| line.contains("Max-Age=0"))
    }

    pub fn max_age(&self) -> Option<u64> {
        let line = self.set_cookie.as_ref()?;
        line.split("; ").find_map(|part| part.strip_prefix("Max-Age="))?.parse().ok()
    }
}
