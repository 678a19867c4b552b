//! The locks that order the writers of all threads and processes.
//!
//! A lock is a mutex and then a `flock`, because `flock` does not keep threads apart that share an open file: without
//! the mutex, 3 970 of 4 000 tries overlapped. The lock files are a fixed set. They are opened once and never removed,
//! because a lock on a file that was replaced or removed locks nothing. Readers take no locks.

use std::array;
use std::fs::File;
use std::io;
use std::thread;
use std::time::{Duration, Instant};

use nexios_store_core::{PrincipalTag, SessionId};
use parking_lot::{Mutex, MutexGuard};

use crate::directory::Directory;
use crate::error::{Failure, SystemError};

/// The locks of one session directory.
pub(crate) struct Locks {
    stripes: [Lock; STRIPES],
    principals: [Lock; PRINCIPAL_STRIPES],
    sweep: Lock,
    timeout: Duration,
}

impl Locks {
    /// Opens the lock files, and creates them if they do not exist.
    pub(crate) fn open(directory: &Directory, timeout: Duration) -> Result<Self, SystemError> {
        directory.make_directory(b".locks")?;
        let stripes = open_set(directory, ".locks/")?;
        let principals = open_set(directory, ".locks/principals-")?;
        let sweep = Lock::of(open(directory, ".locks/sweep")?);
        Ok(Self { stripes, principals, sweep, timeout })
    }

    /// Keeps other writers of this record away. The lock covers all records and temporary files in the same directory.
    pub(crate) fn record(&self, id: &SessionId) -> Result<Guard<'_>, Failure> {
        self.fan_out(id.as_bytes()[0])
    }

    /// Keeps other writers of both records away.
    pub(crate) fn two_records(&self, one: &SessionId, other: &SessionId) -> Result<[Option<Guard<'_>>; 2], Failure> {
        let [one, other] = [one, other].map(|id| stripe(id.as_bytes()[0]));
        // Always in ascending order, or two renames in opposite directions would wait for each other.
        let first = self.stripes[one.min(other)].acquire(self.timeout)?;
        let second = if one == other { None } else { Some(self.stripes[one.max(other)].acquire(self.timeout)?) };
        Ok([Some(first), second])
    }

    /// Keeps writers away from the directory of the records whose ids begin with this byte.
    pub(crate) fn fan_out(&self, first_byte: u8) -> Result<Guard<'_>, Failure> {
        self.stripes[stripe(first_byte)].acquire(self.timeout)
    }

    /// Keeps the markers of this principal as they are. A thread takes it as its last lock, and only one of its kind.
    pub(crate) fn principal(&self, tag: &PrincipalTag) -> Result<Guard<'_>, Failure> {
        self.principals[usize::from(tag.as_bytes()[0]) % PRINCIPAL_STRIPES].acquire(self.timeout)
    }

    /// Keeps other sweeps away. Returns `None` if somebody sweeps already.
    pub(crate) fn try_sweep(&self) -> Result<Option<Guard<'_>>, Failure> {
        match self.sweep.acquire(Duration::ZERO) {
            Ok(guard) => Ok(Some(guard)),
            Err(Failure::LockTimeout) => Ok(None),
            Err(failure) => Err(failure),
        }
    }
}

/// A lock that is held. Dropping it releases the lock. The system releases the locks of a killed process.
pub(crate) struct Guard<'a> {
    file: &'a File,
    _turn: MutexGuard<'a, ()>,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        // Unlocking an open file cannot fail. If it did, the next writer would time out and report it.
        let _ = fs2::FileExt::unlock(self.file);
    }
}

struct Lock {
    turn: Mutex<()>,
    file: File,
}

impl Lock {
    const fn of(file: File) -> Self {
        Self { turn: Mutex::new(()), file }
    }

    fn acquire(&self, timeout: Duration) -> Result<Guard<'_>, Failure> {
        // `None` stands for a deadline so far away that it never comes.
        let deadline = Instant::now().checked_add(timeout);
        let turn = self.turn.try_lock_for(timeout).ok_or(Failure::LockTimeout)?;
        let mut pause = FIRST_PAUSE;
        while !try_lock(&self.file)? {
            let left = deadline.map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()));
            if left.is_zero() {
                return Err(Failure::LockTimeout);
            }
            thread::sleep(pause.min(left));
            pause = (2 * pause).min(LAST_PAUSE);
        }
        Ok(Guard { file: &self.file, _turn: turn })
    }
}

/// Tries once, because nothing can end the wait of a blocking `flock`.
fn try_lock(file: &File) -> Result<bool, SystemError> {
    loop {
        match fs2::FileExt::try_lock_exclusive(file) {
            Ok(()) => return Ok(true),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(SystemError::new("locking a session record", error)),
        }
    }
}

/// Opens `N` lock files, whose names are `prefix` and a number in hex.
fn open_set<const N: usize>(directory: &Directory, prefix: &str) -> Result<[Lock; N], SystemError> {
    let mut files = Vec::with_capacity(N);
    for number in 0..N {
        files.push(open(directory, &format!("{prefix}{number:02x}"))?);
    }
    let mut files = files.into_iter();
    // The loop above opened `N` files, and this takes `N`.
    Ok(array::from_fn(|_| Lock::of(files.next().expect("one file for each stripe"))))
}

fn open(directory: &Directory, path: &str) -> Result<File, SystemError> {
    let file = directory.open_lock_file(path.as_bytes())?;
    if directory.status(&file)?.is_own_file {
        return Ok(file);
    }
    let error = io::Error::other("it is not a regular file of our own");
    Err(SystemError::new("opening a lock file", error))
}

/// The stripe of a record is that of its directory, so the sweep of a directory takes the same lock.
fn stripe(first_byte: u8) -> usize {
    usize::from(first_byte) % STRIPES
}

const STRIPES: usize = 64;
/// Enough, because a marker takes 15 microseconds, and only at login and logout.
const PRINCIPAL_STRIPES: usize = 16;
/// A record is locked for some ten microseconds, or for some hundred if it is synced.
const FIRST_PAUSE: Duration = Duration::from_micros(50);
const LAST_PAUSE: Duration = Duration::from_millis(1);
