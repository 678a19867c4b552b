//! (c) Of any number of concurrent `create`s of one id exactly one is answered `Created`.

use nexios_store_core::{CreateOutcome, Record, SessionId};

use super::{CALLERS, ROUNDS};
use crate::caller::{Caller, ensure, ensure_eq};
use crate::race::{at_once, rounds};
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
    for _ in rounds(ROUNDS) {
        race_for(&caller, caller.id()).await;
    }
    Verdict::Holds
}

/// One of many creates wins also where an expired record is in the way.
pub async fn c_exactly_one_create_over_an_expired_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('c');
    let mut ids = Vec::new();
    for _ in 0..ROUNDS {
        ids.push(caller.session(&caller.short_lived(caller.record("expired"))).await.0);
    }
    caller.outlive().await;
    for id in ids {
        race_for(&caller, id).await;
    }
    Verdict::Holds
}

async fn race_for(caller: &Caller, id: SessionId) {
    let template = caller.record("");
    let records: Vec<Record> =
        (0..CALLERS).map(|n| Record { payload: format!("of caller {n}").into(), ..template.clone() }).collect();
    let outcomes = at_once(CALLERS, |n| {
        let (caller, record) = (caller.clone(), records[n].clone());
        async move { caller.create(&id, &record).await }
    })
    .await;
    let created: Vec<_> = outcomes
        .into_iter()
        .zip(&records)
        .filter_map(|(outcome, record)| match outcome {
            CreateOutcome::Created(revision) => Some((record, revision)),
            CreateOutcome::IdTaken => None,
        })
        .collect();
    ensure!(
        caller,
        created.len() == 1,
        "expected exactly one of {CALLERS} concurrent creates to be answered Created, got {}",
        created.len()
    );
    let (record, revision) = created[0];
    caller.finds(&id, record, revision, "of whoever was answered Created").await;
}
