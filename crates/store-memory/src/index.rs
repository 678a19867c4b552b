use std::array;

use foldhash::HashMap;
use nexios_store_core::{PrincipalTag, Record, SessionId, Timestamp};
use parking_lot::{Mutex, MutexGuard};

/// The principal index: each record that has a tag, and the time at which it expires.
///
/// Only a thread that holds the lock of the record's shard changes an entry. So the index and the records differ, at
/// most, for as long as that lock is held. A thread takes a lock of the index after all its other locks, and holds one
/// lock of the index at a time.
pub(crate) struct Index([Mutex<Part>; PARTS]);

/// The sessions of some tags. Each entry has its expiry, so that one lock is enough to list the sessions that are live
/// at one moment, even while sessions are renamed.
type Part = HashMap<PrincipalTag, HashMap<SessionId, Timestamp>>;

impl Index {
    /// The live sessions of a tag.
    pub(crate) fn live(&self, tag: &PrincipalTag, now: Timestamp) -> Vec<SessionId> {
        let part = self.part(tag);
        let sessions = part.get(tag).into_iter().flatten();
        sessions.filter(|(_, expires_at)| **expires_at > now).map(|(id, _)| *id).collect()
    }

    /// Adds the entry of a record, or brings it up to date.
    pub(crate) fn put(&self, id: &SessionId, record: &Record) {
        if let Some(tag) = &record.principal {
            self.part(tag).entry(*tag).or_default().insert(*id, record.expires_at);
        }
    }

    /// Removes the entry of a record that is gone.
    pub(crate) fn remove(&self, id: &SessionId, record: &Record) {
        if let Some(tag) = &record.principal {
            remove_from(&mut self.part(tag), tag, id);
        }
    }

    /// Replaces the entry of a session that has a new record, under the same id or another one.
    ///
    /// If the tag stays the same, a listing sees the session exactly once: as it was before or as it is afterwards.
    pub(crate) fn replace(&self, old: (&SessionId, &Record), new: (&SessionId, &Record)) {
        match (&old.1.principal, &new.1.principal) {
            (Some(before), Some(tag)) if before == tag => {
                let mut part = self.part(tag);
                remove_from(&mut part, tag, old.0);
                part.entry(*tag).or_default().insert(*new.0, new.1.expires_at);
            }
            // In this order, so that a session whose tag changes is listed under one of the two tags at every moment.
            _ => {
                self.put(new.0, new.1);
                self.remove(old.0, old.1);
            }
        }
    }

    fn part(&self, tag: &PrincipalTag) -> MutexGuard<'_, Part> {
        self.0[usize::from(tag.as_bytes()[0]) % PARTS].lock()
    }
}

impl Default for Index {
    fn default() -> Self {
        Self(array::from_fn(|_| Mutex::default()))
    }
}

/// Removes a session, and its tag if that was the last session. So there are never more tags than records.
fn remove_from(part: &mut Part, tag: &PrincipalTag, id: &SessionId) {
    let Some(sessions) = part.get_mut(tag) else { return };
    sessions.remove(id);
    if sessions.is_empty() {
        part.remove(tag);
    }
}

const PARTS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_removed_record_leaves_nothing_in_the_index() {
        let index = Index::default();
        let (one, two) = (SessionId::from_bytes([1; 16]), SessionId::from_bytes([2; 16]));
        let tags = [Some(PrincipalTag::from_bytes([7; 32])), Some(PrincipalTag::from_bytes([8; 32])), None];
        let [of_ada, of_bob, of_nobody] =
            tags.map(|principal| Record { payload: "a".into(), expires_at: Timestamp::MAX, principal });
        for (before, after) in [(&of_ada, &of_ada), (&of_ada, &of_bob), (&of_ada, &of_nobody), (&of_nobody, &of_bob)] {
            index.put(&one, before);
            index.replace((&one, before), (&two, after));
            for tag in tags.iter().flatten() {
                let expected: &[SessionId] = if after.principal == Some(*tag) { &[two] } else { &[] };
                assert_eq!(index.live(tag, Timestamp::UNIX_EPOCH), expected);
            }
            index.remove(&two, after);
            assert!(index.0.iter().all(|part| part.lock().is_empty()));
        }
    }
}
