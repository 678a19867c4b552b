use crate::Revision;

/// The answer to [`create`](crate::SessionStore::create).
///
/// # Examples
///
/// ```
/// use nexios_store_core::{CreateOutcome, Record, Result, SessionId, SessionStore, StoreError, Timestamp};
///
/// /// Stores a record under a new id.
/// async fn store_anew(store: &dyn SessionStore, record: &Record, now: Timestamp) -> Result<SessionId> {
///     loop {
///         let id = SessionId::generate().map_err(StoreError::backend)?;
///         if let CreateOutcome::Created(_) = store.create(&id, record, now).await? {
///             return Ok(id);
///         }
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the session may not have been created"]
pub enum CreateOutcome {
    /// The record is stored, and is at this revision.
    Created(Revision),
    /// The id has a live record. Nothing has changed.
    IdTaken,
}

/// The answer to [`update`](crate::SessionStore::update).
///
/// # Examples
///
/// ```
/// use nexios_store_core::UpdateOutcome;
///
/// fn what_to_do(outcome: UpdateOutcome) -> &'static str {
///     match outcome {
///         UpdateOutcome::Updated(_) => "nothing",
///         UpdateOutcome::Conflict => "load, merge, and try again",
///         UpdateOutcome::Missing => "drop the change: the session has ended",
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the record may not have been updated"]
pub enum UpdateOutcome {
    /// The record is replaced, and is at this revision now.
    Updated(Revision),
    /// The record is at another revision, because another writer came first. Nothing has changed.
    Conflict,
    /// The id has no live record. Nothing has changed.
    Missing,
}

/// The answer to [`rename`](crate::SessionStore::rename).
///
/// # Examples
///
/// ```
/// use nexios_store_core::RenameOutcome;
///
/// fn what_to_do(outcome: RenameOutcome) -> &'static str {
///     match outcome {
///         RenameOutcome::Renamed(_) => "send the new id",
///         RenameOutcome::Conflict => "load, merge, and try again",
///         RenameOutcome::Missing => "drop the change: the session has ended",
///         RenameOutcome::IdTaken => "try another id",
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the record may not have been renamed"]
pub enum RenameOutcome {
    /// The new id has the record, at this revision, and the old id has none.
    Renamed(Revision),
    /// The old id's record is at another revision, because another writer came first. Nothing has changed.
    Conflict,
    /// The old id has no live record. Nothing has changed.
    Missing,
    /// The new id has a live record. Nothing has changed.
    IdTaken,
}

/// The answer to [`touch`](crate::SessionStore::touch).
///
/// # Examples
///
/// ```
/// use nexios_store_core::{Result, SessionId, SessionStore, Stored, Timestamp, TouchOutcome};
/// use std::time::Duration;
///
/// /// Lets a session live for at least half an hour more; `false` if it has ended, or was written since it was loaded.
/// async fn prolong(store: &dyn SessionStore, id: &SessionId, loaded: &Stored, now: Timestamp) -> Result<bool> {
///     let until = now.saturating_add(Duration::from_secs(30 * 60));
///     Ok(store.touch(id, loaded.revision, until, now).await? == TouchOutcome::Touched)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the session may have ended"]
pub enum TouchOutcome {
    /// The record lives at least as long as the caller asked.
    Touched,
    /// The record is at another revision than the caller has seen. Nothing has changed.
    Conflict,
    /// The id has no live record. Nothing has changed.
    Missing,
}

/// The answer to [`delete`](crate::SessionStore::delete).
///
/// # Examples
///
/// ```
/// use nexios_store_core::{DeleteOutcome, Result, SessionId, SessionStore};
///
/// /// Ends these sessions, and returns how many of them this call has ended.
/// async fn revoke(store: &dyn SessionStore, ids: &[SessionId]) -> Result<usize> {
///     let mut revoked = 0;
///     for id in ids {
///         revoked += usize::from(store.delete(id).await? == DeleteOutcome::Deleted);
///     }
///     Ok(revoked)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "there may have been nothing to delete"]
pub enum DeleteOutcome {
    /// This call removed the record.
    Deleted,
    /// The id has no record.
    Missing,
}

/// The answer to [`delete_expired`](crate::DeleteExpired::delete_expired).
///
/// # Examples
///
/// ```
/// use nexios_store_core::Swept;
///
/// let step = Swept { removed: 1_000, more: true };
/// assert!(step.more, "so call again");
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "there may be more to remove"]
pub struct Swept {
    /// The number of expired records that this call removed.
    pub removed: usize,
    /// `true` if another call would find more to look at now.
    pub more: bool,
}
