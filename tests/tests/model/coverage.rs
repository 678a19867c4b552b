//! The situations that the cases have reached. A test of a situation that never occurs proves nothing.

use std::collections::BTreeMap;

use nexios_middleware_core::SessionErrorKind as Kind;

use crate::part::Seen;
use crate::request::{Intent, Request};
use crate::world::World;

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

    /// Returns the situations that must occur and did not.
    pub(crate) fn missing(&self) -> Vec<&'static str> {
        SITUATIONS.iter().copied().filter(|situation| !self.0.contains_key(situation)).collect()
    }
}

/// Notes the interesting situations of a commit.
pub(crate) fn saw_commit(
    world: &World,
    seen: &Seen,
    request: &Request,
    intent: Intent,
    outcome: Result<(), Kind>,
    coverage: &mut Coverage,
) {
    let wrote = seen.wrote.is_some();
    let is_lost = seen.wrote.as_ref().is_some_and(|wrote| !wrote.is_answered);
    let life = request.base.as_ref().map(|base| &world.lives[base.life]);
    let has_moved = request.base.as_ref().zip(life).is_some_and(|(base, life)| life.id != base.id);
    let is_late = request.head_is_sent && outcome.is_ok() && matches!(intent, Intent::Update | Intent::Destroy);
    coverage.saw_if(is_late, "a save after the head was sent");
    match outcome {
        Ok(()) => match intent {
            Intent::Create => coverage.saw("a session created"),
            Intent::Update => coverage.saw("a session updated"),
            Intent::Rename => {
                let new = seen.wrote.as_ref().map(|wrote| wrote.base.life);
                let old = request.base.as_ref().map(|base| base.life);
                coverage.saw_if(new == old, "a session renamed");
                let ended = life.and_then(|life| life.end);
                let is_given = new != old && ended == Some("given to another user");
                coverage.saw_if(is_given, "a session given to another user");
                coverage.saw_if(new != old && !is_given, "a login into a session that was gone");
            }
            Intent::Destroy => {
                coverage.saw("a session destroyed");
                coverage.saw_if(wrote, "a logout with a fresh session after it");
                coverage.saw_if(
                    has_moved && life.is_some_and(|life| life.end == Some("logged out")),
                    "a session destroyed under the id that another request has given it",
                );
            }
            Intent::Upkeep => {
                coverage.saw_if(seen.has_touched, "a session touched");
                coverage.saw_if(wrote && !is_lost, "a session written again under a new key");
                coverage.saw_if(!seen.unanswered.is_empty(), "an upkeep that failed, and the answer stood");
            }
            Intent::Nothing | Intent::Refuse | Intent::TooLate | Intent::Drop => {}
        },
        Err(Kind::Gone) if intent == Intent::Nothing => coverage.saw("a save of a session known to have ended"),
        Err(Kind::Gone) => coverage.saw(match life {
            _ if intent == Intent::Drop => "changes dropped that came with an old id",
            Some(life) if life.end.is_some() => "changes dropped because the session had ended",
            Some(_) if has_moved => "changes dropped because the session had another id",
            _ => "changes dropped because the session had expired",
        }),
        Err(Kind::HeadSent) => coverage.saw("a change that came too late for a cookie"),
        Err(Kind::Interrupted) => coverage.saw("a commit refused because the last one was not heard of"),
        Err(_) => {
            coverage.saw("a commit that failed");
            coverage.saw_if(intent == Intent::Create && is_lost, "a create whose answer was lost");
            coverage.saw_if(intent == Intent::Update && is_lost, "an update whose answer was lost");
            coverage.saw_if(intent == Intent::Rename && is_lost, "a rename whose answer was lost");
            let is_deleted = life.is_some_and(|life| life.end == Some("logged out"));
            coverage.saw_if(intent == Intent::Destroy && is_deleted, "a delete whose answer was lost");
        }
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
    "a touch of a session that lives longer",
    "a session written again under a new key",
    "a session destroyed",
    "a logout of a session that had expired",
    "a logout with a fresh session after it",
    "sessions revoked that had expired",
    "a session destroyed under the id that another request has given it",
    "a login into a session that was gone",
    "changes dropped because the session had ended",
    "changes dropped because the session had another id",
    "changes dropped that came with an old id",
    "a save of a session known to have ended",
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
    "a change that came too late for a cookie",
    "a save after the head was sent",
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
