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
/// The test kit, `nexios-store-testkit`, has a test for each clause and names it by these letters. An id is *taken*
/// while it has a live record, and *free* otherwise.
///
/// * (a) **Contents.** What was written is read back byte for byte.
/// * (b) **Expiry.** A record has expired when its `expires_at` is not later than `now`. Every method treats an expired
///   record as absent, and its id as free. [`delete`](Self::delete) is the exception, because it does not know the
///   time.
/// * (c) **One creator.** Of any number of concurrent `create`s of a free id, exactly one is answered `Created`.
/// * (d) **One writer.** Of any number of concurrent `update`s and `rename`s from the same revision, exactly one
///   succeeds.
/// * (e) **Revisions.** An id never has the same revision twice, not even after it was deleted and created again.
/// * (f) **No return.** Only `create` and a successful `rename` bring an id to life. No `update`, no `touch` and no
///   late write does. Of a `delete` and a `rename` of the same id, at most one succeeds: a deleted session does not
///   live on under another id.
/// * (g) **Touch.** `touch` acts only on the revision that its caller has seen. It never shortens the life of a record,
///   never changes its payload or its revision, and never loses a concurrent write.
/// * (h) **Dropped futures.** A future that is dropped at any await leaves the old record or the new one, never a
///   mixture.
/// * (i) **Taken ids.** `rename` refuses a new id that is taken, the session's own id included.
/// * (j) **Sweep.** `delete_expired(limit)` removes at most `limit` records, removes expired records only, and does not
///   stop at a record that it cannot read.
/// * (k) **Index.** While no call is in flight, the principal index lists exactly the live sessions of a tag. It
///   follows every `create`, `update`, `rename` and `delete`, and every expiry. A listing that overlaps a `rename`
///   shows the old id, the new id or both. A listing that overlaps several renames of a session shows at least one of
///   its ids.
/// * (l) **Errors.** An error from `rename` or `delete` leaves the old record as it was.
/// * (m) **Crashes.** A crash inside `rename` leaves the old record, the new record or both, each as it was written. If
///   the rename sets a principal, only the new record bears it. If the principal stays the same, both records bear it,
///   and the index lists both.
///
/// If (c) to (f) do not hold, parallel requests lose each other's changes and a slow request undoes a logout.
///
/// # What a store may leave out
///
/// * [`set_aside`](Self::set_aside).
/// * Sweeping, if the backend expires records by itself: [`expiry`](Self::expiry) is then `None`.
/// * The index of principals: [`principals`](Self::principals) is then `None`, and a request to revoke a user's
///   sessions is refused as unsupported.
///
/// A store need not understand a payload, and must not try.
///
/// # Errors
///
/// A method fails only if the backend could not be asked or the record could not be read. "There is no such session"
/// and "somebody else came first" are outcomes, not errors. [`StoreErrorKind`](crate::StoreErrorKind) lists what an
/// error can mean; it never means that a session does not exist. No error may contain an id, a payload, or a path that
/// contains an id.
///
/// # Time
///
/// A store never reads a clock: the caller passes the time as `now`. If the backend expires records by a clock of its
/// own, the store documents how far the two clocks may be apart.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{RenameOutcome, Result, SessionId, SessionStore, StoreError, Timestamp};
///
/// /// Gives a session a new id, unless it has ended or somebody else has changed it.
/// async fn cycle(store: &dyn SessionStore, id: &SessionId, now: Timestamp) -> Result<Option<SessionId>> {
///     let Some(stored) = store.load(id, now).await? else { return Ok(None) };
///     let new = SessionId::generate().map_err(StoreError::backend)?;
///     let outcome = store.rename(id, stored.revision, &new, &stored.record, now).await?;
///     Ok(matches!(outcome, RenameOutcome::Renamed(_)).then_some(new))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a session store",
    label = "does not implement `SessionStore`",
    note = "a store is passed by value, or in an `Arc` or a `Box`",
    note = "where opening a store returns a `Result`, `?` takes the store out of it"
)]
#[async_trait]
pub trait SessionStore: fmt::Debug + Send + Sync + 'static {
    /// Reads the live record of `id`, and the revision that it is at.
    ///
    /// Returns `None` if the id has no record or if its record has expired. Never returns a mixture of two writes, and
    /// never a record older than one that was acknowledged before the call.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked, or if the record is [corrupt](crate::StoreErrorKind::Corrupt) or
    /// [unsupported](crate::StoreErrorKind::Unsupported). None of these may be answered as `None`, or an outage would
    /// look like a logout.
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>>;

    /// Stores a new record under an id that is free.
    ///
    /// * [`Created`](CreateOutcome::Created): the record is stored, at this revision. A record that had expired under
    ///   the id is replaced.
    /// * [`IdTaken`](CreateOutcome::IdTaken): the id has a live record. Nothing has changed.
    ///
    /// Never replaces a live record, and never gives out a revision that the id had before.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked. After an error the caller does not know whether the record was stored.
    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome>;

    /// Replaces the whole record of `id`, if it is still at the revision `expected`.
    ///
    /// * [`Updated`](UpdateOutcome::Updated): the record is replaced, and is at this new revision.
    /// * [`Conflict`](UpdateOutcome::Conflict): the record is at another revision, because another writer came first.
    ///   Nothing has changed.
    /// * [`Missing`](UpdateOutcome::Missing): the session was deleted or renamed, or has expired. Nothing has changed.
    ///
    /// Never brings a session back, and never overwrites a change that the caller has not seen. The new `expires_at`
    /// may be earlier than the old one.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked, or if the present record could not be read. After a
    /// [backend](crate::StoreErrorKind::Backend) error the caller does not know whether the record was replaced.
    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome>;

    /// Moves a session from the id `old` to the id `new` and replaces its record, if it is still at the revision
    /// `expected`.
    ///
    /// * [`Renamed`](RenameOutcome::Renamed): the new id has the record, at this revision, and the old id has none.
    /// * [`Conflict`](RenameOutcome::Conflict): the old record is at another revision. Nothing has changed.
    /// * [`Missing`](RenameOutcome::Missing): the old id has no live record. Nothing has changed.
    /// * [`IdTaken`](RenameOutcome::IdTaken): the new id has a live record. Nothing has changed.
    ///
    /// To an observer both steps happen at once. If the backend cannot do that, the store makes the new record before
    /// it removes the old one, so that the session exists under one of the two ids at every moment. The old record
    /// never gets a principal that only the new record was given.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked, or if the old record could not be read. After an error the old record
    /// is as it was.
    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome>;

    /// Lets the record of `id` live at least until `expires_at`, if it is still at the revision `seen`.
    ///
    /// * [`Touched`](TouchOutcome::Touched): the record lives until `expires_at`, or longer if it already would have.
    /// * [`Conflict`](TouchOutcome::Conflict): another caller has written the record. Nothing has changed: what that
    ///   caller has decided about its life is not undone by one who does not know it.
    /// * [`Missing`](TouchOutcome::Missing): the id has no live record. Nothing has changed.
    ///
    /// Changes the expiry and nothing else: an `update` from a revision that was read before the touch still succeeds.
    /// Never shortens a life, never brings an expired record back, and never undoes a write that happens at the same
    /// time.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked, or if the record could not be read. After a
    /// [backend](crate::StoreErrorKind::Backend) error the caller does not know whether the expiry was moved.
    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome>;

    /// Removes the record of `id`, whatever its revision.
    ///
    /// * [`Deleted`](DeleteOutcome::Deleted): this call removed the record.
    /// * [`Missing`](DeleteOutcome::Missing): the id has no record.
    ///
    /// The method is not given the time, so it cannot tell whether a record has expired. For an expired record a store
    /// may answer either, whichever is easier.
    ///
    /// No call that is in flight at the same time may bring the session back, under this id or, by a `rename`, under
    /// another: a logout is not undone.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked. After an error the record is as it was.
    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome>;

    /// Moves a [corrupt](crate::StoreErrorKind::Corrupt) record out of the way, to where an operator can look at it.
    ///
    /// Must not touch a record that turns out to be readable, and does nothing if the id has no record. The store
    /// bounds what it keeps set aside. The default implementation leaves the record where it is.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked, or if the record could not be moved.
    async fn set_aside(&self, _id: &SessionId) -> Result<()> {
        Ok(())
    }

    /// Returns the means to remove expired records, or `None` if the backend removes them by itself.
    ///
    /// The method is required, so that a store that wraps another store cannot forget it.
    fn expiry(&self) -> Option<&dyn DeleteExpired>;

    /// Returns the means to find a user's sessions, or `None` if the store keeps no index.
    ///
    /// `None` makes a revocation fail as unsupported. An index that lists too little would leave somebody logged in.
    /// The method is required, so that a store that wraps another store cannot forget it.
    fn principals(&self) -> Option<&dyn PrincipalIndex>;
}

/// The removal of expired records, in bounded steps.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{Result, SessionStore, Timestamp};
/// use std::num::NonZeroUsize;
///
/// /// Sweeps in small steps, so that other calls get their turn in between.
/// async fn sweep(store: &dyn SessionStore, now: Timestamp) -> Result<()> {
///     let Some(expiry) = store.expiry() else { return Ok(()) };
///     while expiry.delete_expired(now, NonZeroUsize::MIN.saturating_add(99)).await?.more {}
///     Ok(())
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot remove expired records",
    label = "does not implement `DeleteExpired`",
    note = "implement it, or return `None` from `expiry` if the backend expires records by itself"
)]
#[async_trait]
pub trait DeleteExpired: Send + Sync {
    /// Removes at most `limit` records that have expired at `now`, and says whether another call is worthwhile.
    ///
    /// A call does a bounded amount of work, however many records there are. It goes on past a record that it cannot
    /// read. It never removes a record that is live, not even one that comes to life while the call runs.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked. Some expired records may have been removed by then.
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept>;
}

/// The index that finds the sessions of a user.
///
/// # Examples
///
/// ```
/// use nexios_store_core::{PrincipalTag, Result, SessionStore, Timestamp};
///
/// /// Counts the sessions of a user; `None` if the store keeps no index.
/// async fn devices(store: &dyn SessionStore, tag: &PrincipalTag, now: Timestamp) -> Result<Option<usize>> {
///     let Some(index) = store.principals() else { return Ok(None) };
///     Ok(Some(index.sessions_of(tag, now).await?.len()))
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no index of users",
    label = "does not implement `PrincipalIndex`",
    note = "implement it, or return `None` from `principals` if the store keeps no index"
)]
#[async_trait]
pub trait PrincipalIndex: Send + Sync {
    /// Returns the ids of the live sessions that bear `tag`, in no particular order.
    ///
    /// A session that is renamed while the call runs is listed under its old id, its new id or both, never under
    /// neither. A record that is there and cannot be read may be listed, live or not: the caller then meets its error.
    ///
    /// # Errors
    ///
    /// Fails if the backend could not be asked. A store never returns an empty or shorter list in place of an error.
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>>;
}

/// Implements `SessionStore` for a pointer to a store.
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

            async fn touch(
                &self,
                id: &SessionId,
                seen: Revision,
                expires_at: Timestamp,
                now: Timestamp,
            ) -> Result<TouchOutcome> {
                (**self).touch(id, seen, expires_at, now).await
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
