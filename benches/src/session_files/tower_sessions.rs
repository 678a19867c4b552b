use std::collections::HashMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use tower_sessions::session::{Id, Record};
use tower_sessions::{ExpiredDeletion as _, SessionStore};
use tower_sessions_file_store::FileSessionStorage;
use tower_sessions_fs_store::FileStore;

use super::{SessionFiles, Sweep};
use crate::payload::{self, KEY, Size};

/// The store of tower-sessions-fs-store.
#[derive(Debug)]
pub struct TowerFsStore(Sessions<FileStore>);

/// The store of tower-sessions-file-store.
#[derive(Debug)]
pub struct TowerFileStore(Sessions<FileSessionStorage>);

#[derive(Debug)]
struct Sessions<S> {
    store: S,
    ids: Vec<Id>,
}

impl TowerFsStore {
    /// Opens a store in a directory that it makes.
    pub fn new(dir: &Path) -> Self {
        // The store takes no shorter lifetime than `'static`.
        let dir: &'static Path = Box::leak(dir.into());
        Self(Sessions { store: FileStore::new(dir), ids: Vec::new() })
    }
}

impl TowerFileStore {
    /// Opens a store in a directory that it makes.
    pub fn new(dir: &Path) -> Self {
        // Otherwise a sweep leaves out the files of the last minute, which are all files.
        let store = FileSessionStorage::new_in_folder(dir.to_owned()).set_minimum_expiry_date(Duration::ZERO);
        Self(Sessions { store, ids: Vec::new() })
    }
}

impl SessionFiles for TowerFsStore {
    const NAME: &'static str = "tower-sessions-fs-store";

    async fn create(&mut self, expires: bool) {
        self.0.create(expires).await;
    }

    async fn load(&self, index: usize) -> u64 {
        self.0.load(index).await
    }

    async fn change(&self, index: usize) {
        self.0.change(index).await;
    }
}

impl SessionFiles for TowerFileStore {
    const NAME: &'static str = "tower-sessions-file-store";

    async fn create(&mut self, expires: bool) {
        self.0.create(expires).await;
    }

    async fn load(&self, index: usize) -> u64 {
        self.0.load(index).await
    }

    async fn change(&self, index: usize) {
        self.0.change(index).await;
    }
}

impl Sweep for TowerFileStore {
    async fn sweep(&self) -> bool {
        self.0.store.delete_expired().await.expect("a store that answers");
        false
    }
}

impl<S: SessionStore> Sessions<S> {
    async fn create(&mut self, expires: bool) {
        let expiry = if expires { SystemTime::now() - DAY } else { SystemTime::now() + DAY };
        let data: HashMap<String, Value> = payload::map(Size::OfFile).into_iter().collect();
        let mut record = Record { id: Id::default(), data, expiry_date: expiry.into() };
        self.store.create(&mut record).await.expect("a session");
        self.ids.push(record.id);
    }

    async fn loaded(&self, index: usize) -> Record {
        self.store.load(&self.ids[index]).await.expect("a session").expect("it is there")
    }

    async fn load(&self, index: usize) -> u64 {
        payload::visits(self.loaded(index).await.data.get(KEY))
    }

    async fn change(&self, index: usize) {
        let mut record = self.loaded(index).await;
        let visits = payload::visits(record.data.get(KEY)) + 1;
        record.data.insert(KEY.to_owned(), visits.into());
        self.store.save(&record).await.expect("a session");
    }
}

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
