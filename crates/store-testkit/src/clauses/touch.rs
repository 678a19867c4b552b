//! (g) `touch` acts only on the revision that its caller has seen. It never shortens a life, changes neither payload
//! nor revision, and never loses a concurrent write.

use std::time::Duration;

use nexios_store_core::{Record, TouchOutcome};

use super::{CALLERS, ROUNDS};
use crate::caller::{ensure, ensure_eq};
use crate::race::{at_once, rounds};
use crate::{Subject, Verdict};

/// A touch moves the expiry to a later time only, and leaves everything else; an update from before it succeeds.
pub async fn g_touch_prolongs_and_never_shortens(subject: &Subject) -> Verdict {
    let caller = subject.caller('g');
    let record = caller.tagged("a", caller.tag());
    let (id, revision) = caller.session(&record).await;
    let (sooner, later) = (Duration::from_secs(1800), Duration::from_secs(7200));
    let later = record.expires_at.saturating_add(later);
    let expected = |expires_at| Record { expires_at, ..record.clone() };
    for (asked, expires_at, what) in [
        (record.expires_at.saturating_sub(sooner), record.expires_at, "touched until an earlier time"),
        (record.expires_at, record.expires_at, "touched until the same time"),
        (later, later, "touched until a later time"),
        (record.expires_at, later, "touched until the time it had before"),
        (caller.now(), later, "touched until now"),
    ] {
        ensure_eq!(caller, caller.touch(&id, revision, asked).await, TouchOutcome::Touched, "touching a live record");
        caller.finds(&id, &expected(expires_at), revision, what).await;
    }
    let _ = caller.updated(&id, revision, &record).await;
    Verdict::Holds
}

/// A touch by a caller who has seen another revision changes nothing: what was decided since about the life of the
/// record stands.
pub async fn g_touch_of_another_revision_changes_nothing(subject: &Subject) -> Verdict {
    let caller = subject.caller('g');
    let record = caller.tagged("a", caller.tag());
    let (id, seen) = caller.session(&record).await;
    let shortened = Record { expires_at: record.expires_at.saturating_sub(Duration::from_secs(60)), ..record.clone() };
    let revision = caller.updated(&id, seen, &shortened).await;
    let later = record.expires_at.saturating_add(Duration::from_secs(7200));
    let touched = caller.touch(&id, seen, later).await;
    ensure_eq!(caller, touched, TouchOutcome::Conflict, "touching a record that was updated since it was seen");
    caller.finds(&id, &shortened, revision, "touched by a caller who has seen another revision").await;
    ensure_eq!(caller, caller.touch(&id, revision, later).await, TouchOutcome::Touched, "touching at the new revision");
    caller.finds(&id, &Record { expires_at: later, ..shortened }, revision, "touched at the new revision").await;
    Verdict::Holds
}

/// An update beside touches is what is read afterwards, at its own revision.
pub async fn g_touch_never_loses_an_update(subject: &Subject) -> Verdict {
    let caller = subject.caller('g');
    let before = caller.record("version 0");
    let (id, mut revision) = caller.session(&before).await;
    for round in rounds(ROUNDS * 2) {
        let round = round as u64 + 1;
        let update = Record { payload: format!("version {round}").into(), ..before.clone() };
        let touched = before.expires_at.saturating_add(Duration::from_secs(round));
        let updated = at_once(5, |n| {
            let (caller, update) = (caller.clone(), update.clone());
            async move {
                if n == 2 {
                    return Some(caller.updated(&id, revision, &update).await);
                }
                let outcome = caller.touch(&id, revision, touched).await;
                ensure!(
                    caller,
                    matches!(outcome, TouchOutcome::Touched | TouchOutcome::Conflict),
                    "expected a touch beside an update to be `Touched` or `Conflict`, got {outcome:?}"
                );
                None
            }
        })
        .await;
        let Some(next) = updated[2] else { unreachable!("the third caller updates") };
        revision = next;
        let Some(stored) = caller.load(&id).await else {
            caller.broken(format_args!("expected a touched record, got none"))
        };
        // The touches came before the update, which says itself how long the record lives, or they did nothing.
        let expires_at = stored.record.expires_at;
        ensure!(
            caller,
            expires_at == update.expires_at,
            "expected the expiry of the update, not that of the touches beside it, got {expires_at:?}"
        );
        caller.finds(&id, &update, revision, "after an update beside touches").await;
    }
    Verdict::Holds
}

/// The latest of many concurrent touches decides.
pub async fn g_concurrent_touches_end_at_the_latest(subject: &Subject) -> Verdict {
    let caller = subject.caller('g');
    for _ in rounds(ROUNDS) {
        let record = caller.record("a");
        let (id, revision) = caller.session(&record).await;
        // The latest is in the middle, so that neither the first nor the last touch to arrive is right by chance.
        let asked =
            |n: usize| record.expires_at.saturating_add(Duration::from_secs([1, 4, 9, 16, 25, 12, 6, 2][n % 8]));
        at_once(CALLERS, |n| {
            let (caller, asked) = (caller.clone(), asked(n));
            async move {
                ensure_eq!(
                    caller,
                    caller.touch(&id, revision, asked).await,
                    TouchOutcome::Touched,
                    "touching a live record"
                );
            }
        })
        .await;
        let latest = Record { expires_at: asked(4), ..record };
        caller.finds(&id, &latest, revision, "after concurrent touches, which is as late as the latest").await;
    }
    Verdict::Holds
}
