use std::fmt;
use std::num::NonZeroUsize;

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};

use super::Model;
use crate::{Fault, FaultInjection};

/// The difference between a broken store and the model. Each method that is not written does what the model does.
///
/// A twist is no [`Hook`](crate::hook::Hook): it chooses another answer, and a hook only lets answers pass or fail.
#[async_trait]
pub(super) trait Twist: Default + Send + Sync + 'static {
    async fn load(&self, model: &Model, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        model.load(id, now).await
    }

    async fn create(&self, model: &Model, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        model.create(id, record, now).await
    }

    async fn update(
        &self,
        model: &Model,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        model.update(id, expected, record, now).await
    }

    async fn rename(
        &self,
        model: &Model,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        model.rename(old, expected, new, record, now).await
    }

    async fn touch(
        &self,
        model: &Model,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        model.touch(id, seen, expires_at, now).await
    }

    async fn delete(&self, model: &Model, id: &SessionId) -> Result<DeleteOutcome> {
        model.delete(id).await
    }

    async fn set_aside(&self, model: &Model, id: &SessionId) -> Result<()> {
        model.set_aside(id).await
    }

    async fn delete_expired(&self, model: &Model, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        model.delete_expired(now, limit).await
    }

    async fn sessions_of(&self, model: &Model, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        model.sessions_of(tag, now).await
    }
}

/// The model with a twist.
#[derive(Default)]
pub(super) struct Twisted<T> {
    pub(super) model: Model,
    twist: T,
}

#[async_trait]
impl<T: Twist> SessionStore for Twisted<T> {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        self.twist.load(&self.model, id, now).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        self.twist.create(&self.model, id, record, now).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        self.twist.update(&self.model, id, expected, record, now).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        self.twist.rename(&self.model, old, expected, new, record, now).await
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        self.twist.touch(&self.model, id, seen, expires_at, now).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.twist.delete(&self.model, id).await
    }

    async fn set_aside(&self, id: &SessionId) -> Result<()> {
        self.twist.set_aside(&self.model, id).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl<T: Twist> DeleteExpired for Twisted<T> {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        self.twist.delete_expired(&self.model, now, limit).await
    }
}

#[async_trait]
impl<T: Twist> PrincipalIndex for Twisted<T> {
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        self.twist.sessions_of(&self.model, tag, now).await
    }
}

#[async_trait]
impl<T: Twist> FaultInjection for Twisted<T> {
    fn arm(&self, fault: Fault, step: usize) {
        self.model.arm(fault, step);
    }

    async fn disarm(&self) -> bool {
        self.model.disarm().await
    }
}

impl<T> fmt::Debug for Twisted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Twisted").field("model", &self.model).finish_non_exhaustive()
    }
}
