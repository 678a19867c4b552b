use std::fmt;
use std::num::NonZeroUsize;
use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    CreateOutcome, DeleteOutcome, PrincipalTag, Record, RenameOutcome, Result, Revision, SessionId, Stored, Swept,
    Timestamp, TouchOutcome, UpdateOutcome,
};

/// A place where sessions are kept.
///
/// # What a store promises
///
/// The letters are those of the test kit, `nexios-store-testkit`, which has a test for each clause.
///
/// * (a) What was written is read back byte for byte.
/// * (b) A record whose `expires_at` is not later than `now` is absent to every method.
/// * (c) Of any number of concurrent `create`s of one id exactly one is answered `Created`.
/// * (d) Of any number of concurrent `update`s or `rename`s from one revision exactly one succeeds.
/// * (e) A revision is never used again for an id, also not after the id was deleted and created anew.
/// * (f) Only `create` and a successful `rename` bring an id to life: no update, touch or late write does. Of a `delete` and
///   a `rename` of one id at most one succeeds: what was deleted does not live on under another id.
/// * (g) `touch` never shortens a life, changes neither payload nor revision, and never loses a concurrent write.
/// * (h) A future that is dropped at any await leaves the old record or the new one, never a mixture.
/// * (i) `rename` refuses a new id that is taken.
/// * (j) `delete_expired(limit)` removes at most `limit` records, only expired ones, and goes on past a bad one.
/// * (k) With nothing in flight the principal index lists exactly the live sessions of a tag, through create,
///   update, rename, delete and expiry. A listing that overlaps a rename shows the old id, the new one or both; one that
///   overlaps several shows at least one of the ids.
/// * (l) An error from `rename` or `delete` leaves the old record as it was.
/// * (m) A crash inside `rename` leaves the old record, the new one, or both, each as it was written. So a principal that
///   the rename sets is borne by the new one only; where the principal stays the same both bear it, and both are listed.
///
/// If (c) to (f) do not hold, parallel requests lose each other's changes and a slow request undoes a logout.
///
/// # What a store may leave out
///
/// [`set_aside`](Self::set_aside), sweeping (if its backend expires records by itself) and the principal index (then
/// revoking a user's sessions is refused as unsupported). A store need not understand a payload, and must not try.
///
/// # Errors
///
/// A method fails only if the backend could not be asked or the record could not be read; see
/// [`StoreErrorKind`](crate::StoreErrorKind). "There is no such session" and "somebody else came first" are answers.
/// No error may contain an id, a payload, or a path with an id in it.
///
/// # Time
///
/// A store never reads a clock; `now` is the caller's. One whose server expires records by its own clock documents
/// the skew.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{RenameOutcome, Result, SessionId, SessionStore, StoreError, Timestamp};
///
/// /// Gives a session a new id, unless it has ended or somebody else changes it.
/// async fn cycle(store: &dyn SessionStore, id: &SessionId, now: Timestamp) -> Result<Option<SessionId>> {
///     let Some(stored) = store.load(id, now).await? else { return Ok(None) };
///     let new = SessionId::generate().map_err(StoreError::backend)?;
///     let outcome = store.rename(id, stored.revision, &new, &stored.record, now).await?;
///     Ok(matches!(outcome, RenameOutcome::Renamed(_)).then_some(new))
/// }
/// ```
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Reads the live record of `id`.
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>>;

    /// Stores a record under an id that has none.
    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome>;

    /// Replaces the record of `id`, if it is still at `expected`.
    ///
    /// Answers [`Conflict`](UpdateOutcome::Conflict) when another writer came first, and
    /// [`Missing`](UpdateOutcome::Missing) when the session was deleted or has expired; an update never brings a
    /// session back.
    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome>;

    /// Moves the session from `old` to `new` and replaces its record, if it is still at `expected`.
    ///
    /// To an observer both happen at once; where the backend cannot do that, the new record is made before the old
    /// one is removed.
    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome>;

    /// Lets the record live at least until `expires_at`.
    async fn touch(&self, id: &SessionId, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome>;

    /// Removes the record of `id`, whatever its revision. An expired record is [`Missing`](DeleteOutcome::Missing)
    /// or [`Deleted`](DeleteOutcome::Deleted), as the store finds easier: without a time it cannot know.
    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome>;

    /// Puts a [corrupt](crate::StoreErrorKind::Corrupt) record out of the way, where an operator can look at it.
    ///
    /// Must leave a record alone that turns out to be readable. What was set aside is bounded by the store. The
    /// default leaves the record where it is.
    async fn set_aside(&self, _id: &SessionId) -> Result<()> {
        Ok(())
    }

    /// How expired records are removed; `None` if the backend does it by itself.
    ///
    /// Required, so that a store that wraps a store cannot forget it.
    fn expiry(&self) -> Option<&dyn DeleteExpired>;

    /// How a user's sessions are found; `None` if the store keeps no index.
    fn principals(&self) -> Option<&dyn PrincipalIndex>;
}

/// Removing expired records in bounded steps.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{Result, SessionStore, Timestamp};
/// use std::num::NonZeroUsize;
///
/// /// Sweeps in small steps, so that other calls get their turn.
/// async fn sweep(store: &dyn SessionStore, now: Timestamp) -> Result<()> {
///     let Some(expiry) = store.expiry() else { return Ok(()) };
///     while expiry.delete_expired(now, NonZeroUsize::MIN.saturating_add(99)).await?.more {}
///     Ok(())
/// }
/// ```
#[async_trait]
pub trait DeleteExpired: Send + Sync {
    /// Removes at most `limit` records that are expired at `now`, and says whether it is worth calling again.
    ///
    /// One call does a bounded amount of work, whatever the number of records. A bad record does not stop it.
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept>;
}

/// Finding the sessions of a user.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{PrincipalTag, Result, SessionStore, Timestamp};
///
/// /// How many sessions a user has; `None` if the store keeps no index.
/// async fn devices(store: &dyn SessionStore, tag: &PrincipalTag, now: Timestamp) -> Result<Option<usize>> {
///     let Some(index) = store.principals() else { return Ok(None) };
///     Ok(Some(index.sessions_of(tag, now).await?.len()))
/// }
/// ```
#[async_trait]
pub trait PrincipalIndex: Send + Sync {
    /// The ids of the live sessions that bear `tag`, in no particular order.
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>>;
}

/// A store behind a pointer is a store.
macro_rules! forward_to_pointee {
    ($pointer:ident) => {
        #[async_trait]
        impl<S: SessionStore + ?Sized> SessionStore for $pointer<S> {
            async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
                (**self).load(id, now).await
            }

            async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
                (**self).create(id, record, now).await
            }

            async fn update(
                &self,
                id: &SessionId,
                expected: Revision,
                record: &Record,
                now: Timestamp,
            ) -> Result<UpdateOutcome> {
                (**self).update(id, expected, record, now).await
            }

            async fn rename(
                &self,
                old: &SessionId,
                expected: Revision,
                new: &SessionId,
                record: &Record,
                now: Timestamp,
            ) -> Result<RenameOutcome> {
                (**self).rename(old, expected, new, record, now).await
            }

            async fn touch(&self, id: &SessionId, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome> {
                (**self).touch(id, expires_at, now).await
            }

            async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
                (**self).delete(id).await
            }

            async fn set_aside(&self, id: &SessionId) -> Result<()> {
                (**self).set_aside(id).await
            }

            fn expiry(&self) -> Option<&dyn DeleteExpired> {
                (**self).expiry()
            }

            fn principals(&self) -> Option<&dyn PrincipalIndex> {
                (**self).principals()
            }
        }
    };
}

forward_to_pointee!(Arc);
forward_to_pointee!(Box);
