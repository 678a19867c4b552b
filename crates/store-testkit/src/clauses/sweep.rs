//! (j) `delete_expired(limit)` removes at most `limit` records, only expired ones, and goes on past a bad one.
//!
//! These clauses apply to stores that sweep: their `expiry()` is not `None`.

use nexios_store_core::{CreateOutcome, RenameOutcome, TouchOutcome, UpdateOutcome};

use super::{NO_DAMAGE, NO_EXPIRY, ROUNDS};
use crate::caller::{Caller, ensure, ensure_eq};
use crate::race::{at_once, rounds};
use crate::{Subject, Verdict};

/// A sweep removes all expired records, in steps of at most the limit, and says when it is done.
pub async fn j_a_sweep_removes_the_expired_in_steps(subject: &Subject) -> Verdict {
    let caller = subject.caller('j');
    if caller.store().expiry().is_none() {
        return NO_EXPIRY;
    }
    let mut living = Vec::new();
    let lives = caller.record("lives");
    let expires = caller.short_lived(caller.record("expires"));
    for _ in 0..10 {
        let _ = caller.session(&expires).await;
        living.push(caller.session(&lives).await);
    }
    ensure_eq!(caller, swept(&caller, 100).await, 0, "the number of records removed before any is expired");
    caller.outlive().await;
    ensure_eq!(caller, swept(&caller, 3).await, 10, "the number of records removed when 10 are expired");
    ensure_eq!(caller, swept(&caller, 3).await, 0, "the number of records removed after all were");
    for (id, revision) in living {
        caller.finds(&id, &lives, revision, "that lives, after a sweep").await;
    }
    Verdict::Holds
}

/// A sweep goes by the expiry that a record has now. It spares a record that a touch, an update or a rename prolonged,
/// and removes one that an update shortened.
pub async fn j_a_sweep_goes_by_the_latest_expiry(subject: &Subject) -> Verdict {
    let caller = subject.caller('j');
    if caller.store().expiry().is_none() {
        return NO_EXPIRY;
    }
    let long = caller.record("a");
    let short = caller.short_lived(long.clone());
    let (touched, of_touched) = caller.session(&short).await;
    ensure_eq!(
        caller,
        caller.touch(&touched, of_touched, long.expires_at).await,
        TouchOutcome::Touched,
        "touching a live record"
    );
    let (updated, revision) = caller.session(&short).await;
    let of_updated = caller.updated(&updated, revision, &long).await;
    let (old, revision) = caller.session(&short).await;
    let renamed = caller.id();
    let of_renamed = caller.renamed(&old, revision, &renamed, &long).await;
    let (shortened, revision) = caller.session(&long).await;
    let _ = caller.updated(&shortened, revision, &short).await;
    let (anew, _) = caller.session(&long).await;
    caller.deleted(&anew).await;
    let of_anew = caller.created(&anew, &long).await;
    caller.outlive().await;
    ensure_eq!(
        caller,
        swept(&caller, 100).await,
        1,
        "the number of records removed when only a shortened one is expired"
    );
    for (id, revision, what) in [
        (touched, of_touched, "that a touch prolonged, after a sweep"),
        (updated, of_updated, "that an update prolonged, after a sweep"),
        (renamed, of_renamed, "that a rename prolonged, after a sweep"),
        (anew, of_anew, "that was created anew, after a sweep"),
    ] {
        caller.finds(&id, &long, revision, what).await;
    }
    caller.finds_nothing(&shortened, "that an update shortened, after a sweep").await;
    Verdict::Holds
}

/// Sweeps that run at the same time together remove each expired record once.
pub async fn j_concurrent_sweeps_count_each_record_once(subject: &Subject) -> Verdict {
    let caller = subject.caller('j');
    if caller.store().expiry().is_none() {
        return NO_EXPIRY;
    }
    for _ in rounds(ROUNDS / 4) {
        let expires = caller.short_lived(caller.record("expires"));
        for _ in 0..40 {
            let _ = caller.session(&expires).await;
        }
        caller.outlive().await;
        let removed = at_once(4, |_| {
            let caller = caller.clone();
            async move { swept(&caller, 3).await }
        })
        .await;
        // A sweep may have skipped a record that another was working on, so a last one takes what is left.
        let removed = removed.iter().sum::<usize>() + swept(&caller, 100).await;
        ensure_eq!(caller, removed, 40, "the number of records that concurrent sweeps removed of 40");
    }
    Verdict::Holds
}

/// A sweep spares what comes to life while it runs: an id that a create or a rename takes over from an expired record.
/// Where time is an argument, it also spares a record that a touch or an update prolongs in time.
pub async fn j_a_sweep_spares_what_comes_to_life_meanwhile(subject: &Subject) -> Verdict {
    let caller = subject.caller('j');
    if caller.store().expiry().is_none() {
        return NO_EXPIRY;
    }
    for _ in rounds(ROUNDS / 4) {
        let long = caller.record("alive");
        let short = caller.short_lived(caller.record("expires"));
        let mut expired = Vec::new();
        for _ in 0..4 {
            expired.push(caller.session(&short).await);
        }
        let (source, of_source) = caller.session(&long).await;
        let in_time = caller.at(caller.now());
        caller.outlive().await;
        let survivors = at_once(6, |n| {
            let (caller, in_time, long) = (caller.clone(), in_time.clone(), long.clone());
            let (id, revision) = expired[n % 4];
            async move {
                let lives = match n {
                    0 => matches!(caller.create(&id, &long).await, CreateOutcome::Created(_)),
                    1 => matches!(caller.rename(&source, of_source, &id, &long).await, RenameOutcome::Renamed(_)),
                    2 if caller.decides_time() => {
                        in_time.touch(&id, revision, long.expires_at).await == TouchOutcome::Touched
                    }
                    3 if caller.decides_time() => {
                        matches!(in_time.update(&id, revision, &long).await, UpdateOutcome::Updated(_))
                    }
                    4 | 5 => {
                        let _ = swept(&caller, 100).await;
                        false
                    }
                    _ => false,
                };
                lives.then_some(id)
            }
        })
        .await;
        ensure!(
            caller,
            survivors[0].is_some() && survivors[1].is_some(),
            "expected an id with an expired record to be free while a sweep runs"
        );
        for id in survivors.iter().flatten() {
            ensure!(
                caller,
                caller.load(id).await.is_some(),
                "expected a sweep to spare a record that came to life while it ran"
            );
        }
        for (id, _) in expired {
            let _ = caller.delete(&id).await;
        }
    }
    Verdict::Holds
}

/// Damaged records do not keep a sweep from removing all the expired ones.
///
/// Applies to stores that sweep, if the subject says how a record is [damaged](Subject::damage).
pub async fn j_a_sweep_goes_on_past_a_bad_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('j');
    if caller.store().expiry().is_none() {
        return NO_EXPIRY;
    }
    let Some(damage) = subject.damage_injection() else { return NO_DAMAGE };
    let lives = caller.record("lives");
    let expires = caller.short_lived(caller.record("expires"));
    let (healthy, revision) = caller.session(&lives).await;
    let mut good = Vec::new();
    for n in 0..10 {
        let (id, _) = caller.session(&expires).await;
        if n % 3 == 1 {
            damage(id).await;
        } else {
            good.push(id);
        }
    }
    caller.outlive().await;
    let removed = swept(&caller, 2).await;
    // A store may also remove damaged records, if it can tell that they are expired.
    ensure!(caller, removed >= good.len(), "expected a sweep past bad records to remove {}, got {removed}", good.len());
    caller.finds(&healthy, &lives, revision, "that lives, after a sweep past bad records").await;
    let left = swept(&caller, 2).await;
    ensure_eq!(caller, left, 0, "the number of records removed after a sweep past bad ones");
    Verdict::Holds
}

/// Sweeps in steps until nothing is left, and returns how many records it removed.
pub(crate) async fn swept(caller: &Caller, limit: usize) -> usize {
    let mut removed = 0;
    for _ in 0..MOST_STEPS {
        let swept = caller.sweep(limit).await;
        ensure!(
            caller,
            swept.removed <= limit,
            "expected a sweep to remove at most its limit of {limit}, got {}",
            swept.removed
        );
        removed += swept.removed;
        if !swept.more {
            return removed;
        }
        tokio::task::yield_now().await;
    }
    caller.broken(format_args!("expected a sweep of a few records to end, got `more` after {MOST_STEPS} steps"))
}

const MOST_STEPS: usize = 1000;
