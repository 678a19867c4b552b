use std::num::NonZeroUsize;
use std::path::Path;

use nexios_store_core::{
    CreateOutcome, DeleteExpired as _, Record, Revision, SessionId, SessionStore as _, Timestamp, UpdateOutcome,
};
use nexios_store_file::{Durability, FileStore};
use serde_json::{Map, Value};

use super::{SessionFiles, Sweep};
use crate::payload::{self, KEY, Size};

/// Our store. It reads on the thread of the caller and writes on a blocking thread.
#[derive(Debug)]
pub struct Nexios<const SYNCED: bool> {
    store: FileStore,
    sessions: Vec<SessionId>,
}

impl<const SYNCED: bool> Nexios<SYNCED> {
    /// Opens a store in a directory that it makes.
    pub fn new(dir: &Path) -> Self {
        let durability = if SYNCED { Durability::Synced } else { Durability::Fast };
        let store = FileStore::builder(dir).durability(durability).inline_reads(true).open();
        Self { store: store.expect("a directory to work in"), sessions: Vec::new() }
    }

    async fn loaded(&self, index: usize) -> (Revision, Map<String, Value>) {
        let stored = self.store.load(&self.sessions[index], NOW).await.expect("a session").expect("it is there");

        (stored.revision, serde_json::from_slice(&stored.record.payload).expect("JSON"))
    }
}

impl<const SYNCED: bool> SessionFiles for Nexios<SYNCED> {
    const NAME: &'static str = if SYNCED { "nexios, synced" } else { "nexios" };

    async fn create(&mut self, expires: bool) {
        let id = SessionId::generate().expect("random bytes");
        let expires_at = if expires { EXPIRY } else { Timestamp::MAX };
        let created = self.store.create(&id, &record(&payload::map(Size::OfFile), expires_at), NOW).await;
        assert!(matches!(created, Ok(CreateOutcome::Created(_))), "{created:?}");
        self.sessions.push(id);
    }

    async fn load(&self, index: usize) -> u64 {
        payload::visits(self.loaded(index).await.1.get(KEY))
    }

    async fn change(&self, index: usize) {
        let (revision, mut values) = self.loaded(index).await;
        let visits = payload::visits(values.get(KEY)) + 1;
        values.insert(KEY.to_owned(), visits.into());
        let record = record(&values, Timestamp::MAX);
        let updated = self.store.update(&self.sessions[index], revision, &record, NOW).await;
        assert!(matches!(updated, Ok(UpdateOutcome::Updated(_))), "{updated:?}");
    }
}

impl<const SYNCED: bool> Sweep for Nexios<SYNCED> {
    async fn sweep(&self) -> bool {
        let mut removed = 0;
        loop {
            let swept = self.store.delete_expired(LATER, STEP).await.expect("a store that answers");
            removed += swept.removed;
            if !swept.more {
                return removed > 0;
            }
        }
    }
}

fn record(values: &Map<String, Value>, expires_at: Timestamp) -> Record {
    let payload = serde_json::to_vec(values).expect("JSON").into();
    Record { payload, expires_at, principal: None }
}

const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000);
const EXPIRY: Timestamp = Timestamp::from_unix_millis(2_000_000);
const LATER: Timestamp = Timestamp::from_unix_millis(3_000_000);
/// As many sessions as the background sweeper asks for.
const STEP: NonZeroUsize = NonZeroUsize::new(500).unwrap();
