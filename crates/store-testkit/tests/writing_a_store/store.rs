use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::num::NonZeroUsize;
use std::path::PathBuf;

use bytes::Bytes;
use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, StoreError, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};
use serde::{Deserialize, Serialize};

/// Keeps all sessions in one file of a directory. Any number of processes may use it at the same time.
#[derive(Clone, Debug)]
pub struct OneFileStore {
    dir: PathBuf,
}

/// The content of the file.
#[derive(Default, Serialize, Deserialize)]
struct Sessions {
    rows: HashMap<[u8; 16], Row>,
    last_revision: u64, // counted for the whole store: no revision is ever used twice
}

#[derive(Serialize, Deserialize)]
struct Row {
    revision: u64,
    payload: Bytes,
    expires_at: u64,
    principal: Option<[u8; 32]>,
}

impl Sessions {
    /// The row of an id, unless it has expired.
    fn live(&self, id: &SessionId, now: Timestamp) -> Option<&Row> {
        self.rows.get(id.as_bytes()).filter(|row| row.is_live(now))
    }

    /// Puts a record under an id, whatever is there, at a revision that never was.
    fn put(&mut self, id: &SessionId, record: &Record) -> Revision {
        self.last_revision += 1;
        let row = Row {
            revision: self.last_revision,
            payload: record.payload.clone(),
            expires_at: record.expires_at.as_unix_millis(),
            principal: record.principal.map(|tag| *tag.as_bytes()),
        };
        self.rows.insert(*id.as_bytes(), row);
        Revision::new(self.last_revision)
    }
}

impl Row {
    fn is_live(&self, now: Timestamp) -> bool {
        now.as_unix_millis() < self.expires_at
    }

    fn is_at(&self, revision: Revision) -> bool {
        self.revision == revision.as_u64()
    }

    fn to_stored(&self) -> Stored {
        let record = Record {
            payload: self.payload.clone(),
            expires_at: Timestamp::from_unix_millis(self.expires_at),
            principal: self.principal.map(PrincipalTag::from_bytes),
        };
        Stored { record, revision: Revision::new(self.revision) }
    }
}

impl OneFileStore {
    /// Opens the store in a directory that exists.
    pub fn open(dir: impl Into<PathBuf>) -> io::Result<Self> {
        let dir = dir.into();
        File::create(dir.join("lock"))?; // and never removed: whoever holds it locked must have the one that others open
        Ok(Self { dir })
    }

    /// Looks at the sessions as they are at one moment.
    async fn look<T: Send + 'static>(&self, look: impl FnOnce(&Sessions) -> T + Send + 'static) -> Result<T> {
        let store = self.clone();
        blocking(move || Ok(look(&store.read()?))).await
    }

    /// Changes the sessions, alone.
    async fn change<T: Send + 'static>(&self, change: impl FnOnce(&mut Sessions) -> T + Send + 'static) -> Result<T> {
        let store = self.clone();
        blocking(move || {
            let lock = File::open(store.dir.join("lock"))?;
            lock.lock()?; // until `lock` is dropped, or the process dies
            let mut sessions = store.read()?;
            let answer = change(&mut sessions);
            store.write(&sessions)?;
            Ok(answer)
        })
        .await
    }

    fn read(&self) -> io::Result<Sessions> {
        match fs::read(self.dir.join("sessions")) {
            Ok(bytes) => rmp_serde::from_slice(&bytes).map_err(io::Error::other),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Sessions::default()),
            Err(error) => Err(error),
        }
    }

    /// Replaces the file: whoever reads meanwhile, and whatever fails, finds the old one or the new one, whole.
    fn write(&self, sessions: &Sessions) -> io::Result<()> {
        let next = self.dir.join("sessions.next");
        fs::write(&next, rmp_serde::to_vec(sessions).map_err(io::Error::other)?)?;
        fs::rename(&next, self.dir.join("sessions"))
    }
}

/// Does blocking work away from the async threads. Once begun it runs to its end, whoever still waits for it.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result.map_err(StoreError::backend),
        Err(error) => Err(StoreError::backend(error)),
    }
}

#[async_trait]
impl SessionStore for OneFileStore {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        let id = *id;
        self.look(move |sessions| sessions.live(&id, now).map(Row::to_stored)).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let (id, record) = (*id, record.clone());
        self.change(move |sessions| match sessions.live(&id, now) {
            Some(_) => CreateOutcome::IdTaken,
            None => CreateOutcome::Created(sessions.put(&id, &record)),
        })
        .await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let (id, record) = (*id, record.clone());
        self.change(move |sessions| match sessions.live(&id, now) {
            None => UpdateOutcome::Missing,
            Some(row) if !row.is_at(expected) => UpdateOutcome::Conflict,
            Some(_) => UpdateOutcome::Updated(sessions.put(&id, &record)),
        })
        .await
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let (old, new, record) = (*old, *new, record.clone());
        self.change(move |sessions| match sessions.live(&old, now) {
            None => RenameOutcome::Missing,
            Some(row) if !row.is_at(expected) => RenameOutcome::Conflict,
            Some(_) if sessions.live(&new, now).is_some() => RenameOutcome::IdTaken,
            Some(_) => {
                sessions.rows.remove(old.as_bytes());
                RenameOutcome::Renamed(sessions.put(&new, &record))
            }
        })
        .await
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let id = *id;
        self.change(move |sessions| match sessions.rows.get_mut(id.as_bytes()).filter(|row| row.is_live(now)) {
            None => TouchOutcome::Missing,
            Some(row) if !row.is_at(seen) => TouchOutcome::Conflict,
            Some(row) => {
                row.expires_at = row.expires_at.max(expires_at.as_unix_millis());
                TouchOutcome::Touched
            }
        })
        .await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        let id = *id;
        self.change(move |sessions| match sessions.rows.remove(id.as_bytes()) {
            Some(_) => DeleteOutcome::Deleted,
            None => DeleteOutcome::Missing,
        })
        .await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl DeleteExpired for OneFileStore {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        self.change(move |sessions| {
            let expired = sessions.rows.extract_if(|_, row| !row.is_live(now));
            let removed = expired.take(limit.get()).count();
            Swept { removed, more: removed == limit.get() }
        })
        .await
    }
}

#[async_trait]
impl PrincipalIndex for OneFileStore {
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let tag = Some(*tag.as_bytes());
        self.look(move |sessions| {
            let theirs = sessions.rows.iter().filter(|(_, row)| row.principal == tag && row.is_live(now));
            theirs.map(|(id, _)| SessionId::from_bytes(*id)).collect()
        })
        .await
    }
}
