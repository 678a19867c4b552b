//! (f) Only `create` and a successful `rename` bring an id to life: no update, touch or late write does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nexios_store_core::{DeleteOutcome, RenameOutcome, Revision, SessionId, TouchOutcome, UpdateOutcome};
use tokio::task::yield_now;

use super::ROUNDS;
use crate::caller::{Caller, ensure, ensure_eq};
use crate::race::{at_once, rounds};
use crate::{Subject, Verdict};

/// An id that was deleted, renamed away or never known is `Missing` to every write, and stays without a record.
pub async fn f_no_write_brings_an_id_to_life(subject: &Subject) -> Verdict {
    let caller = subject.caller('f');
    let record = caller.record("a");
    let (deleted, of_deleted) = caller.session(&record).await;
    caller.deleted(&deleted).await;
    let (renamed, of_renamed) = caller.session(&record).await;
    let new = caller.id();
    let moved = caller.renamed(&renamed, of_renamed, &new, &record).await;
    let (_, of_another) = caller.session(&record).await;
    for (id, revision, what) in [
        (deleted, of_deleted, "a deleted id"),
        (renamed, of_renamed, "an id that was renamed away"),
        (caller.id(), of_another, "an unknown id"),
    ] {
        let (late, target) = (caller.record("late"), caller.id());
        caller.finds_nothing(&id, &format!("of {what}")).await;
        ensure_eq!(caller, caller.update(&id, revision, &late).await, UpdateOutcome::Missing, "updating {what}");
        ensure_eq!(
            caller,
            caller.touch(&id, revision, late.expires_at).await,
            TouchOutcome::Missing,
            "touching {what}"
        );
        let outcome = caller.rename(&id, revision, &target, &late).await;
        ensure_eq!(caller, outcome, RenameOutcome::Missing, "renaming {what}");
        ensure_eq!(caller, caller.delete(&id).await, DeleteOutcome::Missing, "deleting {what}");
        for id in [id, target] {
            caller.finds_nothing(&id, &format!("of {what} after late writes")).await;
        }
    }
    caller.finds(&new, &record, moved, "after late writes to its old id").await;
    Verdict::Holds
}

/// A deleted session is gone when all calls beside the delete have been answered. So a logout is not undone.
pub async fn f_no_late_write_undoes_a_delete(subject: &Subject) -> Verdict {
    let caller = subject.caller('f');
    for _ in rounds(ROUNDS * 2) {
        let (id, revision) = caller.session(&caller.record("a")).await;
        let deleted = Arc::new(AtomicBool::new(false));
        at_once(6, |n| {
            let (caller, deleted) = (caller.clone(), Arc::clone(&deleted));
            async move {
                if n == 2 {
                    caller.deleted(&id).await;
                    deleted.store(true, Ordering::SeqCst);
                } else {
                    write_until(&deleted, &caller, n, &id, revision).await;
                }
            }
        })
        .await;
        caller.finds_nothing(&id, "that was deleted beside updates and touches").await;
    }
    Verdict::Holds
}

/// The old id of a successful rename has no record when all calls beside the rename have been answered.
pub async fn f_no_late_write_undoes_a_rename(subject: &Subject) -> Verdict {
    let caller = subject.caller('f');
    for _ in rounds(ROUNDS * 2) {
        let (old, revision) = caller.session(&caller.record("a")).await;
        let (new, record) = (caller.id(), caller.record("renamed"));
        let answered = Arc::new(AtomicBool::new(false));
        let outcomes = at_once(6, |n| {
            let (caller, record, answered) = (caller.clone(), record.clone(), Arc::clone(&answered));
            async move {
                if n == 2 {
                    let outcome = caller.rename(&old, revision, &new, &record).await;
                    answered.store(true, Ordering::SeqCst);
                    return Some(outcome);
                }
                write_until(&answered, &caller, n, &old, revision).await;
                None
            }
        })
        .await;
        match outcomes[2] {
            Some(RenameOutcome::Renamed(revision)) => {
                caller.finds_nothing(&old, "of an id that was renamed away beside updates and touches").await;
                caller.finds(&new, &record, revision, "that was renamed beside writes to its old id").await;
            }
            _ => caller.finds_nothing(&new, "under the new id of a rename that did not succeed").await,
        }
    }
    Verdict::Holds
}

/// At most one of a delete and a rename of one id succeeds. So a deleted session does not live on under another id.
pub async fn f_what_was_deleted_does_not_live_on_under_another_id(subject: &Subject) -> Verdict {
    let caller = subject.caller('f');
    for _ in rounds(ROUNDS * 2) {
        let tag = caller.tag();
        let record = caller.tagged("a", tag);
        let (old, revision) = caller.session(&record).await;
        let new = caller.id();
        let succeeded = at_once(2, |n| {
            let (caller, record) = (caller.clone(), record.clone());
            async move {
                if n == 0 {
                    caller.delete(&old).await == DeleteOutcome::Deleted
                } else {
                    matches!(caller.rename(&old, revision, &new, &record).await, RenameOutcome::Renamed(_))
                }
            }
        })
        .await;
        let [deleted, renamed] = succeeded[..] else { unreachable!("there were two callers") };
        ensure!(
            caller,
            deleted != renamed,
            "expected one of a concurrent delete and rename to succeed, got delete: {deleted}, rename: {renamed}"
        );
        caller.finds_nothing(&old, "that was deleted or renamed away").await;
        ensure!(
            caller,
            caller.load(&new).await.is_some() == renamed,
            "expected a record under the new id only if the rename succeeded"
        );
        let live = renamed.then_some(new);
        caller.lists(&tag, live.as_slice(), "after a delete beside a rename").await;
    }
    Verdict::Holds
}

/// Writes again and again, whatever the answer is, and for the last time after the others have been answered.
async fn write_until(answered: &AtomicBool, caller: &Caller, n: usize, id: &SessionId, revision: Revision) {
    loop {
        let last = answered.load(Ordering::SeqCst);
        let late = caller.record(vec![b'l'; if n == 1 { 5000 } else { 5 }]);
        if n.is_multiple_of(3) {
            let _ = caller.touch(id, revision, late.expires_at).await;
        } else {
            let _ = caller.update(id, revision, &late).await;
        }
        if last {
            return;
        }
        yield_now().await;
    }
}
