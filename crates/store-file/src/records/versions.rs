//! Writing the versions of a record, each with the marker of its principal.

use std::fs::File;

use nexios_store_core::{CreateOutcome, Record, Revision, SessionId, Timestamp};
use rustix::io::Errno;

use super::{Records, Result, sync_file};
use crate::Durability;
use crate::contents::{Current, SlotLen};
use crate::directory::Access;
use crate::error::Failure;
use crate::name::{RecordName, TempName};
use crate::record_file::{self, Found, RecordFile};
use crate::{slot, sys};

impl Records {
    /// Stores a record and its principal's marker under an id without a live record. The caller holds the lock.
    pub(super) fn put_marked(
        &self,
        id: &SessionId,
        record: &Record,
        now: Timestamp,
        durability: Durability,
    ) -> Result<CreateOutcome> {
        let Some(tag) = &record.principal else { return self.put(id, record, now, durability) };
        self.mark(tag, id)?;
        let outcome = self.put(id, record, now, durability);
        if !matches!(outcome, Ok(CreateOutcome::Created(_))) {
            self.unmark_if_gone(tag, id);
        }
        outcome
    }

    /// Writes the next version of a record, and the marker of its principal if that is a new one.
    ///
    /// With a new principal the version is always synced, and gets a file of its own. The version of the other
    /// principal has no marker any more, so neither a power cut nor a damaged slot may bring it back.
    pub(super) fn write_next_marked(
        &self,
        file: &RecordFile,
        id: &SessionId,
        current: &Current,
        record: &Record,
        durability: Durability,
    ) -> Result<()> {
        let before = &current.stored.record.principal;
        if *before == record.principal {
            return self.write_next(file, id, current, record, durability);
        }
        if let Some(tag) = &record.principal {
            self.mark(tag, id)?;
        }
        if let Err(failure) = self.write_next_anew(id, current, record, Durability::Synced) {
            if let Some(tag) = &record.principal {
                self.unmark_if_gone(tag, id);
            }
            return Err(failure);
        }
        if let Some(tag) = before {
            self.unmark(tag, id);
        }
        Ok(())
    }

    /// Stores a record under an id without a live record. The caller holds the lock.
    fn put(&self, id: &SessionId, record: &Record, now: Timestamp, durability: Durability) -> Result<CreateOutcome> {
        let slot_len = SlotLen::holding(record.payload.len()).ok_or(Failure::TooLarge)?;
        let name = RecordName::of(id);
        // Random, so an id that is deleted and created again within one tick of a clock never repeats a revision.
        let first = first_revision()?;
        let whole = || slot::encode(id, first, record);
        let (revision, written) = if let Some(file) = self.create_file(&name)? {
            let written = record_file::write_new(&file, slot_len, whole()).map_err(Failure::from);
            (first, written.and_then(|()| sync_file(&file, durability)))
        } else {
            match Found::locked(&self.directory, id, Access::Write)? {
                Found::Absent(Some(file)) => {
                    let written = file.write_blank(slot_len, whole()).map_err(Failure::from);
                    (first, written.and_then(|()| sync_file(file.as_file(), durability)))
                }
                Found::Record(_, current) if !current.stored.record.is_expired(now) => {
                    return Ok(CreateOutcome::IdTaken);
                }
                Found::Record(file, current) => {
                    (current.next_revision, self.write_next_marked(&file, id, &current, record, durability))
                }
                Found::Damaged => return Err(Failure::Damaged),
                Found::Unsupported => return Err(Failure::Unsupported),
                Found::Foreign => return Err(Failure::Foreign),
                Found::Absent(None) => return Err(Failure::Interference),
            }
        };
        if let Err(failure) = written.and_then(|()| self.sync_name(&name, durability)) {
            self.discard(name.path());
            return Err(failure);
        }
        Ok(CreateOutcome::Created(revision))
    }

    /// Creates the file of a new record, and its directory if there is none. Returns `None` if something has its name.
    fn create_file(&self, name: &RecordName) -> Result<Option<File>> {
        let mut created = self.directory.create_file(name.path());
        if matches!(&created, Err(error) if error.is(Errno::NOENT)) {
            self.directory.check_exists()?;
            self.directory.make_directory(name.fan_out())?;
            // With either durability, because a lost directory takes synced records with it. There are 256 directories.
            self.directory.sync_root()?;
            created = self.directory.create_file(name.path());
        }
        match created {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.is(Errno::EXIST) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the next version of a record into the spare slot, or into a new file if it needs longer slots.
    fn write_next(
        &self,
        file: &RecordFile,
        id: &SessionId,
        current: &Current,
        record: &Record,
        durability: Durability,
    ) -> Result<()> {
        let slot_len = SlotLen::holding(record.payload.len()).ok_or(Failure::TooLarge)?;
        if slot_len > current.slot_len {
            return self.write_next_anew(id, current, record, durability);
        }
        if current.slot_len.exceeds_page() {
            // With either durability. A power cut may tear this write, and with it the current version unless that is
            // on the disk. Whoever wrote that may have done so with `Fast`.
            sys::sync_data(file.as_file())?;
        }
        file.write_at(current.spare_at(), &slot::encode(id, current.next_revision, record))?;
        sync_file(file.as_file(), durability)
    }

    /// Writes the next version of a record into a new file.
    fn write_next_anew(
        &self,
        id: &SessionId,
        current: &Current,
        record: &Record,
        durability: Durability,
    ) -> Result<()> {
        let slot_len = SlotLen::holding(record.payload.len()).ok_or(Failure::TooLarge)?;
        let slot = slot::encode(id, current.next_revision, record);
        let name = RecordName::of(id);
        self.replace(&name, slot_len.max(current.slot_len), slot)?;
        self.sync_name(&name, durability)
    }

    /// Replaces a record's file by a new one.
    fn replace(&self, name: &RecordName, slot_len: SlotLen, slot: Vec<u8>) -> Result<()> {
        let temp = TempName::beside(name)?;
        let file = self.directory.create_file(temp.path())?;
        let replaced = record_file::write_new(&file, slot_len, slot)
            // With either durability. Without this sync, a power cut left files of zeros at the new name.
            .and_then(|()| sys::sync_data(&file))
            .and_then(|()| self.directory.rename(temp.path(), name.path()));
        if replaced.is_err() {
            self.discard(temp.path());
        }
        Ok(replaced?)
    }

    fn sync_name(&self, name: &RecordName, durability: Durability) -> Result<()> {
        let synced = durability == Durability::Synced;
        if synced { Ok(self.directory.sync_directory(name.fan_out())?) } else { Ok(()) }
    }
}

/// Returns 62 random bits. They leave room for more updates than a disk survives, and give an id no revision twice.
fn first_revision() -> Result<Revision> {
    let random = u64::from_ne_bytes(sys::random()?);
    Ok(Revision::new((random >> 2).max(1)))
}
