//! Which sessions are whose: an empty file for each record that bears a principal's tag.
//!
//! The records are the truth and the markers a hint where to look. A marker is made before its record comes to life
//! and removed after the record has gone, both under the record's lock. So a crash leaves a marker too many at worst,
//! which a listing sees and drops, and never one too few.
//!
//! A marker is on the disk before its record is, with both durabilities: after a power cut a session that is not
//! listed could not be revoked.

use std::error::Error;
use std::mem;

use nexios_store_core::{PrincipalTag, SessionId, Timestamp};
use rustix::io::Errno;

use crate::directory::{Access, Directory};
use crate::error::Failure;
use crate::name::{MarkerName, PRINCIPALS, RecordName};
use crate::record_file::{Found, Opened};
use crate::records::{Records, UNLOCKED_LOOKS};

impl Records {
    /// The live sessions of a principal.
    pub(crate) fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>, Failure> {
        self.directory.check_exists()?;
        loop {
            let Listing { mut live, unclear, stale } = self.list(tag, now)?;
            let mut has_moved = false;
            for id in unclear {
                let _lock = self.locks.record(&id)?;
                match Bearer::of(Found::locked(&self.directory, &id, Access::Read)?, tag, now) {
                    Bearer::Live => live.push(id),
                    Bearer::Silent => {}
                    // Perhaps it has another id since, that was not there when the names were read.
                    Bearer::Gone => has_moved = true,
                }
            }
            for id in &stale {
                self.drop_if_stale(tag, id);
            }
            if !has_moved {
                return Ok(live);
            }
        }
    }

    /// Notes that the record of `id` is about to bear `tag`. The caller holds the record's lock.
    pub(crate) fn mark(&self, tag: &PrincipalTag, id: &SessionId) -> Result<(), Failure> {
        let marker = MarkerName::of(tag, id);
        let is_new = {
            let _lock = self.locks.principal(tag)?;
            match self.directory.create_marker(marker.path()) {
                Err(error) if error.is(Errno::NOENT) => {
                    self.directory.check_exists()?;
                    self.directory.make_directory(PRINCIPALS)?;
                    self.directory.make_directory(marker.shard())?;
                    self.directory.sync_directory(PRINCIPALS)?;
                    self.directory.sync_root()?;
                    self.directory.create_marker(marker.path())?
                }
                result => result?,
            }
        };
        // One that was there may be one whose sync failed, so it is synced as well.
        let synced = self.directory.sync_directory(marker.shard());
        if synced.is_err() && is_new {
            self.unmark(tag, id);
        }
        Ok(synced?)
    }

    /// Notes that the record of `id` does not bear `tag` any more. The caller holds the record's lock.
    ///
    /// A marker that cannot be removed is dropped by a later listing or sweep.
    pub(crate) fn unmark(&self, tag: &PrincipalTag, id: &SessionId) {
        if let Err(failure) = self.try_unmark(tag, id) {
            left_behind(&failure);
        }
    }

    /// Removes the marker of a record that did not come to life, but not if it bears the tag nevertheless. The caller
    /// holds the record's lock.
    pub(crate) fn unmark_if_gone(&self, tag: &PrincipalTag, id: &SessionId) {
        match Found::locked(&self.directory, id, Access::Read) {
            Ok(found) => {
                if matches!(Bearer::of(found, tag, Timestamp::UNIX_EPOCH), Bearer::Gone) {
                    self.unmark(tag, id);
                }
            }
            Err(failure) => left_behind(&failure),
        }
    }

    /// The tag that a record bears by its headers; `None` if there is none, or it cannot be told. The caller holds the
    /// record's lock.
    ///
    /// It is good for removing a marker, where a mistake leaves a stale one.
    pub(crate) fn tag_of(&self, id: &SessionId) -> Option<PrincipalTag> {
        match Opened::at(&self.directory, id, Access::Read) {
            Ok(Opened::File(file)) => file.principal_of_headers(id).unwrap_or_default(),
            _ => None,
        }
    }

    /// Removes a marker whose record has gone, and says so only to the log if it cannot.
    pub(crate) fn drop_if_stale(&self, tag: &PrincipalTag, id: &SessionId) {
        match self.locks.record(id) {
            Ok(_lock) => self.unmark_if_gone(tag, id),
            Err(failure) => left_behind(&failure),
        }
    }

    fn try_unmark(&self, tag: &PrincipalTag, id: &SessionId) -> Result<(), Failure> {
        let marker = MarkerName::of(tag, id);
        let _lock = self.locks.principal(tag)?;
        let is_ours = self.directory.status_at(marker.path())?.is_some_and(|status| status.is_own_file);
        if is_ours {
            self.directory.remove(marker.path())?;
        }
        Ok(())
    }

    /// Reads the markers of a tag, and looks at each record, while no marker comes or goes.
    ///
    /// Without the lock a session could be missed: the system does not say whether it gives a name that is made while
    /// a directory is read, and a rename makes one and then removes one.
    fn list(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Listing, Failure> {
        let _lock = self.locks.principal(tag)?;
        let mut listing = Listing { stale: marked(&self.directory, tag)?, ..Listing::default() };
        // Twice: a session that was renamed before the look at its old id may have come to life under its new one
        // after the look at that. It cannot have gone further, which would take another marker.
        for _ in 0..2 {
            for id in mem::take(&mut listing.stale) {
                match self.look(&id, tag, now)? {
                    Some(Bearer::Live) => listing.live.push(id),
                    Some(Bearer::Silent) => {}
                    Some(Bearer::Gone) => listing.stale.push(id),
                    None => listing.unclear.push(id),
                }
            }
        }
        Ok(listing)
    }

    /// Looks at a record without its lock; `None` if that does not tell.
    fn look(&self, id: &SessionId, tag: &PrincipalTag, now: Timestamp) -> Result<Option<Bearer>, Failure> {
        for _ in 0..UNLOCKED_LOOKS {
            if let Some(found) = Found::unlocked(&self.directory, id)? {
                return Ok(Some(Bearer::of(found, tag, now)));
            }
        }
        Ok(None)
    }
}

#[derive(Default)]
struct Listing {
    live: Vec<SessionId>,
    /// Where a writer got in the way of each look.
    unclear: Vec<SessionId>,
    stale: Vec<SessionId>,
}

/// What a record is to a tag that there is a marker of.
enum Bearer {
    Live,
    /// It bears the tag or may do so, but is not live. If the clock is set back it may be again, so the marker stays.
    Silent,
    /// There is no record, or it is somebody else's.
    Gone,
}

impl Bearer {
    fn of(found: Found, tag: &PrincipalTag, now: Timestamp) -> Self {
        match found {
            Found::Absent(_) => Self::Gone,
            Found::Record(_, current) if current.stored.record.principal != Some(*tag) => Self::Gone,
            Found::Record(_, current) if current.stored.record.is_expired(now) => Self::Silent,
            Found::Record(..) => Self::Live,
            Found::Damaged | Found::Foreign => Self::Silent,
            // A newer program reads it, so the session lives, and whoever revokes must hear of it.
            Found::Unsupported => Self::Live,
        }
    }
}

/// The ids of all markers of a tag.
fn marked(directory: &Directory, tag: &PrincipalTag) -> Result<Vec<SessionId>, Failure> {
    let mut ids = Vec::new();
    let Some(names) = directory.read_directory(&MarkerName::shard_of(tag.as_bytes()[0]))? else { return Ok(ids) };
    for entry in names {
        if let Some((of, id)) = MarkerName::parse(tag.as_bytes()[0], entry?.file_name().to_bytes())
            && of == *tag
        {
            ids.push(id);
        }
    }
    Ok(ids)
}

/// Whether there is certainly nothing at a record's name.
pub(crate) fn is_absent(records: &Records, id: &SessionId) -> Result<bool, Failure> {
    Ok(records.directory.status_at(RecordName::of(id).path())?.is_none())
}

fn left_behind(error: &(dyn Error + 'static)) {
    tracing::debug!(error, "a marker of a principal's session is left for the sweep");
}
