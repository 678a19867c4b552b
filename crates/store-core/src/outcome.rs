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
    /// The record is stored, at this revision.
    Created(Revision),
    /// A live record has this id; nothing was changed.
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
    /// The record is replaced, and has this revision now.
    Updated(Revision),
    /// The record is at another revision: somebody else came first. Nothing was changed.
    Conflict,
    /// There is no live record of this id. Nothing was changed.
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
    /// The old id's record is at another revision. Nothing was changed.
    Conflict,
    /// There is no live record of the old id. Nothing was changed.
    Missing,
    /// A live record has the new id. Nothing was changed.
    IdTaken,
}

/// The answer to [`touch`](crate::SessionStore::touch).
///
/// # Examples
///
/// ```
/// use nexios_store_core::{Result, SessionId, SessionStore, Timestamp, TouchOutcome};
/// use std::time::Duration;
///
/// /// Whether the session goes on, for half an hour at least.
/// async fn is_alive(store: &dyn SessionStore, id: &SessionId, now: Timestamp) -> Result<bool> {
///     let until = now.saturating_add(Duration::from_secs(30 * 60));
///     Ok(store.touch(id, until, now).await? == TouchOutcome::Touched)
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the session may have ended"]
pub enum TouchOutcome {
    /// The record lives at least as long as was asked.
    Touched,
    /// There is no live record of this id.
    Missing,
}

/// The answer to [`delete`](crate::SessionStore::delete).
///
/// # Examples
///
/// ```
/// use nexios_store_core::{DeleteOutcome, Result, SessionId, SessionStore};
///
/// /// How many of these sessions this call has ended.
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
    /// The record is gone.
    Deleted,
    /// There was none.
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
    /// How many expired records this call removed.
    pub removed: usize,
    /// Whether another call would find more to look at now.
    pub more: bool,
}
