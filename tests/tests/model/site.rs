//! The system under test: a manager on one of our stores, visitors with their cookies, and open requests.

use std::path::Path;
use std::sync::Arc;

use nexios_middleware_core::{ManualClock, RequestSession, Session, SessionManager};
use nexios_signer::{Key, KeyRing};
use nexios_store_core::{SessionId, SessionStore};
use nexios_store_encrypted::EncryptedStore;
use nexios_store_file::FileStore;
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::Hooked;
use tempfile::TempDir;

use crate::probe::Script;
use crate::steps::VISITORS;
use crate::world::{KeyNumber, World};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Stores {
    Memory,
    File,
    EncryptedMemory,
    EncryptedFile,
}

impl Stores {
    pub(crate) fn is_encrypted(self) -> bool {
        matches!(self, Self::EncryptedMemory | Self::EncryptedFile)
    }

    fn open(self) -> (Arc<dyn SessionStore>, Option<TempDir>) {
        match self {
            Self::Memory | Self::EncryptedMemory => (Arc::new(MemoryStore::new()), None),
            Self::File | Self::EncryptedFile => {
                let in_memory = Path::new("/dev/shm");
                let dir = if in_memory.is_dir() { TempDir::new_in(in_memory) } else { TempDir::new() }.unwrap();
                (Arc::new(FileStore::open(dir.path().join("sessions")).unwrap()), Some(dir))
            }
        }
    }
}

/// A cookie that was sent to a visitor.
#[derive(Clone, Debug)]
pub(crate) struct Cookie {
    /// `name=value`.
    pub(crate) pair: String,
    pub(crate) id: SessionId,
    pub(crate) key: KeyNumber,
}

pub(crate) struct Site {
    stores: Stores,
    pub(crate) manager: SessionManager,
    pub(crate) script: Arc<Script>,
    pub(crate) clock: Arc<ManualClock>,
    keys: Vec<Key>,
    store: Arc<dyn SessionStore>,
    /// The cookie in each visitor's browser.
    pub(crate) jars: [Option<Cookie>; VISITORS],
    /// Every cookie that was ever sent.
    pub(crate) issued: Vec<Cookie>,
    _dir: Option<TempDir>,
}

/// A request whose handler is at work.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) request: Arc<RequestSession>,
    pub(crate) session: Session,
}

impl Site {
    pub(crate) fn new(stores: Stores, clock: Arc<ManualClock>, world: &World) -> Self {
        let (store, dir) = stores.open();
        let keys = vec![Key::generate().unwrap()];
        let script = Arc::default();
        let manager = manager(stores, &store, &script, &clock, &keys, world);
        Self { stores, manager, script, clock, keys, store, jars: Default::default(), issued: Vec::new(), _dir: dir }
    }

    /// Restarts the service on the same store, with the present keys and lifetimes. What is left of the old service
    /// finishes its requests.
    pub(crate) fn restart(&mut self, world: &World) {
        while self.keys.len() < world.keys.end {
            self.keys.push(Key::generate().unwrap());
        }
        self.manager = manager(self.stores, &self.store, &self.script, &self.clock, &self.keys, world);
    }
}

fn manager(
    stores: Stores,
    store: &Arc<dyn SessionStore>,
    script: &Arc<Script>,
    clock: &Arc<ManualClock>,
    keys: &[Key],
    world: &World,
) -> SessionManager {
    let retired = world.keys.clone().rev().filter(|key| *key != world.first_key);
    let ring =
        retired.fold(KeyRing::new(keys[world.first_key].clone()), |ring, key| ring.with_retired(keys[key].clone()));
    let inner: Arc<dyn SessionStore> =
        if stores.is_encrypted() { Arc::new(EncryptedStore::new(store.clone(), &ring)) } else { store.clone() };
    SessionManager::builder(Hooked::new(inner, script.clone()))
        .keys(ring)
        .clock(clock.clone())
        .idle_timeout(world.lifetimes.idle)
        .absolute_timeout(Some(world.lifetimes.absolute))
        .store_timeout(std::time::Duration::from_secs(600))
        .build()
        .unwrap()
}
