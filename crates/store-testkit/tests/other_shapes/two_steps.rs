use std::num::NonZeroUsize;

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, PrincipalTag, Record, RenameOutcome, Result, Revision,
    SessionId, SessionStore, Stored, Swept, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};
use nexios_store_testkit::broken::Model;
use nexios_store_testkit::{Fault, FaultInjection};

/// A store that renames in two steps: it creates the new record, then deletes the old one. A backend that cannot do
/// both at once must do this.
///
/// Writers take turns. Readers do not wait, so for a while they see both records and find both listed. Both also remain
/// if the second step is never made.
#[derive(Debug, Default)]
pub(crate) struct TwoSteps {
    model: Model,
    turn: tokio::sync::Mutex<()>,
}

#[async_trait]
impl SessionStore for TwoSteps {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        self.model.load(id, now).await
    }

    async fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let _turn = self.turn.lock().await;
        self.model.create(id, record, now).await
    }

    async fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let _turn = self.turn.lock().await;
        self.model.update(id, expected, record, now).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let _turn = self.turn.lock().await;
        match self.model.load(old, now).await? {
            None => return Ok(RenameOutcome::Missing),
            Some(stored) if stored.revision != expected => return Ok(RenameOutcome::Conflict),
            Some(_) => {}
        }
        if self.model.load(new, now).await?.is_some() {
            return Ok(RenameOutcome::IdTaken);
        }
        let CreateOutcome::Created(revision) = self.model.create(new, record, now).await? else {
            return Ok(RenameOutcome::IdTaken);
        };
        if let Err(error) = self.model.delete(old).await {
            let _ = self.model.delete(new).await;
            return Err(error);
        }
        Ok(RenameOutcome::Renamed(revision))
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let _turn = self.turn.lock().await;
        self.model.touch(id, seen, expires_at, now).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        let _turn = self.turn.lock().await;
        self.model.delete(id).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        Some(self)
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        Some(self)
    }
}

#[async_trait]
impl DeleteExpired for TwoSteps {
    async fn delete_expired(&self, now: Timestamp, limit: NonZeroUsize) -> Result<Swept> {
        let _turn = self.turn.lock().await;
        self.model.delete_expired(now, limit).await
    }
}

#[async_trait]
impl PrincipalIndex for TwoSteps {
    async fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>> {
        self.model.sessions_of(tag, now).await
    }
}

#[async_trait]
impl FaultInjection for TwoSteps {
    fn arm(&self, fault: Fault, step: usize) {
        self.model.arm(fault, step);
    }

    async fn disarm(&self) -> bool {
        self.model.disarm().await
    }
}
