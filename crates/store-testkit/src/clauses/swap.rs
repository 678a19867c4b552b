//! (d) Of any number of concurrent `update`s or `rename`s from one revision exactly one succeeds.

use std::sync::Arc;

use nexios_store_core::{Record, RenameOutcome, Revision, SessionId, UpdateOutcome};
use tokio::task::yield_now;

use super::{BATCH, CALLERS, ROUNDS};
use crate::caller::{Caller, ensure, ensure_eq};
use crate::race::{Start, at_once, rounds};
use crate::{Subject, Verdict};

/// An update or a rename that names another revision than the current one is answered `Conflict` and changes nothing.
pub async fn d_another_revision_is_a_conflict(subject: &Subject) -> Verdict {
    let caller = subject.caller('d');
    let (id, first) = caller.session(&caller.record("first")).await;
    let second = caller.record("second");
    let current = caller.updated(&id, first, &second).await;
    let (_, of_another) = caller.session(&second).await;
    let new = caller.id();
    // The revision of the other session may have the same number by chance.
    let others =
        [first, of_another, Revision::new(u64::MAX), Revision::new(0)].into_iter().filter(|other| *other != current);
    for other in others {
        let late = caller.record("late");
        let updated = caller.update(&id, other, &late).await;
        ensure_eq!(caller, updated, UpdateOutcome::Conflict, "updating from another revision than the current one");
        let renamed = caller.rename(&id, other, &new, &late).await;
        ensure_eq!(caller, renamed, RenameOutcome::Conflict, "renaming from another revision than the current one");
        caller.finds(&id, &second, current, "after a conflict").await;
        caller.finds_nothing(&new, "under the new id of a rename that met a conflict").await;
    }
    Verdict::Holds
}

/// Exactly one of many updates and renames from one revision wins, and its record is the only one that is left.
pub async fn d_exactly_one_write_from_a_revision(subject: &Subject) -> Verdict {
    let caller = subject.caller('d');
    // Updates among themselves, renames among themselves, and both.
    for renames in [|_| false, |_| true, |n: usize| n % 2 == 1] {
        for _ in rounds(ROUNDS / 10) {
            race_from_a_revision(&caller, renames).await;
        }
    }
    Verdict::Holds
}

/// Lets all callers write to the same sessions, in the same order, each under the old id or under a new id of its own.
async fn race_from_a_revision(caller: &Caller, renames: fn(usize) -> bool) {
    let template = caller.record("before");
    let mut sessions = Vec::new();
    for _ in 0..BATCH {
        let (old, revision) = caller.session(&template).await;
        let places = (0..CALLERS).map(|n| if renames(n) { caller.id() } else { old });
        sessions.push((old, revision, places.collect::<Vec<SessionId>>(), Start::default()));
    }
    let sessions = Arc::new(sessions);
    let record = move |n: usize| Record { payload: format!("of caller {n}").into(), ..template.clone() };
    let answers = at_once(CALLERS, |n| {
        let (caller, sessions, record) = (caller.clone(), Arc::clone(&sessions), record(n));
        async move {
            let mut answers = Vec::new();
            for (old, revision, places, start) in &*sessions {
                start.line_up();
                answers.push(write(&caller, old, *revision, &places[n], &record).await);
            }
            answers
        }
    })
    .await;
    for (i, (old, _, places, _)) in sessions.iter().enumerate() {
        let answers = answers.iter().map(|answers| answers[i]).enumerate();
        let written: Vec<_> = answers.filter_map(|(n, revision)| Some((n, revision?))).collect();
        let [(winner, revision)] = written[..] else {
            caller.broken(format_args!(
                "expected exactly one of {CALLERS} concurrent updates and renames from one revision to succeed, got {}",
                written.len()
            ))
        };
        let place = places[winner];
        caller.finds(&place, &record(winner), revision, "of the only write that succeeded").await;
        for id in places.iter().chain([old]).filter(|id| **id != place) {
            caller.finds_nothing(id, "under an id whose write did not succeed").await;
        }
    }
}

/// Updates a record, or renames it if the new id differs. Returns the new revision if it succeeded.
async fn write(
    caller: &Caller,
    old: &SessionId,
    expected: Revision,
    new: &SessionId,
    record: &Record,
) -> Option<Revision> {
    if new == old {
        match caller.update(old, expected, record).await {
            UpdateOutcome::Updated(revision) => Some(revision),
            UpdateOutcome::Conflict | UpdateOutcome::Missing => None,
        }
    } else {
        match caller.rename(old, expected, new, record).await {
            RenameOutcome::Renamed(revision) => Some(revision),
            RenameOutcome::Conflict | RenameOutcome::Missing | RenameOutcome::IdTaken => None,
        }
    }
}

/// Many callers that load, add one, update, and begin again after a conflict end at the exact sum. No caller meets more
/// conflicts than the others had successes.
pub async fn d_increments_end_at_the_exact_sum(subject: &Subject) -> Verdict {
    let caller = subject.caller('d');
    let (id, _) = caller.session(&caller.record(0_u64.to_le_bytes().to_vec())).await;
    at_once(CALLERS, |_| {
        let caller = caller.clone();
        async move { increment(&caller, &id, INCREMENTS, (CALLERS - 1) * INCREMENTS).await }
    })
    .await;
    let (sum, _) = counter(&caller, &id).await;
    ensure_eq!(caller, sum, (CALLERS * INCREMENTS) as u64, "the sum of {CALLERS} times {INCREMENTS} increments");
    Verdict::Holds
}

/// Adds one `times` times, while others succeed `by_others` times in all.
pub(crate) async fn increment(caller: &Caller, id: &SessionId, times: usize, by_others: usize) {
    let (mut done, mut conflicts) = (0, 0);
    while done < times {
        let (count, stored) = counter(caller, id).await;
        // Otherwise a store whose calls never wait would do all the work of one caller at a stretch.
        yield_now().await;
        let next = Record { payload: (count + 1).to_le_bytes().to_vec().into(), ..stored.0 };
        match caller.update(id, stored.1, &next).await {
            UpdateOutcome::Updated(_) => done += 1,
            UpdateOutcome::Conflict => conflicts += 1,
            UpdateOutcome::Missing => caller.broken(format_args!("expected the record that all update, got Missing")),
        }
        ensure!(
            caller,
            conflicts <= by_others,
            "expected a Conflict only where somebody else came first, which happened {by_others} times, got {conflicts}"
        );
    }
}

pub(crate) async fn counter(caller: &Caller, id: &SessionId) -> (u64, (Record, Revision)) {
    let Some(stored) = caller.load(id).await else {
        caller.broken(format_args!("expected the record that all update, got none"))
    };
    let Some(count) = stored.record.payload.first_chunk() else {
        caller.broken(format_args!("expected a counter, got a shorter payload"))
    };
    (u64::from_le_bytes(*count), (stored.record, stored.revision))
}

const INCREMENTS: usize = 16;
