use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nexios_signer::Sealer;
use nexios_store_core::{
    CreateOutcome, DeleteExpired, DeleteOutcome, PrincipalIndex, Record, RenameOutcome, Result, Revision, SessionId,
    SessionStore, Stored, Timestamp, TouchOutcome, UpdateOutcome, async_trait,
};

/// The one record of a session that its visitor's cookie holds, while the request lasts.
///
/// It makes a cookie look like a store, so that everything else about sessions is the same for both.
pub(crate) struct CookieSlot {
    sealer: Arc<Sealer>,
    held: Mutex<Option<(SessionId, Stored)>>,
}

impl CookieSlot {
    /// Makes an empty slot, whose record will be sealed by `sealer`.
    pub(crate) fn new(sealer: Arc<Sealer>) -> Self {
        Self { sealer, held: Mutex::default() }
    }

    pub(crate) fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Puts in what the visitor's cookie held.
    pub(crate) fn hold(&self, id: SessionId, stored: Stored) {
        *self.slot() = Some((id, stored));
    }

    /// Returns what the visitor's cookie is to hold.
    pub(crate) fn record(&self) -> Option<Record> {
        self.slot().as_ref().map(|(_, stored)| stored.record.clone())
    }

    fn slot(&self) -> MutexGuard<'_, Option<(SessionId, Stored)>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the record that has this id, if it is there, live, and at the expected revision.
    fn replace(
        &self,
        id: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Replaced {
        let mut slot = self.slot();
        match live(&slot, id, now) {
            None => Replaced::Missing,
            Some(stored) if stored.revision != expected => Replaced::Conflict,
            Some(stored) => {
                let revision = Revision::new(stored.revision.as_u64() + 1);
                *slot = Some((*new, Stored { record: record.clone(), revision }));
                Replaced::By(revision)
            }
        }
    }
}

enum Replaced {
    By(Revision),
    Conflict,
    Missing,
}

fn live<'a>(slot: &'a Option<(SessionId, Stored)>, id: &SessionId, now: Timestamp) -> Option<&'a Stored> {
    let (present, stored) = slot.as_ref()?;
    (present == id && !stored.record.is_expired(now)).then_some(stored)
}

#[async_trait]
impl SessionStore for CookieSlot {
    async fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        Ok(live(&self.slot(), id, now).cloned())
    }

    async fn create(&self, id: &SessionId, record: &Record, _: Timestamp) -> Result<CreateOutcome> {
        let revision = Revision::new(1);
        *self.slot() = Some((*id, Stored { record: record.clone(), revision }));
        Ok(CreateOutcome::Created(revision))
    }

    async fn update(&self, id: &SessionId, at: Revision, record: &Record, now: Timestamp) -> Result<UpdateOutcome> {
        Ok(match self.replace(id, at, id, record, now) {
            Replaced::By(revision) => UpdateOutcome::Updated(revision),
            Replaced::Conflict => UpdateOutcome::Conflict,
            Replaced::Missing => UpdateOutcome::Missing,
        })
    }

    async fn rename(
        &self,
        old: &SessionId,
        at: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        Ok(match self.replace(old, at, new, record, now) {
            Replaced::By(revision) => RenameOutcome::Renamed(revision),
            Replaced::Conflict => RenameOutcome::Conflict,
            Replaced::Missing => RenameOutcome::Missing,
        })
    }

    async fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let mut slot = self.slot();
        match live(&slot, id, now) {
            None => return Ok(TouchOutcome::Missing),
            Some(stored) if stored.revision != seen => return Ok(TouchOutcome::Conflict),
            Some(_) => {}
        }
        if let Some((_, stored)) = &mut *slot {
            stored.record.expires_at = stored.record.expires_at.max(expires_at);
        }
        Ok(TouchOutcome::Touched)
    }

    async fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        let deleted = self.slot().take_if(|(present, _)| present == id);
        Ok(if deleted.is_some() { DeleteOutcome::Deleted } else { DeleteOutcome::Missing })
    }

    fn expiry(&self) -> Option<&dyn DeleteExpired> {
        None
    }

    fn principals(&self) -> Option<&dyn PrincipalIndex> {
        None
    }
}

impl fmt::Debug for CookieSlot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CookieSlot")
    }
}
