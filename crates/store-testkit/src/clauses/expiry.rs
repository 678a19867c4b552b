//! (b) A record whose `expires_at` is not later than `now` is absent to every method.

use std::time::Duration;

use nexios_store_core::{CreateOutcome, Record, RenameOutcome, TouchOutcome, UpdateOutcome};

use crate::caller::{ensure, ensure_eq};
use crate::{Subject, Verdict};

/// No method finds an expired record, and none brings it back.
pub async fn b_an_expired_record_is_absent_to_every_method(subject: &Subject) -> Verdict {
    let caller = subject.caller('b');
    let (id, revision) = caller.session(&caller.short_lived(caller.record("old"))).await;
    ensure!(caller, caller.load(&id).await.is_some(), "expected a record to be there before it expires");
    caller.outlive().await;
    let (next, new) = (caller.record("next"), caller.id());
    caller.finds_nothing(&id, "after it expired").await;
    ensure_eq!(caller, caller.update(&id, revision, &next).await, UpdateOutcome::Missing, "updating an expired record");
    ensure_eq!(
        caller,
        caller.touch(&id, revision, next.expires_at).await,
        TouchOutcome::Missing,
        "touching an expired record"
    );
    let renamed = caller.rename(&id, revision, &new, &next).await;
    ensure_eq!(caller, renamed, RenameOutcome::Missing, "renaming an expired record");
    for id in [id, new] {
        caller.finds_nothing(&id, "after an expired one was updated, touched and renamed").await;
    }
    Verdict::Holds
}

/// The id of an expired record is as free as an unused one, both for `create` and as the new id of a `rename`.
pub async fn b_the_id_of_an_expired_record_is_free(subject: &Subject) -> Verdict {
    let caller = subject.caller('b');
    let (reader, writer) = (caller.tag(), caller.tag());
    let short = caller.short_lived(caller.tagged("old", reader));
    let (for_create, _) = caller.session(&short).await;
    let (for_rename, _) = caller.session(&short).await;
    caller.outlive().await;
    let record = caller.tagged("new", writer);
    let revision = caller.created(&for_create, &record).await;
    caller.finds(&for_create, &record, revision, "created in the place of an expired one").await;
    let (source, revision) = caller.session(&caller.record("source")).await;
    let revision = caller.renamed(&source, revision, &for_rename, &record).await;
    caller.finds(&for_rename, &record, revision, "renamed into the place of an expired one").await;
    caller.lists(&writer, &[for_create, for_rename], "after they took the place of expired ones").await;
    caller.lists(&reader, &[], "whose expired records were replaced").await;
    Verdict::Holds
}

/// A record is there in the millisecond before its expiry, and absent in the millisecond of its expiry.
///
/// Applies where time is an argument.
pub async fn b_a_record_ends_in_the_millisecond_of_its_expiry(subject: &Subject) -> Verdict {
    let caller = subject.caller('b');
    if !caller.decides_time() {
        return Verdict::NotApplicable("the backend's clock is not the kit's");
    }
    let record = caller.record("a");
    let (id, revision) = caller.session(&record).await;
    let last = caller.at(record.expires_at.saturating_sub(Duration::from_millis(1)));
    let end = caller.at(record.expires_at);
    end.finds_nothing(&id, "at the time of its expiry").await;
    last.finds(&id, &record, revision, "a millisecond before its expiry").await;
    ensure_eq!(
        caller,
        end.touch(&id, revision, record.expires_at).await,
        TouchOutcome::Missing,
        "touching at the time of expiry"
    );
    ensure_eq!(
        caller,
        last.touch(&id, revision, record.expires_at).await,
        TouchOutcome::Touched,
        "touching a millisecond before"
    );
    ensure_eq!(
        caller,
        end.update(&id, revision, &record).await,
        UpdateOutcome::Missing,
        "updating at the time of expiry"
    );
    let taken = last.create(&id, &record).await;
    ensure_eq!(caller, taken, CreateOutcome::IdTaken, "creating a millisecond before the expiry of who has the id");
    let _ = last.updated(&id, revision, &record).await;
    Verdict::Holds
}

/// A record that is expired when it is written is absent from the start, whatever the answer to the write is.
pub async fn b_a_record_written_expired_is_absent(subject: &Subject) -> Verdict {
    let caller = subject.caller('b');
    let past = |payload: &'static str| {
        let expires_at = caller.now().saturating_sub(Duration::from_secs(60));
        Record { expires_at, ..caller.record(payload) }
    };
    let [one, new] = [caller.id(), caller.id()];
    let _ = caller.create(&one, &past("created")).await;
    let (two, revision) = caller.session(&caller.record("alive")).await;
    let _ = caller.update(&two, revision, &past("updated")).await;
    let (three, revision) = caller.session(&caller.record("alive")).await;
    let _ = caller.rename(&three, revision, &new, &past("renamed")).await;
    for (id, written) in [(one, "created"), (two, "updated"), (new, "renamed"), (three, "renamed away")] {
        caller.finds_nothing(&id, &format!("{written} with an expiry in the past")).await;
    }
    let _ = caller.created(&one, &caller.record("free")).await;
    Verdict::Holds
}
