//! Which situations the cases have come to: a test of what never happens proves nothing.

use std::collections::BTreeMap;

#[derive(Debug, Default)]
pub(crate) struct Coverage(BTreeMap<&'static str, usize>);

impl Coverage {
    pub(crate) fn saw(&mut self, situation: &'static str) {
        *self.0.entry(situation).or_default() += 1;
    }

    pub(crate) fn saw_if(&mut self, happened: bool, situation: &'static str) {
        if happened {
            self.saw(situation);
        }
    }

    pub(crate) fn add(&mut self, other: &Self) {
        for (situation, count) in &other.0 {
            *self.0.entry(situation).or_default() += count;
        }
    }

    /// The situations that were never seen, of those that must be.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        SITUATIONS.iter().copied().filter(|situation| !self.0.contains_key(situation)).collect()
    }
}

const SITUATIONS: &[&str] = &[
    "a session opened",
    "a session opened by an old key",
    "a session opened by the second of two cookies",
    "a cookie that opened nothing",
    "a cookie under a lost key",
    "a cookie of an ended session",
    "a cookie that a new id has replaced",
    "a cookie of an expired session",
    "a cookie of a session from the future",
    "a session that a shortened timeout has ended",
    "a load that failed",
    "a session created",
    "a session updated",
    "a session renamed",
    "a session given to another user",
    "a session touched",
    "a session written again under a new key",
    "a session destroyed",
    "a session destroyed under the id that another request has given it",
    "a login into a session that was gone",
    "changes dropped because the session had ended",
    "changes dropped because the session had another id",
    "changes dropped because the session had expired",
    "a rename that met a conflict",
    "an update that met a conflict",
    "a create whose answer was lost",
    "an update whose answer was lost",
    "a rename whose answer was lost",
    "a delete whose answer was lost",
    "a commit that failed",
    "an upkeep that failed, and the answer stood",
    "a commit refused because the last one was not heard of",
    "a server error that took changes back",
    "a server error that did not take a logout back",
    "a commit that was cut short",
    "a commit that was cut short when it had written",
    "sessions revoked",
    "a session revoked while a request had it",
    "a revocation that failed",
    "a session swept",
    "sessions listed",
];
