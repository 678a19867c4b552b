//! The index of each principal's sessions: an empty file, the marker, for each record that bears a principal's tag.
//!
//! The records are the truth, and the markers are hints where to look. A marker is created before its record comes to
//! life and removed after the record has gone, both under the record's lock. So a crash may leave a marker too many,
//! which a listing finds and drops, but never one too few.
//!
//! With both durabilities a marker is on the disk before its record is. Otherwise a power cut could leave a session
//! that is not listed, and such a session cannot be revoked.

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
    /// Lists the live sessions of a principal, and those whose records cannot be read.
    pub(crate) fn sessions_of(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Vec<SessionId>, Failure> {
        self.directory.check_exists()?;
        loop {
            let Listing { mut live, unclear, stale } = self.list(tag, now)?;
            let mut has_moved = false;
            for id in unclear {
                let _lock = self.locks.record(&id)?;
                match Bearer::of_look(Found::locked(&self.directory, &id, Access::Read), tag, now)? {
                    Bearer::Live => live.push(id),
                    Bearer::Silent => {}
                    // Perhaps it was renamed to an id that was not there yet when the names were read.
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

    /// Creates the marker of a record that is about to bear `tag`. The caller holds the record's lock.
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
        // An older marker is synced, too: perhaps its first sync failed.
        let synced = self.directory.sync_directory(marker.shard());
        if synced.is_err() && is_new {
            self.unmark(tag, id);
        }
        Ok(synced?)
    }

    /// Removes the marker of a record that does not bear `tag` any more. The caller holds the record's lock.
    ///
    /// If that fails, a later listing or sweep drops the marker.
    pub(crate) fn unmark(&self, tag: &PrincipalTag, id: &SessionId) {
        if let Err(failure) = self.try_unmark(tag, id) {
            left_behind(&failure);
        }
    }

    /// Removes the marker of a record that did not come to life, unless the record bears the tag all the same. The
    /// caller holds the record's lock.
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

    /// Returns the tag of a record according to its headers, or `None` if it has no tag or is damaged. The caller holds
    /// the record's lock.
    ///
    /// Use it only to remove a marker, where a wrong answer leaves a stale marker.
    pub(crate) fn tag_of(&self, id: &SessionId) -> Result<Option<PrincipalTag>, Failure> {
        match Opened::at(&self.directory, id, Access::Read)? {
            Opened::File(file) => file.principal_of_headers(id),
            Opened::Foreign => Err(Failure::Foreign),
            Opened::Nothing | Opened::Unlinked => Ok(None),
        }
    }

    /// Removes a marker whose record has gone. A failure is logged only.
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

    /// Reads the markers of a tag and looks at each record, while no marker comes or goes.
    ///
    /// Without the lock, the listing could miss a session. If a name is created while a directory is read, the system
    /// may or may not return it, and a rename creates one name and then removes another.
    fn list(&self, tag: &PrincipalTag, now: Timestamp) -> Result<Listing, Failure> {
        let _lock = self.locks.principal(tag)?;
        let mut listing = Listing { stale: marked(&self.directory, tag)?, ..Listing::default() };
        // Twice, because a rename may slip between two looks: the new id is looked at before the record is there, and
        // the old id after the record has gone. No second rename can follow, because the lock keeps new markers away.
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

    /// Looks at a record without its lock. Returns `None` if that is not enough to be certain.
    fn look(&self, id: &SessionId, tag: &PrincipalTag, now: Timestamp) -> Result<Option<Bearer>, Failure> {
        for _ in 0..UNLOCKED_LOOKS {
            if let Some(found) = Found::unlocked(&self.directory, id).transpose() {
                return Bearer::of_look(found, tag, now).map(Some);
            }
        }
        Ok(None)
    }
}

#[derive(Default)]
struct Listing {
    live: Vec<SessionId>,
    /// The ids at which a writer got in the way of each look.
    unclear: Vec<SessionId>,
    stale: Vec<SessionId>,
}

/// The state of a record for a tag that has a marker for it.
enum Bearer {
    /// It lives and bears the tag, or may do so: it cannot be read now, or not by this program.
    Live,
    /// It bears the tag, or may do so, but does not live. It may live again if the clock is set back, so its marker
    /// stays.
    Silent,
    /// There is no record, or it does not bear the tag.
    Gone,
}

impl Bearer {
    /// Takes a record that could not be looked at for one that lives. A listing without it would tell a revocation that
    /// there is no such session.
    fn of_look(look: Result<Found, Failure>, tag: &PrincipalTag, now: Timestamp) -> Result<Self, Failure> {
        match look {
            Ok(found) => Ok(Self::of(found, tag, now)),
            Err(Failure::System(_)) => Ok(Self::Live),
            Err(failure) => Err(failure),
        }
    }

    fn of(found: Found, tag: &PrincipalTag, now: Timestamp) -> Self {
        match found {
            Found::Absent(_) => Self::Gone,
            Found::Record(_, current) if current.stored.record.principal != Some(*tag) => Self::Gone,
            Found::Record(_, current) if current.stored.record.is_expired(now) => Self::Silent,
            Found::Record(..) => Self::Live,
            Found::Damaged => Self::Silent,
            // It can be read by a newer program, or once a copy or a link has gone. Then the session lives, so whoever
            // revokes sessions must find it.
            Found::Unsupported | Found::Foreign => Self::Live,
        }
    }
}

/// Returns the ids of all markers of a tag.
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

/// Returns whether there is certainly nothing at a record's name.
pub(crate) fn is_absent(records: &Records, id: &SessionId) -> Result<bool, Failure> {
    Ok(records.directory.status_at(RecordName::of(id).path())?.is_none())
}

fn left_behind(error: &(dyn Error + 'static)) {
    tracing::debug!(error, "a marker of a principal's session is left for the sweep");
}
