//! A site: an application on one of the frameworks and one of the stores, behind a port of its own. Each request
//! carries a script that says what its handler does, so a case is one text for all frameworks and stores.

mod actix_app;
mod answer;
mod axum_app;
mod client;
mod gates;
mod hyper_app;
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
/// The line that removes it.
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
    Hyper,
}

/// The layers that the application has around its routes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The layer of the users' sessions.
    One,
    /// The layer of the users, and around it the layer of the admins.
    Nested,
    /// The users' routes below `/users` and the admins' routes below `/admins`, each with a layer of its own.
    SideBySide,
    /// No layer that gives a session.
    Bare,
    /// The layer of the users, and inside it a layer that makes panics answers.
    PanicsCaughtInside,
    /// The layer of the users, and outside it a layer that makes panics answers.
    PanicsCaughtOutside,
}

impl Layout {
    fn has_user_layer(self) -> bool {
        !matches!(self, Self::SideBySide | Self::Bare)
    }
}

/// Everything that the handlers of an application know.
#[derive(Clone, Debug)]
struct Backstage {
    users: SessionManager,
    admins: SessionManager,
    gates: Arc<Gates>,
    layout: Layout,
}

/// The place of a case: a framework and a store, on which the case opens sites.
pub(crate) struct World {
    adapter: Adapter,
    layout: Layout,
    stage: Arc<Stage>,
    users: SessionManagerBuilder,
    admins: SessionManagerBuilder,
}

/// The parts that all sites of one case share.
pub(crate) struct Stage {
    fresh: stores::Fresh,
    /// Stands between the users' manager and the store.
    pub(crate) probe: Arc<Probe>,
    /// Stands between the admins' manager and the same store.
    pub(crate) admin_probe: Arc<Probe>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) gates: Arc<Gates>,
}

/// Runs a case, and gives it up if it hangs.
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
            // Long enough for a busy machine.
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

    /// Changes the settings of the users' sessions.
    pub(crate) fn users(mut self, build: impl FnOnce(SessionManagerBuilder) -> SessionManagerBuilder) -> Self {
        self.users = build(self.users);
        self
    }

    pub(crate) async fn open(self) -> Site {
        let layout = self.layout;
        let users = self.users.build().unwrap();
        let admins = self.admins.same_application(&users).build().unwrap();
        let backstage =
            Backstage { users: users.clone(), admins: admins.clone(), gates: self.stage.gates.clone(), layout };
        let server = match self.adapter {
            Adapter::Axum => axum_app::serve(backstage).await,
            Adapter::Actix => actix_app::serve(backstage).await,
            Adapter::Hyper => hyper_app::serve(backstage).await,
        };
        Site { adapter: self.adapter, stage: self.stage, users, admins, server }
    }
}

/// An application that is being served.
pub(crate) struct Site {
    adapter: Adapter,
    stage: Arc<Stage>,
    pub(crate) users: SessionManager,
    pub(crate) admins: SessionManager,
    server: Server,
}

impl Site {
    /// Returns a world for another site on the same store and the same clock.
    pub(crate) fn world(&self) -> World {
        World::on(self.adapter, Layout::One, self.stage.clone())
    }

    /// Returns the same on the other framework.
    pub(crate) fn world_of_the_other_framework(&self) -> World {
        let other = match self.adapter {
            Adapter::Axum => Adapter::Actix,
            Adapter::Actix => Adapter::Hyper,
            Adapter::Hyper => Adapter::Axum,
        };
        World::on(other, Layout::One, self.stage.clone())
    }

    pub(crate) fn visitor(&self) -> Visitor {
        Visitor::new(self.server.address)
    }

    /// Begins a request without a visitor.
    pub(crate) fn get(&self, path: &str) -> Request {
        Request::new(self.server.address, path)
    }

    /// Opens a connection for several requests.
    pub(crate) async fn connect(&self) -> Connection {
        Connection::open(self.server.address).await
    }

    pub(crate) fn sleep(&self, duration: Duration) {
        self.clock.advance(duration);
    }

    pub(crate) fn set_back(&self, duration: Duration) {
        self.clock.set(self.clock.now().saturating_sub(duration));
    }

    /// Returns the number of live sessions.
    pub(crate) async fn sessions(&self) -> usize {
        self.records().await.iter().filter(|kind| **kind == "session").count()
    }

    /// Returns the kinds of the live records, sorted: beside sessions, those that say of an id that its session has
    /// moved or ended.
    pub(crate) async fn records(&self) -> Vec<&'static str> {
        let mut kinds = Vec::new();
        for id in self.probe.ids() {
            let stored = self.fresh.store.load(&id, self.clock.now()).await.unwrap();
            kinds.extend(stored.map(|stored| probe::kind(&stored.record)));
        }
        kinds.sort_unstable();
        kinds
    }
}

impl std::ops::Deref for Site {
    type Target = Stage;

    fn deref(&self) -> &Stage {
        &self.stage
    }
}

/// A server that stops when this is dropped.
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

/// Splits a list of scripts into the scripts.
fn scripts_in(list: &[u8]) -> Vec<Vec<u8>> {
    let scripts: Vec<Box<RawValue>> = serde_json::from_slice(list).unwrap();
    scripts.into_iter().map(|script| script.get().as_bytes().to_vec()).collect()
}

/// Splits what a middleware is told to do into a word and the rest.
fn word_and_rest(directive: &str) -> (&str, &str) {
    directive.split_once(' ').unwrap_or((directive, ""))
}
