//! A site without a web server: a manager on a file store, visitors who keep their cookie, and a store that can be
//! told to fail. A test is then the story of some requests.
#![allow(dead_code, unused_imports, clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod log;
mod wrapper;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nexios_middleware_core::{
    Clock, Header, ManualClock, PlainHead, RequestSession, Session, SessionError, SessionManager,
    SessionManagerBuilder, Timestamp,
};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::*;
use nexios_store_file::FileStore;
use tempfile::TempDir;

pub use log::Log;
pub use wrapper::Wrapper;

pub const KEY: &str = "0123456789abcdef0123456789abcdef";
pub const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

pub struct Site {
    pub manager: SessionManager,
    pub clock: Arc<ManualClock>,
    pub store: Arc<Probe>,
    pub dir: Arc<TempDir>,
}

impl Site {
    pub fn new() -> Self {
        Self::with(|builder| builder)
    }

    /// A site whose manager is built differently.
    pub fn with(build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        let dir = Arc::new(tempfile::tempdir().unwrap());
        let store = Arc::new(Probe::new(FileStore::open(dir.path().join("sessions")).unwrap()));
        Self::on(dir, store, Arc::default(), build)
    }

    /// A site whose visitors keep their sessions; its store is for nothing.
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
            dir: self.dir.clone(),
        }
    }

    /// The same site after a restart with other settings: same files, same clock.
    pub fn restarted(&self, build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        Self::on(self.dir.clone(), self.store.clone(), self.clock.clone(), build)
    }

    fn on(
        dir: Arc<TempDir>,
        store: Arc<Probe>,
        clock: Arc<ManualClock>,
        build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder,
    ) -> Self {
        let builder = SessionManager::builder(store.clone()).keys(keys(&[KEY])).clock(clock.clone());
        Self { manager: build(builder).build().unwrap(), clock, store, dir }
    }

    pub fn sleep(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The session directory. It is not the temporary one itself, which others may read.
    pub fn sessions(&self) -> PathBuf {
        self.dir.path().join("sessions")
    }

    /// The files of sessions, by their names.
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

    pub fn file(&self, id: &str) -> PathBuf {
        self.sessions().join(&id[..2]).join(id)
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
    /// The handler answers, and the visitor hears of it.
    pub async fn answer(self, visitor: &mut Visitor, status: u16) -> Answer {
        Answer::of(&self.request, visitor, status).await
    }
}

/// A browser.
#[derive(Clone, Default)]
pub struct Visitor {
    /// `Cookie` header lines.
    pub cookies: Vec<String>,
}

impl Visitor {
    pub fn with_cookie(cookie: impl Into<String>) -> Self {
        Self { cookies: vec![cookie.into()] }
    }

    pub fn id(&self) -> String {
        self.cookies[0].split(['=', '.']).nth(1).unwrap().to_owned()
    }

    /// A whole request: the handler gets the session and says what status it answers with.
    pub async fn visit(&mut self, site: &Site, handler: impl AsyncFnOnce(&Session) -> u16) -> Answer {
        let open = site.open(self).await;
        let status = handler(&open.session).await;
        open.answer(self, status).await
    }

    /// The value of `key` that a new request sees.
    pub async fn sees<T: serde::de::DeserializeOwned>(&self, site: &Site, key: &str) -> Option<T> {
        site.open(self).await.session.get(key).unwrap()
    }
}

/// What the response says.
#[derive(Debug)]
pub struct Answer {
    pub set_cookie: Option<String>,
    pub vary: Option<String>,
    pub cache_control: Option<String>,
    /// The status that replaces the handler's.
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    Load,
    Create,
    Update,
    Rename,
    Touch,
    Delete,
    SetAside,
    List,
    DeleteExpired,
}

/// A store that counts its calls, and fails or hangs in those it is told to.
#[derive(Debug)]
pub struct Probe {
    inner: FileStore,
    counts: Mutex<HashMap<Call, usize>>,
    trouble: Mutex<HashMap<Call, Trouble>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Fails without doing anything.
    Fails,
    /// Says that the record is corrupt, or of a newer format.
    Answers(StoreErrorKind),
    /// Never answers.
    Hangs,
    /// Does it, and fails to say so. For updates and renames.
    LosesTheAnswer,
}

impl Probe {
    fn new(inner: FileStore) -> Self {
        Self { inner, counts: Mutex::default(), trouble: Mutex::default() }
    }

    pub fn make(&self, call: Call, trouble: Trouble) {
        self.trouble.lock().unwrap().insert(call, trouble);
    }

    pub fn heal(&self) {
        self.trouble.lock().unwrap().clear();
    }

    pub fn count(&self, call: Call) -> usize {
        self.counts.lock().unwrap().get(&call).copied().unwrap_or(0)
    }

    pub fn total(&self) -> usize {
        self.counts.lock().unwrap().values().sum()
    }

    fn lose_the_answer(&self, call: Call) -> Result<()> {
        match self.trouble.lock().unwrap().get(&call) {
            Some(Trouble::LosesTheAnswer) => Err(StoreError::backend("told to lose the answer")),
            _ => Ok(()),
        }
    }

    async fn begin(&self, call: Call) -> Result<()> {
        *self.counts.lock().unwrap().entry(call).or_default() += 1;
        let trouble = self.trouble.lock().unwrap().get(&call).copied();
        match trouble {
            None | Some(Trouble::LosesTheAnswer) => Ok(()),
            Some(Trouble::Fails) => Err(StoreError::backend("told to fail")),
            Some(Trouble::Answers(StoreErrorKind::Unsupported)) => Err(StoreError::unsupported("told so")),
            Some(Trouble::Answers(_)) => Err(StoreError::corrupt("told so")),
            Some(Trouble::Hangs) => std::future::pending().await,
        }
    }
}

#[async_trait]
impl SessionStore for Probe {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        self.begin(Call::Load).await?;
        self.inner.load(id, now).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        self.begin(Call::Create).await?;
        self.inner.create(id, record, now).await
    }

    async fn update(&self, id: &SessionId, at: Revision, record: &Record, now: Timestamp) -> Result<UpdateOutcome> {
        self.begin(Call::Update).await?;
        let outcome = self.inner.update(id, at, record, now).await;
        self.lose_the_answer(Call::Update)?;
        outcome
    }

    async fn rename(
        &self,
        old: &SessionId,
        at: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        self.begin(Call::Rename).await?;
        let outcome = self.inner.rename(old, at, new, record, now).await;
        self.lose_the_answer(Call::Rename)?;
        outcome
    }

    async fn touch(&self, id: &SessionId, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome> {
        self.begin(Call::Touch).await?;
        self.inner.touch(id, expires_at, now).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.begin(Call::Delete).await?;
        self.inner.delete(id).await
    }

    async fn set_aside(&self, id: &SessionId) -> Result<()> {
        self.begin(Call::SetAside).await?;
        self.inner.set_aside(id).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        self.inner.principals()
    }
}

#[async_trait]
impl DeleteExpired for Probe {
    async fn delete_expired(&self, now: Timestamp, limit: std::num::NonZeroUsize) -> Result<Swept> {
        self.begin(Call::DeleteExpired).await?;
        self.inner.expiry().unwrap().delete_expired(now, limit).await
    }
}
