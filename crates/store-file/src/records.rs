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

mod removal;
mod versions;

use std::fs::File;

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, Record, RenameOutcome, Revision, SessionId, Stored, Timestamp, TouchOutcome,
    UpdateOutcome,
};

use crate::Durability;
use crate::contents::Current;
use crate::directory::{Access, Directory};
use crate::error::Failure;
use crate::lock::Locks;
use crate::name::RecordName;
use crate::record_file::{Found, RecordFile};
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

    pub(crate) fn touch(
        &self,
        id: &SessionId,
        seen: Revision,
        expires_at: Timestamp,
        now: Timestamp,
    ) -> Result<TouchOutcome> {
        let _lock = self.locks.record(id)?;
        let found = Found::locked(&self.directory, id, Access::Write)?;
        let Some((file, current)) = alive(found, now)? else { return Ok(TouchOutcome::Missing) };
        if current.stored.revision != seen {
            return Ok(TouchOutcome::Conflict);
        }
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
        // What cannot be read stays: it may be the word that the session has moved, and then the session would live on.
        let tag = self.tag_of(id)?;
        self.retire(&name)?;
        if let Some(tag) = &tag {
            self.unmark(tag, id);
        }
        // A killed `create` leaves an empty file.
        Ok(if status.len == 0 { DeleteOutcome::Missing } else { DeleteOutcome::Deleted })
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

/// One look in a million meets a write under way. Three such looks in a row mean that a slot is damaged.
pub(crate) const UNLOCKED_LOOKS: usize = 3;
