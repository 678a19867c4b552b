use std::fmt;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nexios_settings::Vars;
use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};

use crate::error::{DirectoryProblem, Failure};
use crate::lock::Locks;
use crate::options::{FileStoreBuilder, FileStoreConfig};
use crate::records::Records;
use crate::sweep::Sweeper;
use crate::sys::{ActiveHooks, Hooks};
use crate::{OpenError, quarantine, root};

/// A store that keeps one file per session in a directory.
///
/// Any number of threads and processes can use one directory at the same time, through the same `FileStore` or through
/// several. Clones share what is open: the directory, 81 lock files, and the place that the sweep has reached.
///
/// See the [crate] documentation for an example and for the guarantees.
///
/// # Examples
///
/// ```
/// use nexios_settings::Vars;
/// use nexios_store_file::FileStore;
///
/// # let parent = tempfile::tempdir()?;
/// # let dir = parent.path().join("sessions");
/// let store = FileStore::from_vars(&Vars::from_iter([("SESSION_DIR", &dir)]))?;
/// let another = FileStore::open(&dir)?; // as another process would
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct FileStore(Arc<Inner>);

struct Inner {
    dir: PathBuf,
    inline_reads: bool,
    records: Records,
    sweeper: Sweeper,
    hooks: ActiveHooks,
}

impl FileStore {
    /// Opens the store in the directory `dir`, and creates the directory if it does not exist.
    ///
    /// # Errors
    ///
    /// Fails if the directory cannot be created or opened, belongs to another user, or is open to other users.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self, OpenError> {
        Self::builder(dir).open()
    }

    /// Returns a builder that opens the store in the directory `dir` with options.
    pub fn builder(dir: impl AsRef<Path>) -> FileStoreBuilder {
        FileStoreBuilder::new(dir.as_ref())
    }

    /// Opens the store that the environment variables `SESSION_DIR` and `SESSION_DURABILITY` describe.
    ///
    /// See [`FileStoreConfig`] for their values and defaults.
    ///
    /// # Errors
    ///
    /// Fails if a variable has a value that is not allowed, and where [`open`](Self::open) fails.
    pub fn from_env() -> Result<Self, OpenError> {
        Self::from_vars(&Vars::process())
    }

    /// Opens the store that `vars` describes, as [`from_env`](Self::from_env) does with the environment.
    ///
    /// # Errors
    ///
    /// Fails where [`from_env`](Self::from_env) fails.
    pub fn from_vars(vars: &Vars) -> Result<Self, OpenError> {
        FileStoreBuilder::from(FileStoreConfig::from_vars(vars)?).open()
    }

    pub(crate) fn open_with(options: FileStoreBuilder) -> Result<Self, OpenError> {
        let FileStoreBuilder { dir, durability, lock_timeout, inline_reads } = options;
        let directory = root::open(&dir)?;
        let locks = Locks::open(&directory, lock_timeout)
            .map_err(|error| OpenError::directory(&dir, DirectoryProblem::Prepare(error)))?;
        let records = Records { directory, locks, durability };
        Ok(Self(Arc::new(Inner { dir, inline_reads, records, sweeper: Sweeper::default(), hooks: Default::default() })))
    }

    /// Does blocking work away from the async threads.
    ///
    /// Work that has begun runs to its end, even if nobody waits for it any more.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Inner) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T> {
        let store = self.clone();
        let runtime = tokio::runtime::Handle::try_current().map_err(|_| Failure::NoRuntime)?;
        let done = runtime.spawn_blocking(move || store.hooks().during(|| work(&store.0))).await;
        Ok(done.map_err(|_| Failure::TaskLost)??)
    }

    /// The hooks through which tests let the system calls of this store fail.
    pub(crate) fn hooks(&self) -> &ActiveHooks {
        &self.0.hooks
    }
}

impl fmt::Debug for FileStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileStore")
            .field("dir", &self.0.dir)
            .field("durability", &self.0.records.durability)
            .field("inline_reads", &self.0.inline_reads)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl SessionStore for FileStore {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        if self.0.inline_reads
            && let Some(answer) = self.0.records.load_unlocked(id, now)?
        {
            return Ok(answer);
        }
        let id = *id;
        self.blocking(move |store| store.records.load(&id, now)).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let (id, record) = (*id, record.clone());
        self.blocking(move |store| store.records.create(&id, &record, now)).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let (id, record) = (*id, record.clone());
        self.blocking(move |store| store.records.update(&id, expected, &record, now)).await
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
        self.blocking(move |store| store.records.rename(&old, expected, &new, &record, now)).await
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let id = *id;
        self.blocking(move |store| store.records.touch(&id, seen, expires_at, now)).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        let id = *id;
        self.blocking(move |store| store.records.delete(&id)).await
    }

    /// Moves the record to `.corrupt` in the session directory, which keeps the latest 100 files or 16 MiB.
    ///
    /// Only a record that is damaged for good is moved. Fails if what has the record's name cannot be used for now: a
    /// link, another user's file, or a file that cannot be read.
    async fn set_aside(&self, id: &SessionId) -> Result<()> {
        let id = *id;
        self.blocking(move |store| quarantine::set_aside(&store.records, &id)).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl PrincipalIndex for FileStore {
    /// Lists the live sessions of a principal.
    ///
    /// The list also has each session that a newer program wrote and each whose record cannot be read, live or not:
    /// whoever revokes sessions must find it, and an outage must not look like the end of a session.
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        let tag = *tag;
        self.blocking(move |store| store.records.sessions_of(&tag, now)).await
    }
}

#[async_trait]
impl DeleteExpired for FileStore {
    /// Looks at up to 256 files. The next call continues where this one ended.
    ///
    /// `more` is `false` at the end of a pass through all files, and while somebody else sweeps. One pass removes at
    /// most 1000 records or half of those it saw, whichever is more. After a jump of the clock, the rest is left for
    /// the next pass.
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        self.blocking(move |store| store.sweeper.step(&store.records, now, limit)).await
    }
}
