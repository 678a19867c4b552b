//! (c) Of any number of concurrent `create`s of one id exactly one is answered `Created`.

use std::sync::Arc;

use nexios_store_core::{CreateOutcome, Record, SessionId};

use super::{BATCH, CALLERS, ROUNDS};
use crate::caller::{Caller, ensure_eq};
use crate::race::{Start, at_once, rounds};
use crate::{Subject, Verdict};

/// Creating an id that has a live record is answered `IdTaken` and changes nothing.
pub async fn c_create_leaves_a_taken_id_alone(subject: &Subject) -> Verdict {
    let caller = subject.caller('c');
    let first = caller.record("first");
    let (id, revision) = caller.session(&first).await;
    ensure_eq!(
        caller,
        caller.create(&id, &caller.record("second")).await,
        CreateOutcome::IdTaken,
        "creating a taken id"
    );
    caller.finds(&id, &first, revision, "after somebody else tried to create it").await;
    Verdict::Holds
}

/// One of many creates wins, and its record is the one that is stored.
pub async fn c_exactly_one_create(subject: &Subject) -> Verdict {
    let caller = subject.caller('c');
    for _ in rounds(ROUNDS / 4) {
        race_for(&caller, (0..BATCH).map(|_| caller.id()).collect()).await;
    }
    Verdict::Holds
}

/// One of many creates wins, even if an expired record is in the way.
pub async fn c_exactly_one_create_over_an_expired_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('c');
    let mut batches = Vec::new();
    for _ in 0..ROUNDS / 4 {
        let mut ids = Vec::new();
        for _ in 0..BATCH {
            ids.push(caller.session(&caller.short_lived(caller.record("expired"))).await.0);
        }
        batches.push(ids);
    }
    caller.outlive().await;
    for ids in batches {
        race_for(&caller, ids).await;
    }
    Verdict::Holds
}

/// All callers create all the ids, in the same order.
async fn race_for(caller: &Caller, ids: Vec<SessionId>) {
    let template = caller.record("");
    let ids: Arc<[(SessionId, Start)]> = ids.into_iter().map(|id| (id, Start::default())).collect();
    let record = move |n: usize| Record { payload: format!("of caller {n}").into(), ..template.clone() };
    let outcomes = at_once(CALLERS, |n| {
        let (caller, ids, record) = (caller.clone(), Arc::clone(&ids), record(n));
        async move {
            let mut outcomes = Vec::new();
            for (id, start) in &*ids {
                start.line_up();
                outcomes.push(caller.create(id, &record).await);
            }
            outcomes
        }
    })
    .await;
    for (i, (id, _)) in ids.iter().enumerate() {
        let answers = outcomes.iter().map(|outcomes| outcomes[i]).enumerate();
        let created: Vec<_> = answers
            .filter_map(|(n, outcome)| match outcome {
                CreateOutcome::Created(revision) => Some((n, revision)),
                CreateOutcome::IdTaken => None,
            })
            .collect();
        let [(winner, revision)] = created[..] else {
            caller.broken(format_args!(
                "expected exactly one of {CALLERS} concurrent creates to be answered Created, got {}",
                created.len()
            ))
        };
        caller.finds(id, &record(winner), revision, "of whoever was answered Created").await;
    }
}
