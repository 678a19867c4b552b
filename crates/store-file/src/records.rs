//! The operations on records, as blocking functions.
//!
//! The system calls of each, in order. L and U lock and unlock the stripe, `openat` is relative to the session
//! directory, and calls in brackets are made with [`Durability::Synced`] only.
//!
//! | operation | calls |
//! | --- | --- |
//! | load | openat, fstat, pread, close |
//! | update | L, openat, fstat, pread, pwrite of the spare slot, \[fdatasync], close, U |
//! | touch | L, openat, fstat, pread, pwrite of 16 bytes, \[fdatasync], close, U |
//! | create | L, openat (exclusive), pwrite of the whole file, \[fdatasync, fsync of the directory], close, U |
//! | delete | L, fstatat, renameat to a temporary name, fsync of the directory, unlinkat, U |
//! | rename | L, L, load of the old, create of the new with its syncs, renameat of the old, fsync of its directory, unlinkat, U, U |
//! | change of the principal | as growth, with its syncs |
//! | sweep, of each record | openat, fstat, pread, close |
//! | sweep, of an expired one | L, fstatat, pread, close, unlinkat, U, after openat, fstat, pread |
//! | growth | update up to pread, then openat (exclusive), pwrite, fdatasync, renameat over the old, \[fsync of the directory] |
//!
//! A record that gets a principal's tag takes, before it is made, openat (exclusive) of the marker and fsync of the
//! marker's directory. One with a tag that goes takes fstatat and unlinkat of the marker, after it has gone; delete
//! reads the tag first: openat, fstat, pread, close.
//!
//! A first revision and a temporary name take a getrandom before anything is made.
//! The first record of a fan-out directory makes it: mkdirat and fsync of the session directory, before the second try.
//! A file above 16 KiB is read by its two headers and one payload, and gets its length before its content. Where a slot is
//! longer than a page of 4 KiB, an update makes an fdatasync before its pwrite.
//!
//! An update writes into the slot that is not current, so a torn write leaves the current version as it was. It frees
//! no inode and changes no name, which made it 5 to 10 times faster than a temporary file and a rename, and after a
//! power cut it left an older whole version where the others left empty files and zeros.

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

    /// One look without a lock; `None` if it takes another to be certain.
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
        // Synced in any case: a power cut that took the new record after the old one went would take the session.
        let CreateOutcome::Created(revision) = self.put_marked(new, record, now, Durability::Synced)? else {
            return Ok(RenameOutcome::IdTaken);
        };
        // The old content never moves to the new name: the id in it would be another one, and after a crash here the
        // old record must be whole.
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
        // An empty file is what a killed `create` leaves.
        Ok(if status.len == 0 { DeleteOutcome::Missing } else { DeleteOutcome::Deleted })
    }

    /// Stores a record, with its principal's marker, under an id that has no live one. The caller holds the lock.
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

    /// Writes the next version of a record, with the marker of a principal who is new to it.
    ///
    /// A change of principal is synced in any case, and into a file of its own: neither a power cut nor a damaged slot
    /// may bring back a version that is another principal's and has no marker any more.
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

    /// Stores a record under an id that has no live one. The caller holds the lock.
    fn put(&self, id: &SessionId, record: &Record, now: Timestamp, durability: Durability) -> Result<CreateOutcome> {
        let slot_len = SlotLen::holding(record.payload.len()).ok_or(Failure::TooLarge)?;
        let name = RecordName::of(id);
        // Random, so that an id deleted and created anew within one tick of a clock does not get a revision again.
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

    /// Makes the file of a new record, and its directory if need be; `None` if there is something of this name.
    fn create_file(&self, name: &RecordName) -> Result<Option<File>> {
        let mut created = self.directory.create_file(name.path());
        if matches!(&created, Err(error) if error.is(Errno::NOENT)) {
            self.directory.check_exists()?;
            self.directory.make_directory(name.fan_out())?;
            // Whatever the durability: a record synced later is lost with a directory that is not. 256 times in all.
            self.directory.sync_root()?;
            created = self.directory.create_file(name.path());
        }
        match created {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.is(Errno::EXIST) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// Writes the next version of a record: into the spare slot, or into a file with bigger slots.
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
            // Whatever the durability, also that of whoever wrote it: a power cut may tear what is written now, and
            // the current version with it, unless that is on the disk.
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

    /// Puts a file with bigger slots in the place of a record's file.
    fn replace(&self, name: &RecordName, slot_len: SlotLen, slot: Vec<u8>) -> Result<()> {
        let temp = TempName::beside(name)?;
        let file = self.directory.create_file(temp.path())?;
        let replaced = record_file::write_new(&file, slot_len, slot)
            // Whatever the durability: without it a power cut left files of zeros behind the renamed name.
            .and_then(|()| sys::sync_data(&file))
            .and_then(|()| self.directory.rename(temp.path(), name.path()));
        if replaced.is_err() {
            self.discard(temp.path());
        }
        Ok(replaced?)
    }

    /// Removes a record so that a power cut does not bring it back, or else leaves it as it was.
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
        // From here on it is removed, and what a failure leaves is for the sweep.
        self.discard(temp.path());
        Ok(())
    }

    /// Removes a record where the disk has no room for a second name: a logout works on a full disk.
    fn retire_in_place(&self, name: &RecordName) -> Result<()> {
        self.directory.remove(name.path())?;
        if let Err(error) = self.directory.sync_directory(name.fan_out()) {
            // It is gone and cannot be put back, so "failed" would not be true.
            tracing::warn!(error = &error as &dyn std::error::Error, "a power cut may bring back a removed session");
        }
        Ok(())
    }

    /// Removes a file that nobody was told of. What cannot be removed is for the sweep.
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

/// The record, if there is one that lives at the time `now`.
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

/// 62 random bits: room for more updates than a disk survives, and no revision twice for an id.
fn first_revision() -> Result<Revision> {
    let random = u64::from_ne_bytes(sys::random()?);
    Ok(Revision::new((random >> 2).max(1)))
}

/// A look meets a write under way once in a million times; three in a row are a damaged slot.
pub(crate) const UNLOCKED_LOOKS: usize = 3;
