//! (k) With nothing in flight the principal index lists exactly the live sessions of a tag, through create, update,
//! rename, delete and expiry. A listing that overlaps a rename shows the old id, the new one or both.
//!
//! These clauses apply to stores with an index: their `principals()` is not `None`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nexios_store_core::{CreateOutcome, Record, RenameOutcome, SessionId, TouchOutcome, UpdateOutcome};
use tokio::task::yield_now;

use super::{BATCH, NO_INDEX, ROUNDS};
use crate::caller::{ensure, ensure_eq};
use crate::race::{at_once, rounds, scrambled};
use crate::{Subject, Verdict};

/// The index follows each change: new sessions, changed principals, new ids, deletions, touches, expiry and sweeps.
pub async fn k_the_index_follows_every_change(subject: &Subject) -> Verdict {
    let caller = subject.caller('k');
    if caller.store().principals().is_none() {
        return NO_INDEX;
    }
    let (ada, bob) = (caller.tag(), caller.tag());
    caller.lists(&ada, &[], "that nobody has").await;
    let (of_ada, of_nobody) = (caller.tagged("a", ada), caller.record("a"));
    let (one, first) = caller.session(&of_ada).await;
    let (two, second) = caller.session(&of_ada).await;
    let (three, third) = caller.session(&of_nobody).await;
    caller.lists(&ada, &[one, two], "after two were created").await;

    let first = caller.updated(&one, first, &of_ada).await;
    caller.lists(&ada, &[one, two], "after one was updated").await;
    let first = caller.updated(&one, first, &caller.tagged("b", bob)).await;
    caller.lists(&ada, &[two], "after one went to another principal").await;
    caller.lists(&bob, &[one], "after one came from another principal").await;
    let first = caller.updated(&one, first, &of_nobody).await;
    caller.lists(&bob, &[], "after one lost its principal").await;
    let _ = caller.updated(&one, first, &of_ada).await;
    let _ = caller.updated(&three, third, &of_ada).await;
    caller.lists(&ada, &[one, two, three], "after two got a principal").await;

    let (four, five) = (caller.id(), caller.id());
    let second = caller.renamed(&two, second, &four, &of_ada).await;
    caller.lists(&ada, &[one, three, four], "after one got a new id").await;
    let _ = caller.renamed(&four, second, &five, &caller.tagged("b", bob)).await;
    caller.lists(&ada, &[one, three], "after one got a new id and another principal").await;
    caller.lists(&bob, &[five], "after one got a new id and this principal").await;

    caller.deleted(&three).await;
    caller.lists(&ada, &[one], "after one was deleted").await;
    let _ = caller.created(&three, &of_ada).await;
    caller.lists(&ada, &[one, three], "after one was created anew").await;

    let short = caller.short_lived(of_ada.clone());
    let (expires, _) = caller.session(&short).await;
    let (prolonged, of_prolonged) = caller.session(&short).await;
    let (replaced, _) = caller.session(&short).await;
    ensure_eq!(
        caller,
        caller.touch(&prolonged, of_prolonged, of_ada.expires_at).await,
        TouchOutcome::Touched,
        "touching a live record"
    );
    caller.lists(&ada, &[one, three, expires, prolonged, replaced], "before some expire").await;
    caller.outlive().await;
    caller.lists(&ada, &[one, three, prolonged], "after two expired and a touch prolonged one").await;
    let _ = caller.created(&replaced, &caller.tagged("b", bob)).await;
    caller.lists(&ada, &[one, three, prolonged], "after another principal took an expired one's id").await;
    caller.lists(&bob, &[five, replaced], "after one took an expired one's id").await;
    if caller.store().expiry().is_some() {
        let _ = caller.sweep(100).await;
    }
    caller.lists(&ada, &[one, three, prolonged], "after a sweep").await;
    caller.lists(&bob, &[five, replaced], "after a sweep").await;
    Verdict::Holds
}

/// A refused change leaves the index as it was.
pub async fn k_a_refused_change_leaves_the_index(subject: &Subject) -> Verdict {
    let caller = subject.caller('k');
    if caller.store().principals().is_none() {
        return NO_INDEX;
    }
    let (ada, bob) = (caller.tag(), caller.tag());
    let (of_ada, of_bob) = (caller.tagged("a", ada), caller.tagged("b", bob));
    let (one, former) = caller.session(&of_ada).await;
    let revision = caller.updated(&one, former, &of_ada).await;
    let (two, _) = caller.session(&of_ada).await;
    let (gone, new) = (caller.id(), caller.id());
    ensure_eq!(caller, caller.create(&one, &of_bob).await, CreateOutcome::IdTaken, "creating a taken id");
    ensure_eq!(
        caller,
        caller.update(&one, former, &of_bob).await,
        UpdateOutcome::Conflict,
        "updating from a former revision"
    );
    ensure_eq!(caller, caller.update(&gone, revision, &of_bob).await, UpdateOutcome::Missing, "updating an unknown id");
    for (old, expected, new, outcome) in [
        (one, former, new, RenameOutcome::Conflict),
        (one, revision, two, RenameOutcome::IdTaken),
        (one, revision, one, RenameOutcome::IdTaken),
        (gone, revision, new, RenameOutcome::Missing),
    ] {
        ensure_eq!(caller, caller.rename(&old, expected, &new, &of_bob).await, outcome, "a rename that is refused");
    }
    caller.lists(&ada, &[one, two], "after changes that were refused").await;
    caller.lists(&bob, &[], "that only refused changes would have given to a session").await;
    Verdict::Holds
}

/// The index lists exactly the sessions that a load finds, after many callers have created, updated, renamed, touched
/// and deleted a few sessions of two users.
pub async fn k_the_index_is_exact_after_a_storm(subject: &Subject) -> Verdict {
    let caller = subject.caller('k');
    if caller.store().principals().is_none() {
        return NO_INDEX;
    }
    for round in rounds(ROUNDS / 4) {
        let tags = [caller.tag(), caller.tag()];
        let ids: Vec<SessionId> = (0..6).map(|_| caller.id()).collect();
        at_once(8, |n| {
            let (caller, ids) = (caller.clone(), ids.clone());
            async move {
                for step in 0..40 {
                    let dice = scrambled((round as u64) << 32 | (n as u64) << 16 | step);
                    let pick = |byte: usize, of: usize| usize::from(dice.to_le_bytes()[byte]) % of;
                    let (id, other) = (ids[pick(1, ids.len())], ids[pick(2, ids.len())]);
                    let tag = [Some(tags[0]), Some(tags[1]), None][pick(3, 3)];
                    let record = Record { principal: tag, ..caller.record("a") };
                    match (pick(4, 5), caller.load(&id).await) {
                        (0, Some(_)) => drop(caller.delete(&id).await),
                        (1, Some(stored)) => drop(caller.touch(&id, stored.revision, record.expires_at).await),
                        (2, Some(stored)) => drop(caller.rename(&id, stored.revision, &other, &record).await),
                        (_, Some(stored)) => drop(caller.update(&id, stored.revision, &record).await),
                        (_, None) => drop(caller.create(&id, &record).await),
                    }
                    yield_now().await;
                }
            }
        })
        .await;
        for tag in &tags {
            let mut live = Vec::new();
            for id in &ids {
                if caller.load(id).await.is_some_and(|stored| stored.record.principal == Some(*tag)) {
                    live.push(*id);
                }
            }
            caller.lists(tag, &live, "after a storm of changes").await;
        }
    }
    Verdict::Holds
}

/// A listing of a user's sessions shows a session that gets new ids meanwhile under one of them, and shows all the
/// other sessions. So a revocation misses no session.
pub async fn k_a_listing_during_renames_misses_nobody(subject: &Subject) -> Verdict {
    let caller = subject.caller('k');
    if caller.store().principals().is_none() {
        return NO_INDEX;
    }
    let tag = caller.tag();
    let record = caller.tagged("a", tag);
    let bystanders = [caller.session(&record).await.0, caller.session(&record).await.0];
    for _ in rounds(ROUNDS / 4) {
        let ids: Arc<[SessionId]> = (0..=BATCH).map(|_| caller.id()).collect();
        let first = caller.created(&ids[0], &record).await;
        let renamed = Arc::new(AtomicBool::new(false));
        at_once(4, |n| {
            let (caller, record, ids, renamed) =
                (caller.clone(), record.clone(), Arc::clone(&ids), Arc::clone(&renamed));
            async move {
                if n == 0 {
                    let mut revision = first;
                    for step in ids.windows(2) {
                        revision = caller.renamed(&step[0], revision, &step[1], &record).await;
                        yield_now().await;
                    }
                    renamed.store(true, Ordering::SeqCst);
                    return;
                }
                while !renamed.load(Ordering::SeqCst) {
                    let mut listed = caller.sessions_of(&tag).await;
                    let all = bystanders.iter().all(|id| listed.remove(id));
                    ensure!(caller, all, "expected a listing beside a rename to have the other sessions too");
                    ensure!(
                        caller,
                        !listed.is_empty(),
                        "expected a listing beside a rename to have the old id, the new one or both, got neither"
                    );
                    let no_others = listed.iter().all(|id| ids.contains(id));
                    ensure!(caller, no_others, "expected a listing beside a rename to have no other sessions");
                    yield_now().await;
                }
            }
        })
        .await;
        let last = ids[BATCH];
        caller.lists(&tag, &[bystanders[0], bystanders[1], last], "after renames").await;
        caller.deleted(&last).await;
    }
    Verdict::Holds
}
