//! The sweep, which removes expired records in bounded steps, and then stale markers from the index of principals.

mod places;

use std::error::Error;
use std::num::NonZeroUsize;
use std::time::Duration;

use nexios_store_core::{PrincipalTag, SessionId, Swept, Timestamp};
use parking_lot::Mutex;

use self::places::{Entry, Place, read_portion};
use crate::contents::Contents;
use crate::directory::{Access, Directory, Status};
use crate::error::Failure;
use crate::name::{RecordName, TempName};
use crate::principals;
use crate::quarantine;
use crate::record_file::{Found, Opened, RecordFile};
use crate::records::Records;
use crate::sys::Names;

/// Walks through the directories of the records and then through those of the markers, one step at each call.
#[derive(Default)]
pub(crate) struct Sweeper(Mutex<Pass>);

impl Sweeper {
    /// Looks at up to [`FILES_PER_STEP`] files, and removes up to `limit` expired records.
    ///
    /// Answers that there is no more if somebody else sweeps, in this process or in another.
    pub(crate) fn step(&self, records: &Records, now: Timestamp, limit: NonZeroUsize) -> Result<Swept, Failure> {
        let Some(mut pass) = self.0.try_lock() else { return Ok(Swept::default()) };
        let Some(_lock) = records.locks.try_sweep()? else { return Ok(Swept::default()) };
        records.directory.check_exists()?;
        let mut removed = 0;
        for _ in 0..FILES_PER_STEP {
            let Some(entry) = pass.next_entry(&records.directory) else {
                *pass = Pass::default();
                return Ok(Swept { removed, more: false });
            };
            removed += usize::from(pass.sweep(records, &entry, now));
            if removed == limit.get() {
                break;
            }
        }
        Ok(Swept { removed, more: true })
    }
}

/// One walk through all directories, over many calls of `step`.
#[derive(Default)]
struct Pass {
    /// The directory that is being read.
    open: Option<(Place, Names)>,
    /// Names in that directory with their inodes, the lowest last. Never all names of a large directory at once.
    portion: Vec<(u64, Entry)>,
    next_place: u16,
    seen: usize,
    removed: usize,
}

impl Pass {
    fn next_entry(&mut self, directory: &Directory) -> Option<Entry> {
        loop {
            if let Some((_, entry)) = self.portion.pop() {
                return Some(entry);
            }
            if let Some((place, names)) = &mut self.open
                && read_portion(*place, names, &mut self.portion)
            {
                continue;
            }
            self.open = None;
            let place = Place::of_number(self.next_place)?;
            self.next_place += 1;
            match place.read(directory) {
                Ok(names) => self.open = names.map(|names| (place, names)),
                Err(error) => report(&error),
            }
        }
    }

    /// Removes the entry if its time has come. Returns whether it was an expired record that was removed.
    fn sweep(&mut self, records: &Records, entry: &Entry, now: Timestamp) -> bool {
        let removed = match entry {
            Entry::Record(id) => self.sweep_record(records, id, now),
            Entry::Temp(fan_out, name) => sweep_temp(records, *fan_out, name, now).map(|()| false),
            Entry::Marker(tag, id) => sweep_marker(records, tag, id).map(|()| false),
            Entry::Foreign => Ok(false),
        };
        removed.unwrap_or_else(|failure| {
            report(&failure);
            if matches!(failure, Failure::LockTimeout) {
                // All names in this directory have this lock.
                self.open = None;
                self.portion.clear();
            }
            false
        })
    }

    fn sweep_record(&mut self, records: &Records, id: &SessionId, now: Timestamp) -> Result<bool, Failure> {
        self.seen += 1;
        let file = match Opened::at(&records.directory, id, Access::Read)? {
            Opened::File(file) => file,
            Opened::Foreign => return Err(Failure::Foreign),
            Opened::Nothing | Opened::Unlinked => return Ok(false),
        };
        match file.expiry_of_headers(id)? {
            Some(expires_at) if expires_at > now => Ok(false),
            Some(_) if self.removed >= self.allowance() => Ok(false),
            Some(_) => {
                let is_old = is_old(file.status(), now);
                let removed = remove_expired(records, id, file, now)?;
                if !removed && is_old {
                    clear_away(records, id, now)?;
                }
                self.removed += usize::from(removed);
                Ok(removed)
            }
            None => {
                if is_old(file.status(), now) {
                    clear_away(records, id, now)?;
                }
                Ok(false)
            }
        }
    }

    /// Returns how many records this pass may remove. If a clock has jumped, everything is expired at once. Then half
    /// of it is left for the next pass, which gives the operator time to notice.
    fn allowance(&self) -> usize {
        (self.seen / 2).max(ALWAYS_ALLOWED)
    }
}

/// Removes an expired record. It looks at the record again under the lock, because the record may have been prolonged
/// or replaced since the first look.
fn remove_expired(records: &Records, id: &SessionId, file: RecordFile, now: Timestamp) -> Result<bool, Failure> {
    let _lock = records.locks.record(id)?;
    let Some(file) = file.if_still_named(&records.directory, id)? else { return Ok(false) };
    let Contents::Record(current) = file.read(id)? else { return Ok(false) };
    let record = current.stored.record;
    if !record.is_expired(now) {
        return Ok(false);
    }
    // Removing an open file took 2 to 5 microseconds more.
    drop(file);
    records.directory.remove(RecordName::of(id).path())?;
    if let Some(tag) = &record.principal {
        records.unmark(tag, id);
    }
    Ok(true)
}

/// Removes a file without content, and sets a damaged one aside. A create that was killed may leave either of them, and
/// nobody ever asks for that id.
fn clear_away(records: &Records, id: &SessionId, now: Timestamp) -> Result<(), Failure> {
    remove_blank(records, id, now)?;
    quarantine::set_aside(records, id)
}

fn remove_blank(records: &Records, id: &SessionId, now: Timestamp) -> Result<(), Failure> {
    let _lock = records.locks.record(id)?;
    if let Found::Absent(Some(file)) = Found::locked(&records.directory, id, Access::Read)?
        && is_old(file.status(), now)
    {
        records.directory.remove(RecordName::of(id).path())?;
    }
    Ok(())
}

fn sweep_temp(records: &Records, fan_out: u8, name: &TempName, now: Timestamp) -> Result<(), Failure> {
    let directory = &records.directory;
    let is_useless = || -> Result<bool, Failure> {
        let status = directory.status_at(name.path())?;
        Ok(status.is_some_and(|status| status.is_own_file && status.has_one_name && is_old(&status, now)))
    };
    if is_useless()? {
        // A record that is being removed may have a temporary name and an old time, but only while its lock is held.
        let _lock = records.locks.fan_out(fan_out)?;
        if is_useless()? {
            directory.remove(name.path())?;
        }
    }
    Ok(())
}

/// Removes the marker of a record that does not exist. If there is a record with another tag, its marker stays as long
/// as the record.
fn sweep_marker(records: &Records, tag: &PrincipalTag, id: &SessionId) -> Result<(), Failure> {
    if principals::is_absent(records, id)? {
        // A record that is being created has its marker already, but only while its lock is held.
        records.drop_if_stale(tag, id);
    }
    Ok(())
}

fn is_old(status: &Status, now: Timestamp) -> bool {
    now.saturating_duration_since(status.modified) >= LEFT_BEHIND
}

fn report(error: &(dyn Error + 'static)) {
    tracing::warn!(error, "a session file could not be swept");
}

/// A step must end within the time limit of a store call, even if each look waits for a slow disk.
const FILES_PER_STEP: usize = 256;
const ALWAYS_ALLOWED: usize = 1000;
/// No writer takes this long to write a file.
const LEFT_BEHIND: Duration = Duration::from_secs(10 * 60);
