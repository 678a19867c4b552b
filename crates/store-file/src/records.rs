//! The operations on records, as blocking functions.
//!
//! This table lists the system calls of each operation in order. L and U lock and unlock a stripe. `openat` is relative
//! to the session directory. Only [`Durability::Synced`] makes the calls in brackets.
//!
//! | operation | calls |
//! | --- | --- |
//! | load | openat, fstat, pread, close |
//! | update | L, openat, fstat, pread, pwrite of the spare slot, \[fdatasync], close, U |
//! | touch | L, openat, fstat, pread, pwrite of 16 bytes, \[fdatasync], close, U |
//! | create | L, openat (exclusive), pwrite of the whole file, \[fdatasync, fsync of the directory], close, U |
//! | delete | L, fstatat, renameat to a temporary name, fsync of the directory, unlinkat, U |
//! | rename | L, L, load of the old, create of the new with its syncs; of the old renameat, fsync, unlinkat; U, U |
//! | change of the principal | as growth, with its syncs |
//! | sweep, for each record | openat, fstat, pread, close |
//! | sweep, for an expired one | openat, fstat, pread, then L, fstatat, pread, close, unlinkat, U |
//! | growth | update up to pread, openat (exclusive), pwrite, fdatasync, renameat over the old, \[fsync of directory] |
//!
//! Before a record gets a principal's tag, an openat (exclusive) creates the marker and an fsync syncs the marker's
//! directory. After a record with a tag has gone, fstatat and unlinkat remove the marker. To know the tag, delete reads
//! it first, with openat, fstat, pread and close.
//!
//! A first revision and a temporary name take a getrandom before anything is created. The first record in a fan-out
//! directory creates the directory after its first try, with mkdirat and an fsync of the session directory.
//!
//! A file above 16 KiB is read in parts, the two headers and one payload. It gets its length before its content. If its
//! slots are longer than a page of 4 KiB, an update makes an fdatasync before its pwrite.
//!
//! An update writes into the slot that is not current, so a torn write leaves the current version as it was. An update
//! frees no inode and changes no name. That made it 5 to 10 times faster than a temporary file and a rename. After a
//! power cut it left an older whole version, where the alternatives left empty files and zeros.

use std::fs::File;

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, Record, RenameOutcome, Revision, SessionId, Stored, Timestamp, TouchOutcome,
    UpdateOutcome,
};
use rustix::io::Errno;

use crate::Durability;
use crate::contents::{Current, SlotLen};
use crate::directory::{Access, Directory};
use crate::error::Failure;
use crate::lock::Locks;
use crate::name::{RecordName, TempName};
use crate::record_file::{self, Found, RecordFile};
use crate::slot;
use crate::sys;

type Result<T, E = Failure> = std::result::Result<T, E>;

/// The records of a session directory.
pub(crate) struct Records {
    pub(crate) directory: Directory,
    pub(crate) locks: Locks,
    pub(crate) durability: Durability,
}

impl Records {
    pub(crate) fn load(&self, id: &SessionId, now: Timestamp) -> Result<Option<Stored>> {
        for _ in 0..UNLOCKED_LOOKS {
            if let Some(answer) = self.load_unlocked(id, now)? {
                return Ok(answer);
            }
        }
        let _lock = self.locks.record(id)?;
        alive(Found::locked(&self.directory, id, Access::Read)?, now).map(into_stored)
    }

    /// Looks at a record once, without its lock. Returns `None` if one look is not enough to be certain.
    pub(crate) fn load_unlocked(&self, id: &SessionId, now: Timestamp) -> Result<Option<Option<Stored>>> {
        let found = Found::unlocked(&self.directory, id)?;
        found.map(|found| alive(found, now).map(into_stored)).transpose()
    }

    pub(crate) fn create(&self, id: &SessionId, record: &Record, now: Timestamp) -> Result<CreateOutcome> {
        let _lock = self.locks.record(id)?;
        self.put_marked(id, record, now, self.durability)
    }

    pub(crate) fn update(
        &self,
        id: &SessionId,
        expected: Revision,
        record: &Record,
        now: Timestamp,
    ) -> Result<UpdateOutcome> {
        let _lock = self.locks.record(id)?;
        let found = Found::locked(&self.directory, id, Access::Write)?;
        let Some((file, current)) = alive(found, now)? else { return Ok(UpdateOutcome::Missing) };
        if current.stored.revision != expected {
            return Ok(UpdateOutcome::Conflict);
        }
        self.write_next_marked(&file, id, &current, record, self.durability)?;
        Ok(UpdateOutcome::Updated(current.next_revision))
    }

    pub(crate) fn touch(&self, id: &SessionId, expires_at: Timestamp, now: Timestamp) -> Result<TouchOutcome> {
        let _lock = self.locks.record(id)?;
        let found = Found::locked(&self.directory, id, Access::Write)?;
        let Some((file, current)) = alive(found, now)? else { return Ok(TouchOutcome::Missing) };
        if expires_at > current.stored.record.expires_at {
            file.write_at(current.cell_at(), &slot::encode_cell(id, current.stored.revision, expires_at))?;
            sync_file(file.as_file(), self.durability)?;
        }
        Ok(TouchOutcome::Touched)
    }

    pub(crate) fn rename(
        &self,
        old: &SessionId,
        expected: Revision,
        new: &SessionId,
        record: &Record,
        now: Timestamp,
    ) -> Result<RenameOutcome> {
        let _locks = self.locks.two_records(old, new)?;
        let found = Found::locked(&self.directory, old, Access::Read)?;
        let Some((_, current)) = alive(found, now)? else { return Ok(RenameOutcome::Missing) };
        if current.stored.revision != expected {
            return Ok(RenameOutcome::Conflict);
        }
        // Always synced. A power cut that lost the new record after the old one has gone would lose the session.
        let CreateOutcome::Created(revision) = self.put_marked(new, record, now, Durability::Synced)? else {
            return Ok(RenameOutcome::IdTaken);
        };
        // The old content does not move to the new name. It has the old id in it, and a crash here must leave the old
        // record whole.
        if let Err(failure) = self.retire(&RecordName::of(old)) {
            self.discard(RecordName::of(new).path());
            if let Some(tag) = &record.principal {
                self.unmark_if_gone(tag, new);
            }
            return Err(failure);
        }
        if let Some(tag) = &current.stored.record.principal {
            self.unmark(tag, old);
        }
        Ok(RenameOutcome::Renamed(revision))
    }

    pub(crate) fn delete(&self, id: &SessionId) -> Result<DeleteOutcome> {
        let name = RecordName::of(id);
        let _lock = self.locks.record(id)?;
        let Some(status) = self.directory.status_at(name.path())? else {
            self.directory.check_exists()?;
            return Ok(DeleteOutcome::Missing);
        };
        if !(status.is_own_file && status.has_one_name) {
            return Err(Failure::Foreign);
        }
        let tag = self.tag_of(id);
        self.retire(&name)?;
        if let Some(tag) = &tag {
            self.unmark(tag, id);
        }
        // A killed `create` leaves an empty file.
        Ok(if status.len == 0 { DeleteOutcome::Missing } else { DeleteOutcome::Deleted })
    }

    /// Stores a record and its principal's marker under an id without a live record. The caller holds the lock.
    fn put_marked(
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
    fn write_next_marked(
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

    /// Removes a record so that a power cut does not bring it back. If that fails, the record is as it was.
    fn retire(&self, name: &RecordName) -> Result<()> {
        let temp = TempName::beside(name)?;
        match self.directory.rename(name.path(), temp.path()) {
            Ok(()) => {}
            Err(error) if error.is_one_of(&[Errno::NOSPC, Errno::DQUOT]) => return self.retire_in_place(name),
            Err(error) => return Err(error.into()),
        }
        if let Err(error) = self.directory.sync_directory(name.fan_out()) {
            if self.directory.rename(temp.path(), name.path()).is_err() {
                tracing::error!("a session record whose removal failed could not be put back");
            }
            return Err(error.into());
        }
        // From here on the record is gone. The sweep removes what a failure leaves.
        self.discard(temp.path());
        Ok(())
    }

    /// Removes a record when the disk has no room for a second name, so that a logout works on a full disk.
    fn retire_in_place(&self, name: &RecordName) -> Result<()> {
        self.directory.remove(name.path())?;
        if let Err(error) = self.directory.sync_directory(name.fan_out()) {
            // The record is gone and cannot be put back, so an error would not be true.
            tracing::warn!(error = &error as &dyn std::error::Error, "a power cut may bring back a removed session");
        }
        Ok(())
    }

    /// Removes a file that nobody knows of. If that fails, the sweep removes it.
    fn discard(&self, path: &[u8]) {
        if let Err(error) = self.directory.remove(path) {
            tracing::debug!(error = &error as &dyn std::error::Error, "a useless session file is left for the sweep");
        }
    }

    fn sync_name(&self, name: &RecordName, durability: Durability) -> Result<()> {
        let synced = durability == Durability::Synced;
        if synced { Ok(self.directory.sync_directory(name.fan_out())?) } else { Ok(()) }
    }
}

/// Returns the record, if there is one and it lives at the time `now`.
fn alive(found: Found, now: Timestamp) -> Result<Option<(RecordFile, Current)>> {
    match found {
        Found::Absent(_) => Ok(None),
        Found::Record(file, current) => Ok((!current.stored.record.is_expired(now)).then_some((file, current))),
        Found::Damaged => Err(Failure::Damaged),
        Found::Unsupported => Err(Failure::Unsupported),
        Found::Foreign => Err(Failure::Foreign),
    }
}

fn sync_file(file: &File, durability: Durability) -> Result<()> {
    if durability == Durability::Synced { Ok(sys::sync_data(file)?) } else { Ok(()) }
}

fn into_stored(found: Option<(RecordFile, Current)>) -> Option<Stored> {
    found.map(|(_, current)| current.stored)
}

/// Returns 62 random bits. They leave room for more updates than a disk survives, and give an id no revision twice.
fn first_revision() -> Result<Revision> {
    let random = u64::from_ne_bytes(sys::random()?);
    Ok(Revision::new((random >> 2).max(1)))
}

/// One look in a million meets a write under way. Three such looks in a row mean that a slot is damaged.
pub(crate) const UNLOCKED_LOOKS: usize = 3;
