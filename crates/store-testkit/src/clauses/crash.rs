//! (m) A crash inside `rename` leaves the old record, the new one, or both, and then only the new one bears the
//! principal.

use std::sync::Arc;

use nexios_store_core::{PrincipalTag, Record, RenameOutcome, Revision, SessionId};
use tokio::task::yield_now;

use super::error::Steps;
use super::{BATCH, NO_FAULTS, ROUNDS};
use crate::caller::{Caller, ensure, ensure_eq};
use crate::race::{at_once, rounds};
use crate::{Fault, Subject, Verdict};

/// Whoever looks for a session under its old id and then under its new one finds it, at any moment of a rename: a crash
/// at that moment would have left it, as far as other callers can tell.
pub async fn m_a_session_is_somewhere_during_a_rename(subject: &Subject) -> Verdict {
    let caller = subject.caller('m');
    for _ in rounds(ROUNDS / 4) {
        let record = caller.tagged("a", caller.tag());
        let ids: Arc<[SessionId]> = (0..=BATCH).map(|_| caller.id()).collect();
        let first = caller.created(&ids[0], &record).await;
        at_once(4, |n| {
            let (caller, record, ids) = (caller.clone(), record.clone(), Arc::clone(&ids));
            async move {
                if n == 0 {
                    let mut revision = first;
                    for step in ids.windows(2) {
                        revision = caller.renamed(&step[0], revision, &step[1], &record).await;
                        yield_now().await;
                    }
                    return;
                }
                // Where it is not any more, it is further on: at the last one, if nowhere before.
                let mut found = None;
                for (at, id) in ids.iter().enumerate() {
                    while let Some(stored) = caller.load(id).await {
                        caller.is_record(&stored.record, &record, "that is read while it is renamed");
                        found = Some(at);
                        if at == BATCH {
                            return;
                        }
                        yield_now().await;
                    }
                }
                caller.broken(format_args!(
                    "expected the session under its old id or its new one during a rename, got neither after {found:?} of \
                     {BATCH} renames"
                ));
            }
        })
        .await;
    }
    Verdict::Holds
}

/// Whichever step of a rename is the last that a process makes, the session is there afterwards, and is listed once.
///
/// Applies to subjects with [faults](Subject::faults).
pub async fn m_a_crash_inside_a_rename_leaves_the_session(subject: &Subject) -> Verdict {
    let caller = subject.caller('m');
    let Some(faults) = subject.fault_injection() else { return NO_FAULTS };
    let mut steps = Steps::new(&caller, "rename");
    while let Some(step) = steps.next() {
        let session = Session::new(&caller).await;
        let Session { old, revision, new, renamed, tag, .. } = &session;
        faults.arm(Fault::Crash, step);
        let answer = caller.store().rename(old, *revision, new, renamed, caller.now()).await;
        steps.struck(faults.disarm().await);
        lives_somewhere(&caller, &session, "after a crash inside a rename").await;
        let (has_old, has_new) = (caller.load(old).await.is_some(), caller.load(new).await.is_some());
        if let Ok(outcome) = answer {
            let is_renamed = matches!(outcome, RenameOutcome::Renamed(_)) && has_new && !has_old;
            ensure!(caller, is_renamed, "expected what a rename answered before a crash to be there, got {outcome:?}");
        }
        caller.lists(tag, &[if has_new { *new } else { *old }], "after a crash inside a rename").await;
        let _ = caller.delete(new).await;
        if has_old {
            caller.deleted(old).await;
        }
    }
    Verdict::Holds
}

/// A session that is about to be renamed.
pub(crate) struct Session {
    pub(crate) old: SessionId,
    pub(crate) revision: Revision,
    pub(crate) before: Record,
    pub(crate) new: SessionId,
    pub(crate) renamed: Record,
    pub(crate) tag: PrincipalTag,
}

impl Session {
    pub(crate) async fn new(caller: &Caller) -> Self {
        let tag = caller.tag();
        let (before, renamed) = (caller.tagged("before", tag), caller.tagged("renamed", tag));
        let (old, revision) = caller.session(&before).await;
        Self { old, revision, before, new: caller.id(), renamed, tag }
    }
}

/// Wants the session under its old id or its new one, and whole.
pub(crate) async fn lives_somewhere(caller: &Caller, session: &Session, when: &str) {
    // In this order: a session that is not under its old id any more is under the new one.
    let old = caller.load(&session.old).await;
    let new = caller.load(&session.new).await;
    ensure!(
        caller,
        old.is_some() || new.is_some(),
        "expected the session under its old id or its new one {when}, got neither"
    );
    if let Some(old) = old {
        caller.is_record(&old.record, &session.before, &format!("under the old id {when}"));
        ensure_eq!(caller, old.revision, session.revision, "the revision under the old id {when}");
    }
    if let Some(new) = new {
        caller.is_record(&new.record, &session.renamed, &format!("under the new id {when}"));
    }
}
