use std::collections::BTreeSet;
use std::error::Error;
use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use nexios_store_core::{
    CreateOutcome, DeleteOutcome, PrincipalTag, Record, RenameOutcome, Result, Revision, SessionId, SessionStore,
    StoreError, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome,
};

use crate::clock::Clock;

/// Calls a store on behalf of a clause.
///
/// The methods named after the store's panic if the store fails. Those named after an answer also want that answer.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    clause: char,
    store: Arc<dyn SessionStore>,
    clock: Clock,
}

/// Ends the clause as broken unless the condition holds. The message states the expectation.
macro_rules! ensure {
    ($caller:expr, $condition:expr, $($expected:tt)+) => {
        if !$condition {
            $caller.broken(format_args!($($expected)+));
        }
    };
}
pub(crate) use ensure;

/// Ends the clause as broken unless the two values are equal. The message says what they stand for.
macro_rules! ensure_eq {
    ($caller:expr, $got:expr, $expected:expr, $($what:tt)+) => {
        match (&$got, &$expected) {
            (got, expected) => if got != expected {
                $caller.broken(format_args!("{}: expected {expected:?}, got {got:?}", format_args!($($what)+)));
            }
        }
    };
}
pub(crate) use ensure_eq;

impl Caller {
    pub(crate) fn new(clause: char, store: Arc<dyn SessionStore>, clock: Clock) -> Self {
        Self { clause, store, clock }
    }

    /// Returns a caller of the same store at another time. Only for stores whose time is an argument.
    pub(crate) fn at(&self, now: Timestamp) -> Self {
        let clock = Clock::Argument(Arc::new(now.as_unix_millis().into()));
        Self { clock, ..self.clone() }
    }

    pub(crate) fn store(&self) -> &dyn SessionStore {
        &*self.store
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns whether the kit decides the time, to the millisecond.
    pub(crate) fn decides_time(&self) -> bool {
        matches!(self.clock, Clock::Argument(_))
    }

    /// A record that outlives the test.
    pub(crate) fn record(&self, payload: impl Into<Bytes>) -> Record {
        let expires_at = self.now().saturating_add(LONG_LIFE);
        Record { payload: payload.into(), expires_at, principal: None }
    }

    pub(crate) fn tagged(&self, payload: impl Into<Bytes>, tag: PrincipalTag) -> Record {
        Record { principal: Some(tag), ..self.record(payload) }
    }

    /// The same record with a life so short that it ends during [`outlive`](Self::outlive).
    pub(crate) fn short_lived(&self, record: Record) -> Record {
        Record { expires_at: self.now().saturating_add(self.clock.short_life()), ..record }
    }

    /// Lets time pass until the short-lived records are expired.
    pub(crate) async fn outlive(&self) {
        self.clock.pass_short_life().await;
    }

    pub(crate) async fn load(&self, id: &SessionId) -> Option<Stored> {
        self.answer("load", self.store.load(id, self.now()).await)
    }

    pub(crate) async fn create(&self, id: &SessionId, record: &Record) -> CreateOutcome {
        self.answer("create", self.store.create(id, record, self.now()).await)
    }

    pub(crate) async fn update(&self, id: &SessionId, expected: Revision, record: &Record) -> UpdateOutcome {
        self.answer("update", self.store.update(id, expected, record, self.now()).await)
    }

    pub(crate) async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
    ) -> RenameOutcome {
        self.answer("rename", self.store.rename(old, expected, new, record, self.now()).await)
    }

    pub(crate) async fn touch(&self, id: &SessionId, seen: Revision, expires_at: Timestamp) -> TouchOutcome {
        self.answer("touch", self.store.touch(id, seen, expires_at, self.now()).await)
    }

    pub(crate) async fn delete(&self, id: &SessionId) -> DeleteOutcome {
        self.answer("delete", self.store.delete(id).await)
    }

    /// One step of a sweep. Only for stores that sweep.
    pub(crate) async fn sweep(&self, limit: usize) -> Swept {
        let limit = NonZeroUsize::new(limit).unwrap_or(NonZeroUsize::MIN);
        let Some(expiry) = self.store.expiry() else { self.broken(format_args!("expiry() was there and is gone")) };
        self.answer("delete_expired", expiry.delete_expired(self.now(), limit).await)
    }

    /// The sessions that an index lists, each once.
    pub(crate) async fn sessions_of(&self, tag: &PrincipalTag) -> BTreeSet<SessionId> {
        let Some(index) = self.store.principals() else {
            self.broken(format_args!("principals() was there and is gone"))
        };
        let listed = self.answer("sessions_of", index.sessions_of(tag, self.now()).await);
        let ids: BTreeSet<SessionId> = listed.iter().copied().collect();
        ensure!(self, ids.len() == listed.len(), "expected an index to list each session once, got {listed:?}");
        ids
    }

    pub(crate) async fn created(&self, id: &SessionId, record: &Record) -> Revision {
        match self.create(id, record).await {
            CreateOutcome::Created(revision) => revision,
            other @ CreateOutcome::IdTaken => {
                self.broken(format_args!("expected an id without a live record to be free, got {other:?}"))
            }
        }
    }

    /// A new session with this record.
    pub(crate) async fn session(&self, record: &Record) -> (SessionId, Revision) {
        let id = self.id();
        let revision = self.created(&id, record).await;
        (id, revision)
    }

    pub(crate) async fn updated(&self, id: &SessionId, expected: Revision, record: &Record) -> Revision {
        match self.update(id, expected, record).await {
            UpdateOutcome::Updated(revision) => revision,
            other => {
                self.broken(format_args!("expected an update from the current revision to succeed, got {other:?}"))
            }
        }
    }

    pub(crate) async fn renamed(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
    ) -> Revision {
        match self.rename(old, expected, new, record).await {
            RenameOutcome::Renamed(revision) => revision,
            other => self.broken(format_args!(
                "expected a rename from the current revision to a free id to succeed, got {other:?}"
            )),
        }
    }

    pub(crate) async fn deleted(&self, id: &SessionId) {
        ensure_eq!(self, self.delete(id).await, DeleteOutcome::Deleted, "deleting a live record");
    }

    /// Checks that the id has exactly this record.
    pub(crate) async fn finds(&self, id: &SessionId, record: &Record, revision: Revision, when: &str) {
        let Some(got) = self.load(id).await else {
            self.broken(format_args!("the record {when}: expected it to be there, got none"))
        };
        self.is_record(&got.record, record, when);
        ensure_eq!(self, got.revision, revision, "the revision of the record {when}");
    }

    /// Checks that two records are equal, and says what differs, because `Debug` shows no payload.
    pub(crate) fn is_record(&self, got: &Record, expected: &Record, when: &str) {
        let (len, expected_len) = (got.payload.len(), expected.payload.len());
        ensure!(
            self,
            got.payload == expected.payload,
            "expected the payload {when} to be the {expected_len} bytes that were written, got {len} other bytes"
        );
        ensure_eq!(self, got, expected, "the record {when}");
    }

    pub(crate) async fn finds_nothing(&self, id: &SessionId, when: &str) {
        ensure_eq!(self, self.load(id).await, None, "the record {when}");
    }

    /// Checks that the index, if there is one, lists exactly these sessions.
    pub(crate) async fn lists(&self, tag: &PrincipalTag, expected: &[SessionId], when: &str) {
        if self.store.principals().is_none() {
            return;
        }
        let listed = self.sessions_of(tag).await;
        let missing = expected.iter().filter(|id| !listed.contains(id)).count();
        let too_many = listed.iter().filter(|id| !expected.contains(id)).count();
        ensure!(
            self,
            missing == 0 && too_many == 0,
            "expected the index to list exactly the {} live sessions of the tag {when}, got {} of which {too_many} do not \
             belong there, while {missing} are missing",
            expected.len(),
            listed.len()
        );
    }

    /// A new id.
    pub(crate) fn id(&self) -> SessionId {
        match SessionId::generate() {
            Ok(id) => id,
            Err(error) => self.broken(format_args!("no new id, because the system's generator fails: {error}")),
        }
    }

    /// A new user.
    pub(crate) fn tag(&self) -> PrincipalTag {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(self.id().as_bytes());
        bytes[16..].copy_from_slice(self.id().as_bytes());
        PrincipalTag::from_bytes(bytes)
    }

    /// Returns the answer. An error breaks the clause, because no clause allows a healthy store to fail.
    pub(crate) fn answer<T>(&self, method: &str, result: Result<T>) -> T {
        result.unwrap_or_else(|error| {
            self.broken(format_args!("expected `{method}` to answer, but it failed: {}", chain(&error)))
        })
    }

    /// Checks that an error contains no secrets.
    pub(crate) fn keeps_secrets(&self, error: &StoreError, ids: &[SessionId], payload: &str) {
        let shown = format!("{} {error:?}", chain(error)).to_lowercase();
        let tells = |id: &SessionId| shown.contains(&*String::from_utf8_lossy(&id.to_hex()));
        ensure!(self, !ids.iter().any(tells), "expected an error without session ids, got one that contains an id");
        ensure!(
            self,
            !shown.contains(payload),
            "expected an error without payloads, got one that contains the payload"
        );
    }

    /// Ends the clause.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is how a test fails")]
    pub(crate) fn broken(&self, expected: fmt::Arguments<'_>) -> ! {
        panic!("clause ({}): {expected}", self.clause)
    }
}

fn chain(error: &StoreError) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

const LONG_LIFE: Duration = Duration::from_secs(3600);
