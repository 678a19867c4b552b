//! (i) `rename` refuses a new id that is taken.

use nexios_store_core::{CreateOutcome, Record, RenameOutcome};

use super::{CALLERS, ROUNDS};
use crate::caller::{ensure, ensure_eq};
use crate::race::{at_once, rounds};
use crate::{Subject, Verdict};

/// A rename to an id that has a live record is answered `IdTaken` and changes neither session. The same goes for a
/// rename to its own id.
pub async fn i_rename_refuses_a_taken_id(subject: &Subject) -> Verdict {
    let caller = subject.caller('i');
    // Several pairs, because a store of several parts treats a pair within one part unlike a pair across two.
    for _ in 0..ROUNDS {
        let (one, two) = (caller.record("one"), caller.record("two"));
        let (one_id, of_one) = caller.session(&one).await;
        let (two_id, of_two) = caller.session(&two).await;
        for (new, what) in [(two_id, "renaming to another session's id"), (one_id, "renaming to the session's own id")]
        {
            let outcome = caller.rename(&one_id, of_one, &new, &caller.record("x")).await;
            ensure_eq!(caller, outcome, RenameOutcome::IdTaken, "{what}");
            caller.finds(&one_id, &one, of_one, "after its rename was refused").await;
            caller.finds(&two_id, &two, of_two, "whose id somebody wanted").await;
        }
        let new = caller.id();
        let revision = caller.renamed(&one_id, of_one, &new, &one).await;
        caller.finds(&new, &one, revision, "after a rename to a free id").await;
        caller.finds_nothing(&one_id, "that was renamed away").await;
    }
    Verdict::Holds
}

/// Exactly one of many renames and creates that want one id gets it. The sessions of the others stay as they were.
pub async fn i_exactly_one_gets_the_new_id(subject: &Subject) -> Verdict {
    let caller = subject.caller('i');
    for _ in rounds(ROUNDS) {
        let record = caller.record("before");
        let wanted = caller.id();
        let mut sources = Vec::new();
        for _ in 0..CALLERS {
            sources.push(caller.session(&record).await);
        }
        let records: Vec<Record> =
            (0..CALLERS).map(|n| Record { payload: format!("of caller {n}").into(), ..record.clone() }).collect();
        let answers = at_once(CALLERS, |n| {
            let (caller, (source, revision), record) = (caller.clone(), sources[n], records[n].clone());
            async move {
                if n % 4 == 0 {
                    match caller.create(&wanted, &record).await {
                        CreateOutcome::Created(revision) => Some(revision),
                        CreateOutcome::IdTaken => None,
                    }
                } else {
                    match caller.rename(&source, revision, &wanted, &record).await {
                        RenameOutcome::Renamed(revision) => Some(revision),
                        RenameOutcome::IdTaken => None,
                        other => caller.broken(format_args!("expected Renamed or IdTaken, got {other:?}")),
                    }
                }
            }
        })
        .await;
        let got_it = answers.iter().flatten().count();
        ensure!(
            caller,
            got_it == 1,
            "expected exactly one of {CALLERS} renames and creates to get the id, got {got_it}"
        );
        for (n, answer) in answers.into_iter().enumerate() {
            let (source, before) = sources[n];
            match answer {
                Some(revision) => caller.finds(&wanted, &records[n], revision, "of who got the id").await,
                None => caller.finds(&source, &record, before, "of a session that did not get the id").await,
            }
        }
    }
    Verdict::Holds
}

/// Renames of two sessions to each other's ids are both refused, and neither waits for the other for ever.
pub async fn i_renames_towards_each_other_are_refused(subject: &Subject) -> Verdict {
    let caller = subject.caller('i');
    for _ in rounds(ROUNDS) {
        let record = caller.record("a");
        let pair = [caller.session(&record).await, caller.session(&record).await];
        at_once(4, |n| {
            let (caller, record) = (caller.clone(), record.clone());
            let ((from, revision), (to, _)) = (pair[n % 2], pair[(n + 1) % 2]);
            async move {
                for _ in 0..10 {
                    let outcome = caller.rename(&from, revision, &to, &record).await;
                    ensure_eq!(caller, outcome, RenameOutcome::IdTaken, "renaming towards each other");
                }
            }
        })
        .await;
        for (id, revision) in pair {
            caller.finds(&id, &record, revision, "after renames towards each other").await;
        }
    }
    Verdict::Holds
}
