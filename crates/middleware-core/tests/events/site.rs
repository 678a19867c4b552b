use std::error::Error;
use std::fmt::Write as _;
use std::panic::resume_unwind;
use std::pin::pin;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::task::{Context, Waker};

use nexios_cookie_config::CookieConfig;
use nexios_middleware_core::{
    Clock, Counters, Event, Fingerprint, Header, ManualClock, Occurrence, PlainHead, PrincipalTag, RequestSession,
    Session, SessionError, SessionManager, SessionManagerBuilder,
};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::{SessionId, SessionStore, Stored};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::Hooked;

use crate::probe::Probe;

pub const KEY: &str = "0123456789abcdef0123456789abcdef";
pub const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";
/// The user of all sessions that have one.
pub const ADA: &str = "ada@example.org";
/// The value of all sessions.
pub const HUSH: &str = "hush-hush";

pub fn keys(texts: &[&str]) -> KeyRing {
    let mut keys = texts.iter().map(|text| Key::from_text(text).unwrap());
    let first = KeyRing::new(keys.next().unwrap());
    keys.fold(first, KeyRing::with_retired)
}

/// The observer of a site does this with each event, after it has noted it down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    Listens,
    /// Uses the manager, the session and the request that are at hand.
    CallsBack,
    Panics,
}

/// A manager with an observer.
pub struct Site {
    pub manager: SessionManager,
    pub clock: Arc<ManualClock>,
    pub store: Arc<MemoryStore>,
    /// Stands between the manager and the store.
    pub probe: Arc<Probe>,
    pub ears: Arc<Ears>,
    manner: Manner,
    secrets: Secrets,
    before: Mutex<Option<Counters>>,
}

/// The texts that nobody may hear: keys, cookies, ids, values, users.
type Secrets = Arc<Mutex<Vec<String>>>;

impl Site {
    pub fn new(manner: Manner) -> Self {
        Self::with(manner, |builder| builder)
    }

    /// A site whose manager is built differently.
    pub fn with(manner: Manner, build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        let (store, probe) = <(Arc<MemoryStore>, Arc<Probe>)>::default();
        let builder = SessionManager::builder(Hooked::new(store.clone(), probe.clone()));
        let secrets = [KEY, OTHER_KEY, ADA, HUSH].map(str::to_owned).into();
        Self::on(builder, manner, (store, probe), Arc::default(), Arc::new(Mutex::new(secrets)), build)
    }

    /// The same site after a restart: same store, same clock, other settings.
    pub fn restarted(&self, build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        self.with_builder(SessionManager::builder(Hooked::new(self.store.clone(), self.probe.clone())), build)
    }

    /// A site beside this one whose visitors keep their sessions.
    pub fn client_side(&self, build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        self.with_builder(SessionManager::client_side(), build)
    }

    fn with_builder(
        &self,
        builder: SessionManagerBuilder,
        build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder,
    ) -> Self {
        let store = (self.store.clone(), self.probe.clone());
        Self::on(builder, self.manner, store, self.clock.clone(), self.secrets.clone(), build)
    }

    fn on(
        builder: SessionManagerBuilder,
        manner: Manner,
        (store, probe): (Arc<MemoryStore>, Arc<Probe>),
        clock: Arc<ManualClock>,
        secrets: Secrets,
        build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder,
    ) -> Self {
        let ears = Arc::<Ears>::default();
        let hears = Arc::clone(&ears);
        // One that sends its cookie over plain HTTP would tell of it at the start.
        let builder = builder.keys(keys(&[KEY])).clock(clock.clone()).cookie(secure_cookie());
        let builder = builder.observer(move |occurrence: &Occurrence<'_>| hears.hear(occurrence, manner));
        let manager = build(builder).build().unwrap();
        let _ = ears.manager.set(manager.clone());
        Self { manager, clock, store, probe, ears, manner, secrets, before: Mutex::default() }
    }

    /// Only what comes from now on counts.
    pub fn listen(&self) {
        *self.before.lock().unwrap() = Some(self.manager.counters());
        self.ears.heard.lock().unwrap().clear();
    }

    /// The events that were counted since then, in the order of the events.
    pub fn counted(&self) -> Vec<Event> {
        let (before, now) = (*self.before.lock().unwrap(), self.manager.counters());
        let since = |event: &Event| now.of(*event) - before.map_or(0, |before| before.of(*event));
        let times = |event: &Event| std::iter::repeat_n(*event, usize::try_from(since(event)).unwrap());
        Event::ALL.iter().flat_map(times).collect()
    }

    pub fn heard(&self) -> Vec<Heard> {
        self.ears.heard.lock().unwrap().clone()
    }

    pub fn secrets(&self) -> Vec<String> {
        self.secrets.lock().unwrap().clone()
    }

    pub fn request(&self, visitor: &Visitor) -> RequestSession {
        let request = self.manager.request([&visitor.cookie]);
        *self.ears.request.lock().unwrap() = Some(request.clone());
        request
    }

    pub async fn try_open(&self, visitor: &Visitor) -> Result<Open, SessionError> {
        let request = self.request(visitor);
        let session = request.session().await?;
        *self.ears.session.lock().unwrap() = Some(session.clone());
        Ok(Open { request, session, secrets: self.secrets.clone() })
    }

    pub async fn open(&self, visitor: &Visitor) -> Open {
        self.try_open(visitor).await.unwrap()
    }

    /// A whole request, of which the handler does this. Returns the status of the answer.
    pub async fn visit(&self, visitor: &mut Visitor, handler: impl FnOnce(&Session)) -> u16 {
        let open = self.open(visitor).await;
        handler(&open.session);
        open.end(visitor).await
    }

    /// A visitor who has a session.
    pub async fn visitor(&self) -> Visitor {
        let mut visitor = Visitor::default();
        self.visit(&mut visitor, |session| session.insert("word", HUSH).unwrap()).await;
        visitor
    }

    /// A visitor who has logged in as [`ADA`].
    pub async fn user(&self) -> Visitor {
        let mut visitor = Visitor::default();
        let log_in = |session: &Session| {
            session.insert("word", HUSH).unwrap();
            session.login(ADA).unwrap();
        };
        self.visit(&mut visitor, log_in).await;
        visitor
    }

    /// Changes a record behind the back of the manager.
    pub async fn tamper(&self, visitor: &Visitor, change: impl FnOnce(&mut Stored)) {
        let (id, now) = (visitor.id(), self.clock.now());
        let mut stored = self.store.load(&id, now).await.unwrap().unwrap();
        change(&mut stored);
        let _ = self.store.update(&id, stored.revision, &stored.record, now).await.unwrap();
    }
}

fn secure_cookie() -> CookieConfig {
    CookieConfig::builder().secure(true).build().unwrap()
}

/// A browser.
#[derive(Clone, Default)]
pub struct Visitor {
    pub cookie: String,
}

impl Visitor {
    pub fn with_cookie(cookie: impl Into<String>) -> Self {
        Self { cookie: cookie.into() }
    }

    pub fn id(&self) -> SessionId {
        let (_, value) = self.cookie.split_once('=').unwrap();
        SessionId::parse(value.split('.').next().unwrap()).unwrap()
    }
}

/// A request whose handler is at work.
pub struct Open {
    pub request: RequestSession,
    pub session: Session,
    secrets: Secrets,
}

impl std::ops::Deref for Open {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.session
    }
}

impl Open {
    /// The handler answers 200. Returns the status that the visitor gets.
    pub async fn end(&self, visitor: &mut Visitor) -> u16 {
        let mut head = PlainHead::new(200);
        let _ = self.request.end(200).await.apply(&mut head);
        if let Some(line) = head.value(Header::SetCookie) {
            visitor.cookie = line.split(';').next().unwrap().to_owned();
            let value = visitor.cookie.split_once('=').unwrap().1;
            let parts = value.split('.').chain([value]).filter(|part| !part.is_empty());
            self.secrets.lock().unwrap().extend(parts.map(str::to_owned));
        }
        head.status
    }
}

/// The events that the observer of a site has heard, and everything that it may use.
#[derive(Default)]
pub struct Ears {
    heard: Mutex<Vec<Heard>>,
    manager: OnceLock<SessionManager>,
    session: Mutex<Option<Session>>,
    request: Mutex<Option<RequestSession>>,
}

#[derive(Clone, Debug)]
pub struct Heard {
    pub event: Event,
    pub session: Option<Fingerprint>,
    pub former_session: Option<Fingerprint>,
    pub principal: Option<PrincipalTag>,
    pub count: Option<usize>,
    /// Everything that can be made a text.
    pub text: String,
}

impl Ears {
    fn hear(&self, occurrence: &Occurrence<'_>, manner: Manner) {
        let Occurrence { event, session, former_session, principal, count, error, .. } = *occurrence;
        let mut text = format!("{occurrence:?}");
        let mut error: Option<&(dyn Error + 'static)> = error;
        while let Some(cause) = error {
            let _ = write!(text, " {cause} {cause:?}");
            error = cause.source();
        }
        self.heard.lock().unwrap().push(Heard { event, session, former_session, principal, count, text });
        match manner {
            Manner::Listens => {}
            Manner::CallsBack => self.call_back(),
            Manner::Panics => resume_unwind(Box::new(event)), // without the panic hook, which would print it
        }
    }

    /// Every method that takes a lock.
    fn call_back(&self) {
        if let Some(manager) = self.manager.get() {
            let _ = (manager.counters(), format!("{manager:?}"));
        }
        let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(session) = session {
            let _ = (session.get::<String>("word"), session.keys(), session.is_modified(), session.handle());
            let _ = (session.principal(), session.expires_at(), session.is_read_only(), format!("{session:?}"));
            let _ = session.manager().counters();
        }
        let request = self.request.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(request) = request {
            let _ = format!("{:?}", request.signed_cookies());
            // Once its session is loaded it is there at the first poll, and nobody is asked for it again.
            if format!("{request:?}").contains("loaded: true") {
                let session = pin!(request.session()).poll(&mut Context::from_waker(Waker::noop()));
                let _ = session.map(|session| session.map(|session| session.len()));
            }
        }
    }

    /// Lets go of request and session.
    pub fn forget(&self) {
        // Not dropped under the locks: the observer may hear of it and use them.
        let (session, request) = (self.session.lock().unwrap().take(), self.request.lock().unwrap().take());
        drop((session, request));
    }
}
