//! Helpers of the tests of records: an encrypted store, and access to the store inside.

#![allow(dead_code, clippy::unwrap_used, clippy::panic, reason = "each test program uses a part of it, as tests do")]

use std::error::Error;
use std::sync::Arc;

use nexios_signer::KeyRing;
use nexios_store_core::{
    CreateOutcome, PrincipalTag, Record, Result, Revision, SessionId, SessionStore, StoreErrorKind, Stored, Timestamp,
    UpdateOutcome,
};
use nexios_store_encrypted::EncryptedStore;
use nexios_store_memory::MemoryStore;

pub(crate) const OLD: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const NEW: &str = "fedcba9876543210fedcba9876543210";

pub(crate) const NOW: Timestamp = Timestamp::from_unix_millis(1_000_000);
pub(crate) const LATER: Timestamp = Timestamp::from_unix_millis(2_000_000);

pub(crate) const TAG: PrincipalTag = PrincipalTag::from_bytes([0xa7; 32]);

/// Records in memory, with encrypted stores of any key ring on top.
#[derive(Default)]
pub(crate) struct Records(Arc<MemoryStore>);

impl Records {
    pub(crate) fn store(&self, keys: &[&str]) -> EncryptedStore<Arc<MemoryStore>> {
        EncryptedStore::new(self.0.clone(), &ring(keys))
    }

    /// Returns the record as the store inside has it.
    pub(crate) async fn raw(&self, id: &SessionId) -> Record {
        self.0.load(id, NOW).await.unwrap().unwrap().record
    }

    /// Puts a record into the store inside, without sealing it.
    pub(crate) async fn plant(&self, id: &SessionId, record: &Record) {
        let stored = self.0.load(id, NOW).await.unwrap();
        match stored {
            None => assert!(matches!(self.0.create(id, record, NOW).await, Ok(CreateOutcome::Created(_)))),
            Some(Stored { revision, .. }) => {
                let outcome = self.0.update(id, revision, record, NOW).await;
                assert!(matches!(outcome, Ok(UpdateOutcome::Updated(_))));
            }
        }
    }
}

pub(crate) fn ring(keys: &[&str]) -> KeyRing {
    KeyRing::from_text(&keys.join(",")).unwrap()
}

pub(crate) const fn id(number: u8) -> SessionId {
    SessionId::from_bytes([number; 16])
}

pub(crate) fn record(payload: impl AsRef<[u8]>) -> Record {
    Record { payload: payload.as_ref().to_vec().into(), expires_at: LATER, principal: None }
}

pub(crate) fn tagged(payload: impl AsRef<[u8]>) -> Record {
    Record { principal: Some(TAG), ..record(payload) }
}

pub(crate) async fn created(store: &impl SessionStore, id: &SessionId, record: &Record) -> Revision {
    match store.create(id, record, NOW).await.unwrap() {
        CreateOutcome::Created(revision) => revision,
        CreateOutcome::IdTaken => panic!("the id is taken"),
    }
}

/// The result of a load, short enough to compare.
pub(crate) async fn loaded(store: &impl SessionStore, id: &SessionId) -> Loaded {
    match store.load(id, NOW).await {
        Ok(None) => Loaded::Absent,
        Ok(Some(stored)) => Loaded::Record(stored.record),
        Err(error) => Loaded::Failed(error.kind()),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Loaded {
    Absent,
    Record(Record),
    Failed(StoreErrorKind),
}

pub(crate) const NO_KEY: Loaded = Loaded::Failed(StoreErrorKind::NoKey);
pub(crate) const UNSUPPORTED: Loaded = Loaded::Failed(StoreErrorKind::Unsupported);

/// Returns the error of a load, with its causes.
pub(crate) async fn shown(store: &impl SessionStore, id: &SessionId) -> String {
    let error = failed(store.load(id, NOW).await);
    format!("{error}: {}", error.source().unwrap())
}

fn failed<T>(result: Result<T>) -> nexios_store_core::StoreError {
    result.err().unwrap_or_else(|| panic!("it did not fail"))
}
