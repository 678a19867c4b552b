use std::time::SystemTime;

use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, Record, RenameOutcome, Result, Revision, SessionId,
    SessionStore, Stored, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};
use nexios_store_testkit::broken::Model;

/// A store that goes by its own clock and not by its caller's, like a server that expires records. It leaves out what a
/// store may leave out.
#[derive(Debug, Default)]
pub(crate) struct OwnClock(Model);

fn now() -> Timestamp {
    SystemTime::now().into()
}

#[async_trait]
impl SessionStore for OwnClock {
    async fn load(&self, id: &SessionId, _: Timestamp) -> Result<Option<Stored>> {
        self.0.load(id, now()).await
    }

    async fn create(&self, id: &SessionId, record: &Record, _: Timestamp) -> Result<CreateOutcome> {
        self.0.create(id, record, now()).await
    }

    async fn update(&self, id: &SessionId, expected: Revision, record: &Record, _: Timestamp) -> Result<UpdateOutcome> {
        self.0.update(id, expected, record, now()).await
    }

    async fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        _: Timestamp,
    ) -> Result<RenameOutcome> {
        self.0.rename(old, expected, new, record, now()).await
    }

    async fn touch(&self, id: &SessionId, seen: Revision, expires_at: Timestamp, _: Timestamp) -> Result<TouchOutcome> {
        self.0.touch(id, seen, expires_at, now()).await
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        self.0.delete(id).await
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        None
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        None
    }
}
