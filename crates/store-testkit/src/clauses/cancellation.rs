//! (h) A future that is dropped at any await leaves the old record or the new one, never a mixture.
//!
//! Each operation is polled once and dropped, polled twice and dropped, and so on, until it has nothing left to wait
//! for. A store may let the work go on in the background, so a record may still change while these clauses look at it.
//! It has to be whole at any time. Where the clauses want a settled state, they give the store time.

use std::num::NonZeroUsize;
use std::time::Duration;

use nexios_store_core::{DeleteOutcome, PrincipalTag, Record, SessionId, Stored, UpdateOutcome};

use super::NO_EXPIRY;
use super::crash::{Principal, Session, lives_somewhere};
use crate::caller::{Caller, ensure, ensure_eq};
use crate::race::dropped_after;
use crate::{Subject, Verdict};

/// A dropped `create` leaves no record or the whole new one.
pub async fn h_a_dropped_create_leaves_nothing_or_the_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('h');
    for polls in 1..=MOST_POLLS {
        let mut finished = true;
        for _ in 0..TRIES {
            let (id, tag) = (caller.id(), caller.tag());
            let record = caller.tagged("new", tag);
            let dropped = dropped_after(polls, caller.create(&id, &record)).await;
            finished &= dropped.is_some();
            if let Some(stored) = caller.load(&id).await {
                caller.is_record(&stored.record, &record, "that a dropped create left");
            }
            index_follows(&caller, &tag, &[id], "after a dropped create").await;
        }
        if finished {
            break;
        }
    }
    Verdict::Holds
}

/// A dropped `update` leaves the old record at its revision or the new one at another, and does not undo a later
/// delete.
pub async fn h_a_dropped_update_leaves_the_old_record_or_the_new(subject: &Subject) -> Verdict {
    let caller = subject.caller('h');
    for polls in 1..=MOST_POLLS {
        let mut finished = true;
        for _ in 0..TRIES {
            let (before, after) = (caller.tag(), caller.tag());
            let old = caller.tagged("old", before);
            let new = caller.tagged(vec![b'n'; 3000], after);
            let new = Record { expires_at: new.expires_at.saturating_add(Duration::from_secs(60)), ..new };
            let (id, revision) = caller.session(&old).await;
            finished &= dropped_after(polls, caller.update(&id, revision, &new)).await.is_some();
            let stored = whole(&caller, &id, &Stored { record: old, revision }, &new, "update").await;
            for tag in [before, after] {
                index_follows(&caller, &tag, &[id], "after a dropped update").await;
            }
            let last = caller.record("last");
            match caller.update(&id, stored.revision, &last).await {
                UpdateOutcome::Updated(revision) => caller.finds(&id, &last, revision, "after a dropped update").await,
                // The dropped update went on in the background and came first.
                UpdateOutcome::Conflict if stored.revision == revision => {}
                other => {
                    caller.broken(format_args!("expected an update after a dropped one to succeed, got {other:?}"))
                }
            }
            stays_deleted(&caller, &id).await;
        }
        if finished {
            break;
        }
    }
    Verdict::Holds
}

/// A dropped `rename` leaves the old record, the new one or both, as a
/// [crash](super::m_a_crash_inside_a_rename_leaves_the_session) does.
pub async fn h_a_dropped_rename_leaves_the_old_record_or_the_new(subject: &Subject) -> Verdict {
    let caller = subject.caller('h');
    for polls in 1..=MOST_POLLS {
        let mut finished = true;
        for principal in (0..TRIES).flat_map(|_| Principal::ALL) {
            let session = Session::new(&caller, principal).await;
            let Session { old, revision, new, renamed, .. } = &session;
            finished &= dropped_after(polls, caller.rename(old, *revision, new, renamed)).await.is_some();
            lives_somewhere(&caller, &session, "after a dropped rename").await;
            for tag in session.tags() {
                index_follows(&caller, &tag, &[*old, *new], "after a dropped rename").await;
            }
            for id in [old, new] {
                let _ = caller.delete(id).await;
            }
        }
        if finished {
            break;
        }
    }
    Verdict::Holds
}

/// A dropped `touch` leaves the old expiry or the new one, and everything else as it was.
pub async fn h_a_dropped_touch_leaves_the_old_expiry_or_the_new(subject: &Subject) -> Verdict {
    let caller = subject.caller('h');
    for polls in 1..=MOST_POLLS {
        let mut finished = true;
        for _ in 0..TRIES {
            let tag = caller.tag();
            let old = caller.tagged("old", tag);
            let later = old.expires_at.saturating_add(Duration::from_secs(60));
            let (id, revision) = caller.session(&old).await;
            finished &= dropped_after(polls, caller.touch(&id, revision, later)).await.is_some();
            let Some(stored) = caller.load(&id).await else {
                caller.broken(format_args!("expected a touched record, got none"))
            };
            let expires_at = stored.record.expires_at;
            ensure!(
                caller,
                expires_at == old.expires_at || expires_at == later,
                "expected the old expiry or the new one"
            );
            caller.is_record(&stored.record, &Record { expires_at, ..old }, "after a dropped touch");
            ensure_eq!(caller, stored.revision, revision, "the revision after a dropped touch");
            index_follows(&caller, &tag, &[id], "after a dropped touch").await;
            stays_deleted(&caller, &id).await;
        }
        if finished {
            break;
        }
    }
    Verdict::Holds
}

/// A dropped `delete` leaves the whole record or none.
pub async fn h_a_dropped_delete_leaves_the_record_or_nothing(subject: &Subject) -> Verdict {
    let caller = subject.caller('h');
    for polls in 1..=MOST_POLLS {
        let mut finished = true;
        for _ in 0..TRIES {
            let tag = caller.tag();
            let record = caller.tagged("old", tag);
            let (id, revision) = caller.session(&record).await;
            finished &= dropped_after(polls, caller.delete(&id)).await.is_some();
            if let Some(stored) = caller.load(&id).await {
                caller.is_record(&stored.record, &record, "that a dropped delete left");
                ensure_eq!(caller, stored.revision, revision, "the revision after a dropped delete");
            }
            index_follows(&caller, &tag, &[id], "after a dropped delete").await;
            stays_deleted(&caller, &id).await;
        }
        if finished {
            break;
        }
    }
    Verdict::Holds
}

/// A dropped sweep has removed expired records only, and the next one removes the rest.
///
/// Applies to stores that sweep.
pub async fn h_a_dropped_sweep_removes_the_expired_only(subject: &Subject) -> Verdict {
    let caller = subject.caller('h');
    let Some(expiry) = caller.store().expiry() else { return NO_EXPIRY };
    for polls in 1..=MOST_POLLS {
        let tag = caller.tag();
        let (lives, expires) = (caller.tagged("lives", tag), caller.short_lived(caller.tagged("expires", tag)));
        let mut living = Vec::new();
        for _ in 0..5 {
            living.push(caller.session(&lives).await);
            let _ = caller.session(&expires).await;
        }
        caller.outlive().await;
        let limit = NonZeroUsize::new(100).unwrap_or(NonZeroUsize::MIN);
        let finished = dropped_after(polls, expiry.delete_expired(caller.now(), limit)).await.is_some();
        let _ = caller.sweep(100).await;
        for (id, revision) in &living {
            caller.finds(id, &lives, *revision, "that lives, after a dropped sweep").await;
        }
        let ids: Vec<_> = living.iter().map(|(id, _)| *id).collect();
        caller.lists(&tag, &ids, "after a dropped sweep").await;
        for id in &ids {
            caller.deleted(id).await;
        }
        if finished {
            break;
        }
    }
    Verdict::Holds
}

/// Returns what is stored under the id. It must be the old version, or the new record at another revision.
async fn whole(caller: &Caller, id: &SessionId, old: &Stored, new: &Record, call: &str) -> Stored {
    let Some(stored) = caller.load(id).await else {
        caller.broken(format_args!("expected the old record or the new one after a dropped {call}, got none"))
    };
    let is_new = stored.record == *new && stored.revision != old.revision;
    ensure!(
        caller,
        stored == *old || is_new,
        "expected the old record or the new one after a dropped {call}, got a mixture: {stored:?}"
    );
    stored
}

/// Checks that the index lists those of these ids that have a live record with this tag, once nothing is in flight.
async fn index_follows(caller: &Caller, tag: &PrincipalTag, ids: &[SessionId], when: &str) {
    if caller.store().principals().is_none() {
        return;
    }
    for tries_left in (0..SETTLING_TRIES).rev() {
        let mut live = Vec::new();
        for id in ids {
            if caller.load(id).await.is_some_and(|stored| stored.record.principal == Some(*tag)) {
                live.push(*id);
            }
        }
        if tries_left == 0 {
            return caller.lists(tag, &live, when).await;
        }
        if caller.sessions_of(tag).await == live.into_iter().collect() {
            return;
        }
        tokio::time::sleep(SETTLING_PAUSE).await;
    }
}

/// Deletes what a dropped call left. Work that still runs must not bring it back.
async fn stays_deleted(caller: &Caller, id: &SessionId) {
    let _: DeleteOutcome = caller.delete(id).await;
    caller.finds_nothing(id, "that was deleted after a dropped call").await;
}

/// The number of awaits in one operation at which the clauses drop it.
const MOST_POLLS: usize = 32;
const TRIES: usize = 4;
const SETTLING_TRIES: usize = 200;
const SETTLING_PAUSE: Duration = Duration::from_millis(5);
