//! (e) A revision is never used again for an id, also not after the id was deleted and created anew.

use std::collections::HashSet;

use nexios_store_core::{Revision, SessionId, UpdateOutcome};

use crate::caller::{Caller, ensure, ensure_eq};
use crate::{Subject, Verdict};

/// An id never has the same revision twice, whatever happens to it.
pub async fn e_a_revision_is_never_used_again(subject: &Subject) -> Verdict {
    let caller = subject.caller('e');
    let mut seen = Seen { caller: &caller, id: caller.id(), revisions: HashSet::new() };
    let (id, away) = (seen.id, caller.id());
    let record = caller.record("a");
    for _ in 0..20 {
        let created = seen.anew(caller.created(&id, &record).await, "created");
        let updated = seen.anew(caller.updated(&id, created, &caller.record(vec![7; 3000])).await, "updated");
        let there = caller.renamed(&id, updated, &away, &record).await;
        let back = seen.anew(caller.renamed(&away, there, &id, &record).await, "renamed back to the id");
        let there = caller.renamed(&id, back, &away, &record).await;
        seen.anew(caller.created(&id, &record).await, "created after a rename took the old record away");
        caller.deleted(&id).await;
        seen.anew(caller.renamed(&away, there, &id, &record).await, "renamed to the id after a delete");
        caller.deleted(&id).await;
    }
    Verdict::Holds
}

/// A record in the place of an expired one, swept or not, has a new revision.
pub async fn e_a_revision_is_never_used_again_after_expiry(subject: &Subject) -> Verdict {
    let caller = subject.caller('e');
    let mut histories = Vec::new();
    for _ in 0..10 {
        let mut seen = Seen { caller: &caller, id: caller.id(), revisions: HashSet::new() };
        let created = seen.anew(caller.created(&seen.id, &caller.record("a")).await, "created");
        let short = caller.short_lived(caller.record("b"));
        seen.anew(caller.updated(&seen.id, created, &short).await, "updated");
        histories.push(seen);
    }
    caller.outlive().await;
    let (as_they_are, swept) = histories.split_at_mut(5);
    for seen in as_they_are {
        seen.anew(caller.created(&seen.id, &caller.record("c")).await, "created in the place of an expired record");
    }
    if caller.store().expiry().is_some() {
        let _ = caller.sweep(1000).await;
    }
    for seen in swept {
        seen.anew(caller.created(&seen.id, &caller.record("c")).await, "created after its expired record was swept");
    }
    Verdict::Holds
}

/// The revision of a deleted record does not let its holder overwrite the record that was created since.
pub async fn e_a_revision_of_a_former_life_is_a_conflict(subject: &Subject) -> Verdict {
    let caller = subject.caller('e');
    for _ in 0..20 {
        let (id, former) = caller.session(&caller.record("former")).await;
        caller.deleted(&id).await;
        let record = caller.record("present");
        let revision = caller.created(&id, &record).await;
        let updated = caller.update(&id, former, &caller.record("late")).await;
        ensure_eq!(caller, updated, UpdateOutcome::Conflict, "updating from the revision of a record deleted since");
        caller.finds(&id, &record, revision, "after a write from the revision of a former one").await;
    }
    Verdict::Holds
}

/// The revisions that an id has had so far.
struct Seen<'a> {
    caller: &'a Caller,
    id: SessionId,
    revisions: HashSet<Revision>,
}

impl Seen<'_> {
    fn anew(&mut self, revision: Revision, when: &str) -> Revision {
        let is_new = self.revisions.insert(revision);
        ensure!(self.caller, is_new, "expected a revision that the id never had when it was {when}, got one it had");
        revision
    }
}
