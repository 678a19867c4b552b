//! A site: an application on one of the frameworks, on one of the stores, behind a port of its own. What a request does
//! is a script that it carries, so that a case is a story in one text for all of them.

mod actix_app;
mod answer;
mod axum_app;
mod client;
mod gates;
mod probe;
pub(crate) mod script;
pub(crate) mod stores;
mod visitor;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use nexios_cookie_config::CookieConfig;
use nexios_middleware_core::{Clock, ManualClock, SessionManager, SessionManagerBuilder};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::SessionStore as _;
use nexios_store_testkit::hook::Hooked;
use serde_json::value::RawValue;

pub(crate) use answer::Answer;
pub(crate) use client::{Connection, Request};
pub(crate) use gates::Gates;
pub(crate) use nexios_store_testkit::hook::CallKind;
pub(crate) use probe::{Probe, Trouble};
pub(crate) use script::Step::{
    Clear, Cycle, Destroy, Devices, Discard, Entries, IsModified, IsReadOnly, Panic, Principal, RevokeAll,
    RevokeOthers, Save,
};
pub(crate) use script::*;
pub(crate) use visitor::Visitor;

pub(crate) const KEY: &str = "0123456789abcdef0123456789abcdef";
/// The cookie of a session that was just made, saved or read, by the default settings.
pub(crate) const COOKIE: &str = "set-cookie: sessionid=<id>; HttpOnly; SameSite=Lax; Path=/; Max-Age=1209600; \
                                 Expires=Thu, 11 Jun 2026 20:26:40 GMT";
/// How it is removed.
pub(crate) const REMOVAL: &str = "set-cookie: sessionid=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0; \
                                  Expires=Thu, 01 Jan 1970 00:00:00 GMT";

pub(crate) const OTHER_KEY: &str = "fedcba9876543210fedcba9876543210";

/// The marker of the second kind of session.
#[derive(Debug)]
pub(crate) enum Admin {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Adapter {
    Axum,
    Actix,
}

/// Which layers the application has around its routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// That of the users' sessions.
    One,
    /// That of the users, and around it that of the admins.
    Nested,
    /// The users' routes below `/users`, and the admins' below `/admins`, each with its own.
    SideBySide,
    /// None that gives a session.
    Bare,
    /// That of the users, and one inside of it that makes panics answers.
    PanicsCaughtInside,
    /// That of the users, and one outside of it that makes panics answers.
    PanicsCaughtOutside,
}

impl Layout {
    fn has_user_layer(self) -> bool {
        !matches!(self, Self::SideBySide | Self::Bare)
    }
}

/// What an application knows.
#[derive(Clone, Debug)]
struct Backstage {
    users: SessionManager,
    admins: SessionManager,
    gates: Arc<Gates>,
    layout: Layout,
}

/// Where a case happens: a framework and a store, on which it opens sites.
pub(crate) struct World {
    adapter: Adapter,
    layout: Layout,
    stage: Arc<Stage>,
    users: SessionManagerBuilder,
    admins: SessionManagerBuilder,
}

/// What the sites of one case have in common.
pub(crate) struct Stage {
    fresh: stores::Fresh,
    /// Stands between the users' manager and the store.
    pub(crate) probe: Arc<Probe>,
    /// Stands between the admins' manager and the same store.
    pub(crate) admin_probe: Arc<Probe>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gates: Arc<Gates>,
}

/// Runs a case. One that hangs is given up.
pub(crate) fn run<C>(adapter: Adapter, fresh: fn() -> stores::Fresh, case: fn(World) -> C)
where
    C: Future<Output = ()> + 'static,
{
    run_boxed(Box::pin(async move { case(World::new(adapter, fresh())).await }));
}

fn run_boxed(case: Pin<Box<dyn Future<Output = ()>>>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let finished = runtime.block_on(async { tokio::time::timeout(Duration::from_secs(60), case).await });
    runtime.shutdown_background();
    finished.expect("the case hangs");
}

impl World {
    fn new(adapter: Adapter, fresh: stores::Fresh) -> Self {
        let gates = Arc::<Gates>::default();
        let probe = || Arc::new(Probe::new(gates.clone()));
        let (probe, admin_probe) = (probe(), probe());
        let stage = Stage { fresh, probe, admin_probe, clock: Arc::default(), gates };
        Self::on(adapter, Layout::One, Arc::new(stage))
    }

    fn on(adapter: Adapter, layout: Layout, stage: Arc<Stage>) -> Self {
        let manager = |probe: &Arc<Probe>, name: &str| {
            let cookie = CookieConfig::builder().name(name).build().unwrap();
            // Long enough for a machine that has other things to do.
            let patience = Duration::from_secs(40);
            SessionManager::builder(Hooked::new(stage.fresh.store.clone(), probe.clone()))
                .keys(keys(&[KEY]))
                .clock(stage.clock.clone())
                .cookie(cookie)
                .store_timeout(patience)
        };
        let users = manager(&stage.probe, "sessionid");
        let admins = manager(&stage.admin_probe, "admin");
        Self { adapter, layout, stage, users, admins }
    }

    pub(crate) fn layout(mut self, layout: Layout) -> Self {
        self.layout = layout;
        self
    }

    /// Other settings for the users' sessions.
    pub(crate) fn users(mut self, build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        self.users = build(self.users);
        self
    }

    pub(crate) async fn open(self) -> Site {
        let layout = self.layout;
        let users = self.users.build().unwrap();
        let admins = self.admins.same_application(&users).build().unwrap();
        let backstage = Backstage { users: users.clone(), admins, gates: self.stage.gates.clone(), layout };
        let server = match self.adapter {
            Adapter::Axum => axum_app::serve(backstage).await,
            Adapter::Actix => actix_app::serve(backstage).await,
        };
        Site { adapter: self.adapter, stage: self.stage, users, server }
    }
}

/// An application that is being served.
pub(crate) struct Site {
    adapter: Adapter,
    stage: Arc<Stage>,
    pub(crate) users: SessionManager,
    server: Server,
}

impl Site {
    /// The same stores and the same time, for another site.
    pub(crate) fn world(&self) -> World {
        World::on(self.adapter, Layout::One, self.stage.clone())
    }

    /// The same on the other framework.
    pub(crate) fn world_of_the_other_framework(&self) -> World {
        let other = if self.adapter == Adapter::Axum { Adapter::Actix } else { Adapter::Axum };
        World::on(other, Layout::One, self.stage.clone())
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(self.server.address)
    }

    /// A request of nobody in particular.
    pub(crate) fn get(&self, path: &str) -> Request {
        Request::new(self.server.address, path)
    }

    /// A connection for several requests.
    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.server.address).await
    }

    pub(crate) fn sleep(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    /// How many sessions there are.
    pub(crate) async fn sessions(&self) -> usize {
        let mut sessions = 0;
        for id in self.probe.ids() {
            sessions += usize::from(self.fresh.store.load(&id, self.clock.now()).await.unwrap().is_some());
        }
        sessions
    }
}

impl std::ops::Deref for Site {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

/// A server, which stops when this is dropped.
struct Server {
    address: SocketAddr,
    stop: Option<Box<dyn FnOnce() + Send>>,
}

impl Server {
    fn new(address: SocketAddr, stop: impl FnOnce() + Send + 'static) -> Self {
        Self { address, stop: Some(Box::new(stop)) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
    }
}

pub(crate) fn keys(texts: &[&str]) -> KeyRing {
    let mut keys = texts.iter().map(|text| Key::from_text(text).unwrap());
    let first = KeyRing::new(keys.next().unwrap());
    keys.fold(first, KeyRing::with_retired)
}

/// The scripts in a list of scripts.
fn scripts_in(list: &[u8]) -> Vec<Vec<u8>> {
    let scripts: Vec<Box<RawValue>> = serde_json::from_slice(list).unwrap();
    scripts.into_iter().map(|script| script.get().as_bytes().to_vec()).collect()
}

/// What a middleware is told to do: a word, and what comes after it.
fn word_and_rest(directive: &str) -> (&str, &str) {
    directive.split_once(' ').unwrap_or((directive, ""))
}
