//! (m) A crash inside `rename` leaves the old record, the new one, or both, each as it was written. Only the new record
//! bears a principal that the rename set, and each record that is there is listed.

use std::sync::Arc;

use nexios_store_core::{PrincipalTag, Record, RenameOutcome, Revision, SessionId};
use tokio::task::yield_now;

use super::error::Steps;
use super::{BATCH, NO_FAULTS, ROUNDS};
use crate::caller::{Caller, ensure, ensure_eq};
use crate::race::{at_once, rounds};
use crate::{Fault, Subject, Verdict};

/// A caller that looks for a session under its old id and then under its new one finds it, at any moment of a rename.
/// As far as other callers can tell, a crash at that moment would have left the session.
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
                // The session has left this id, so it is further on: under the last id, if under none before.
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

/// A session survives a crash after any step of a rename, and each record that is there is listed.
///
/// If the rename sets a new principal, that principal is found once: not under the old id, which somebody else may
/// know. If the principal stays and both records are there, both are listed, so that both can be revoked.
///
/// Applies to subjects with [faults](Subject::faults).
pub async fn m_a_crash_inside_a_rename_leaves_the_session(subject: &Subject) -> Verdict {
    let caller = subject.caller('m');
    let Some(faults) = subject.fault_injection() else { return NO_FAULTS };
    for principal in Principal::ALL {
        let when = format!("after a crash inside a rename {}", principal.described());
        let mut steps = Steps::new(&caller, "rename");
        while let Some(step) = steps.next() {
            let session = Session::new(&caller, principal).await;
            let Session { old, revision, new, renamed, .. } = &session;
            faults.arm(Fault::Crash, step);
            let answer = caller.store().rename(old, *revision, new, renamed, caller.now()).await;
            steps.struck(faults.disarm().await);
            let (has_old, has_new) = lives_somewhere(&caller, &session, &when).await;
            if let Ok(outcome) = answer {
                let is_renamed = matches!(outcome, RenameOutcome::Renamed(_)) && has_new && !has_old;
                ensure!(
                    caller,
                    is_renamed,
                    "expected what a rename answered before a crash to be there, got {outcome:?}"
                );
            }
            for tag in session.tags() {
                // Both records are as they were written, so their principals are known.
                let bears = |record: &Record, has: bool| has && record.principal == Some(tag);
                let mut listed = Vec::new();
                listed.extend(bears(&session.before, has_old).then_some(*old));
                listed.extend(bears(renamed, has_new).then_some(*new));
                caller.lists(&tag, &listed, &when).await;
            }
            for (id, is_there) in [(old, has_old), (new, has_new)] {
                if is_there {
                    caller.deleted(id).await;
                }
            }
        }
    }
    Verdict::Holds
}

/// The effect of a rename on the principal.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Principal {
    /// It sets a principal, as a login does.
    Set,
    /// It replaces another principal.
    Changed,
    /// It keeps the principal, and only changes the id.
    Kept,
}

impl Principal {
    pub(crate) const ALL: [Self; 3] = [Self::Set, Self::Changed, Self::Kept];

    const fn described(self) -> &'static str {
        match self {
            Self::Set => "that sets a principal",
            Self::Changed => "that changes the principal",
            Self::Kept => "that keeps the principal",
        }
    }
}

/// A session that is about to be renamed.
pub(crate) struct Session {
    pub(crate) old: SessionId,
    pub(crate) revision: Revision,
    pub(crate) before: Record,
    pub(crate) new: SessionId,
    pub(crate) renamed: Record,
}

impl Session {
    pub(crate) async fn new(caller: &Caller, principal: Principal) -> Self {
        let tag = caller.tag();
        let before = match principal {
            Principal::Set => caller.record("before"),
            Principal::Changed => caller.tagged("before", caller.tag()),
            Principal::Kept => caller.tagged("before", tag),
        };
        let (old, revision) = caller.session(&before).await;
        Self { old, revision, before, new: caller.id(), renamed: caller.tagged("renamed", tag) }
    }

    /// The principals of the session, before the rename and after it.
    pub(crate) fn tags(&self) -> impl Iterator<Item = PrincipalTag> {
        let before = self.before.principal.filter(|_| self.before.principal != self.renamed.principal);
        before.into_iter().chain(self.renamed.principal)
    }
}

/// Checks that the session is there under its old id or its new one, and whole. Returns under which of them it is.
pub(crate) async fn lives_somewhere(caller: &Caller, session: &Session, when: &str) -> (bool, bool) {
    // In this order, because a session that has left its old id is under the new one.
    let old = caller.load(&session.old).await;
    let new = caller.load(&session.new).await;
    ensure!(
        caller,
        old.is_some() || new.is_some(),
        "expected the session under its old id or its new one {when}, got neither"
    );
    if let Some(old) = &old {
        caller.is_record(&old.record, &session.before, &format!("under the old id {when}"));
        ensure_eq!(caller, old.revision, session.revision, "the revision under the old id {when}");
    }
    if let Some(new) = &new {
        caller.is_record(&new.record, &session.renamed, &format!("under the new id {when}"));
    }
    (old.is_some(), new.is_some())
}
