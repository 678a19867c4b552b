//! (l) An error from `rename` or `delete` leaves the old record as it was.

use nexios_store_core::{DeleteOutcome, PrincipalTag, Record, RenameOutcome, Revision, SessionId, StoreError};

use super::NO_FAULTS;
use crate::caller::{Caller, ensure, ensure_eq};
use crate::{Fault, Subject, Verdict};

/// A call that the store refuses without a fault leaves no trace.
pub async fn l_what_is_refused_leaves_the_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('l');
    let tag = caller.tag();
    let record = caller.tagged("a", tag);
    let (one, former) = caller.session(&record).await;
    let revision = caller.updated(&one, former, &record).await;
    let other = caller.record("other");
    let (two, of_two) = caller.session(&other).await;
    let (gone, new) = (caller.id(), caller.id());
    for (old, expected, new, outcome) in [
        (one, former, new, RenameOutcome::Conflict),
        (one, revision, two, RenameOutcome::IdTaken),
        (gone, revision, new, RenameOutcome::Missing),
    ] {
        ensure_eq!(caller, caller.rename(&old, expected, &new, &other).await, outcome, "a rename that is refused");
    }
    ensure_eq!(caller, caller.delete(&gone).await, DeleteOutcome::Missing, "deleting an unknown id");
    caller.finds(&one, &record, revision, "whose renames were refused").await;
    caller.finds(&two, &other, of_two, "whose id somebody wanted").await;
    caller.finds_nothing(&new, "under the new id of renames that were refused").await;
    caller.lists(&tag, &[one], "after renames that were refused").await;
    Verdict::Holds
}

/// A rename that answers with an error leaves the old record as it was, whichever of its steps fails.
///
/// Applies to subjects with [faults](Subject::faults).
pub async fn l_a_failed_rename_leaves_the_old_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('l');
    let Some(faults) = subject.fault_injection() else { return NO_FAULTS };
    let mut steps = Steps::new(&caller, "rename");
    while let Some(step) = steps.next() {
        let session = Old::new(&caller).await;
        let (id, new) = (session.id, caller.id());
        faults.arm(Fault::Error, step);
        let answer = caller.store().rename(&id, session.revision, &new, &session.record, caller.now()).await;
        steps.struck(faults.disarm().await);
        match answer {
            Ok(RenameOutcome::Renamed(revision)) => {
                caller.finds_nothing(&id, "whose rename succeeded although a step failed").await;
                caller.finds(&new, &session.record, revision, "whose rename succeeded although a step failed").await;
            }
            Ok(other) => caller.broken(format_args!("expected a rename with a failing step to fail, got {other:?}")),
            Err(error) => session.is_as_it_was(&caller, &error, "rename").await,
        }
    }
    Verdict::Holds
}

/// A delete that answers with an error leaves the record as it was, whichever of its steps fails.
///
/// Applies to subjects with [faults](Subject::faults).
pub async fn l_a_failed_delete_leaves_the_record(subject: &Subject) -> Verdict {
    let caller = subject.caller('l');
    let Some(faults) = subject.fault_injection() else { return NO_FAULTS };
    let mut steps = Steps::new(&caller, "delete");
    while let Some(step) = steps.next() {
        let session = Old::new(&caller).await;
        faults.arm(Fault::Error, step);
        let answer = caller.store().delete(&session.id).await;
        steps.struck(faults.disarm().await);
        match answer {
            Ok(DeleteOutcome::Deleted) => {
                caller.finds_nothing(&session.id, "that was deleted although a step failed").await;
            }
            Ok(DeleteOutcome::Missing) => {
                caller.broken(format_args!("expected a delete with a failing step to fail, got Missing"))
            }
            Err(error) => session.is_as_it_was(&caller, &error, "delete").await,
        }
    }
    Verdict::Holds
}

/// A session as it was before a call.
struct Old {
    id: SessionId,
    revision: Revision,
    record: Record,
    tag: PrincipalTag,
}

impl Old {
    async fn new(caller: &Caller) -> Self {
        let tag = caller.tag();
        let record = caller.tagged("hush-hush", tag);
        let (id, revision) = caller.session(&record).await;
        Self { id, revision, record, tag }
    }

    async fn is_as_it_was(&self, caller: &Caller, error: &StoreError, call: &str) {
        caller.keeps_secrets(error, &[self.id], "hush-hush");
        caller.finds(&self.id, &self.record, self.revision, &format!("after `{call}` failed")).await;
        if caller.store().principals().is_some() {
            let listed = caller.sessions_of(&self.tag).await.contains(&self.id);
            ensure!(caller, listed, "expected the index to list a session whose `{call}` failed");
        }
    }
}

/// Counts the steps of an operation, until it ends without a fault because it has no further steps.
pub(crate) struct Steps<'a> {
    caller: &'a Caller,
    call: &'static str,
    next: usize,
    left_alone: bool,
}

impl<'a> Steps<'a> {
    pub(crate) fn new(caller: &'a Caller, call: &'static str) -> Self {
        Self { caller, call, next: 0, left_alone: false }
    }

    pub(crate) fn next(&mut self) -> Option<usize> {
        if self.left_alone {
            // Without this check, the clause would hold for a fault injection that does nothing.
            ensure!(self.caller, self.next > 1, "expected `{}` to have a step that can fail, got none", self.call);
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }

    pub(crate) fn struck(&mut self, struck: bool) {
        self.left_alone = !struck;
        ensure!(self.caller, self.next < 10_000, "expected `{}` to end after some steps, got {}", self.call, self.next);
    }
}
