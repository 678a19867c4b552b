//! The parts of the processes: the leader prepares and checks, the players play.

use nexios_store_core::{CreateOutcome, DeleteOutcome, RenameOutcome, SessionId, UpdateOutcome};

use super::{Caller, Crowd, Gate, PLAYERS, ensure, known_id};
use crate::clauses::{counter, increment, swept};

macro_rules! races {
    ([] $($race:ident)*) => {
        /// Returns the reason why the race was not run, if it was not.
        pub(super) async fn lead(race: &str, caller: &Caller, crowd: Crowd<'_>) -> Option<&'static str> {
            match race {
                $(stringify!($race) => $race::lead(caller, crowd).await,)*
                _ => caller.broken(format_args!("there is no race {race}")),
            }
        }

        pub(super) async fn play(race: &str, caller: &Caller, player: usize, seed: u64, gate: &mut Gate) -> u64 {
            match race {
                $(stringify!($race) => $race::play(caller, player, seed, gate).await,)*
                _ => caller.broken(format_args!("there is no race {race}")),
            }
        }
    };
}
crate::__each_race!(races,);

/// Exactly one of the creates of all processes for one id succeeds.
mod c_exactly_one_create {
    use super::*;

    pub(super) async fn lead(caller: &Caller, crowd: Crowd<'_>) -> Option<&'static str> {
        let created: u64 = crowd.race(seed(caller)).iter().sum();
        ensure!(
            caller,
            created == RUNS as u64,
            "expected one process to create each of {RUNS} ids, got {created} creates"
        );
        None
    }

    pub(super) async fn play(caller: &Caller, _: usize, seed: u64, gate: &mut Gate) -> u64 {
        let mut created = 0;
        for n in 0..RUNS {
            gate.pass();
            let outcome = caller.create(&known_id(seed, n), &caller.record("a")).await;
            created += u64::from(matches!(outcome, CreateOutcome::Created(_)));
        }
        created
    }
}

/// Exactly one of the updates and renames of all processes from one revision succeeds.
mod d_exactly_one_write_from_a_revision {
    use super::*;

    pub(super) async fn lead(caller: &Caller, crowd: Crowd<'_>) -> Option<&'static str> {
        let seed = seed(caller);
        for n in 0..RUNS {
            caller.created(&known_id(seed, n), &caller.record("before")).await;
        }
        let written: u64 = crowd.race(seed).iter().sum();
        ensure!(caller, written == RUNS as u64, "expected one write from each of {RUNS} revisions, got {written}");
        for n in 0..RUNS {
            let mut places = 0;
            for player in 0..PLAYERS {
                places += usize::from(caller.load(&place(seed, n, player)).await.is_some());
            }
            ensure!(caller, places == 1, "expected each session to be in one place after a race, got {places}");
        }
        None
    }

    pub(super) async fn play(caller: &Caller, player: usize, seed: u64, gate: &mut Gate) -> u64 {
        let mut written = 0;
        for n in 0..RUNS {
            let id = known_id(seed, n);
            let Some(stored) = caller.load(&id).await else {
                caller.broken(format_args!("expected a record, got none"))
            };
            gate.pass();
            let record = caller.record(format!("of process {player}"));
            let has_written = if player == 0 {
                matches!(caller.update(&id, stored.revision, &record).await, UpdateOutcome::Updated(_))
            } else {
                let new = place(seed, n, player);
                matches!(caller.rename(&id, stored.revision, &new, &record).await, RenameOutcome::Renamed(_))
            };
            written += u64::from(has_written);
        }
        written
    }

    /// The id to which the write of a player takes the session. The first player leaves it where it is.
    fn place(seed: u64, n: usize, player: usize) -> SessionId {
        known_id(seed, n + 1000 * player)
    }
}

/// The increments of all processes end at the exact sum.
mod d_increments_end_at_the_exact_sum {
    use super::*;

    const INCREMENTS: usize = 100;

    pub(super) async fn lead(caller: &Caller, crowd: Crowd<'_>) -> Option<&'static str> {
        let seed = seed(caller);
        let id = known_id(seed, 0);
        caller.created(&id, &caller.record(0_u64.to_le_bytes().to_vec())).await;
        crowd.race(seed);
        let (sum, _) = counter(caller, &id).await;
        let expected = (PLAYERS * INCREMENTS) as u64;
        ensure!(caller, sum == expected, "expected the increments of all processes to end at {expected}, got {sum}");
        None
    }

    pub(super) async fn play(caller: &Caller, _: usize, seed: u64, gate: &mut Gate) -> u64 {
        gate.pass();
        increment(caller, &known_id(seed, 0), INCREMENTS, (PLAYERS - 1) * INCREMENTS).await;
        0
    }
}

/// A session that one process deletes is not brought back by the writes and renames of another.
mod f_no_late_write_undoes_a_delete {
    use super::*;

    pub(super) async fn lead(caller: &Caller, crowd: Crowd<'_>) -> Option<&'static str> {
        let seed = seed(caller);
        for n in 0..RUNS {
            caller.created(&known_id(seed, n), &caller.record("a")).await;
        }
        let ended: u64 = crowd.race(seed).iter().sum();
        ensure!(
            caller,
            ended == RUNS as u64,
            "expected one of a delete and a rename in two processes to succeed for each of {RUNS} sessions, got {ended}"
        );
        for n in 0..RUNS {
            caller.finds_nothing(&known_id(seed, n), "that one process deleted or renamed away").await;
        }
        None
    }

    pub(super) async fn play(caller: &Caller, player: usize, seed: u64, gate: &mut Gate) -> u64 {
        let mut ended = 0;
        for n in 0..RUNS {
            let (id, record) = (known_id(seed, n), caller.record("late"));
            let Some(stored) = caller.load(&id).await else {
                caller.broken(format_args!("expected a record, got none"))
            };
            gate.pass();
            let has_ended = match player {
                0 => caller.delete(&id).await == DeleteOutcome::Deleted,
                1 => {
                    let new = known_id(seed, n + 1000);
                    matches!(caller.rename(&id, stored.revision, &new, &record).await, RenameOutcome::Renamed(_))
                }
                _ => {
                    for _ in 0..5 {
                        let _ = caller.touch(&id, stored.revision, record.expires_at).await;
                    }
                    false
                }
            };
            ended += u64::from(has_ended);
        }
        ended
    }
}

/// The sweeps of all processes remove each expired record once, and no other.
mod j_concurrent_sweeps_count_each_record_once {
    use super::*;

    const EXPIRED: usize = 60;

    pub(super) async fn lead(caller: &Caller, crowd: Crowd<'_>) -> Option<&'static str> {
        if caller.store().expiry().is_none() {
            return Some("the store does not sweep: its expiry() is None");
        }
        let seed = seed(caller);
        let (lives, expires) = (caller.record("lives"), caller.short_lived(caller.record("expires")));
        for n in 0..EXPIRED {
            caller.created(&known_id(seed, n), &expires).await;
            caller.created(&known_id(seed, n + 1000), &lives).await;
        }
        caller.outlive().await;
        // A sweep may have skipped a record that another was working on, so a last one takes what is left.
        let removed = crowd.race(seed).iter().sum::<u64>() + swept(caller, 100).await as u64;
        ensure!(
            caller,
            removed == EXPIRED as u64,
            "expected the sweeps of all processes to remove {EXPIRED} records, got {removed}"
        );
        spares_the_living(caller, seed).await;
        None
    }

    pub(super) async fn play(caller: &Caller, _: usize, seed: u64, gate: &mut Gate) -> u64 {
        gate.pass();
        let removed = swept(caller, 7).await;
        spares_the_living(caller, seed).await;
        removed as u64
    }

    async fn spares_the_living(caller: &Caller, seed: u64) {
        for n in 0..EXPIRED {
            let lives = caller.load(&known_id(seed, n + 1000)).await.is_some();
            ensure!(caller, lives, "expected the sweeps of all processes to spare the living");
        }
    }
}

/// While one process gives a session new ids, the others find the session and find it listed.
mod m_a_session_is_somewhere_during_a_rename {
    use super::*;

    pub(super) async fn lead(caller: &Caller, crowd: Crowd<'_>) -> Option<&'static str> {
        let seed = seed(caller);
        caller.created(&known_id(seed, 0), &caller.tagged("a", tag(seed))).await;
        crowd.race(seed);
        caller.lists(&tag(seed), &[known_id(seed, RUNS)], "after the renames of another process").await;
        None
    }

    pub(super) async fn play(caller: &Caller, player: usize, seed: u64, gate: &mut Gate) -> u64 {
        let record = caller.tagged("a", tag(seed));
        let mut at = 0;
        gate.pass();
        while at < RUNS {
            let id = known_id(seed, at);
            let stored = caller.load(&id).await;
            if player == 0 {
                let Some(stored) = stored else {
                    caller.broken(format_args!("expected a record that was renamed, got none"))
                };
                caller.renamed(&id, stored.revision, &known_id(seed, at + 1), &record).await;
                at += 1;
                continue;
            }
            if caller.store().principals().is_some() {
                let listed = caller.sessions_of(&tag(seed)).await;
                ensure!(caller, !listed.is_empty(), "expected another process to list a session while it is renamed");
            }
            // It has moved on: when the last look began, it was here or further on.
            at += usize::from(stored.is_none());
        }
        let last = caller.load(&known_id(seed, RUNS)).await;
        // An observer that has come this far saw the session leave each place except the last, where it stays.
        ensure!(
            caller,
            last.is_some(),
            "expected another process to find a session while it is renamed, got none anywhere"
        );
        0
    }

    fn tag(seed: u64) -> nexios_store_core::PrincipalTag {
        let half = *known_id(seed, 5000).as_bytes();
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&half);
        nexios_store_core::PrincipalTag::from_bytes(bytes)
    }
}

fn seed(caller: &Caller) -> u64 {
    u64::from_le_bytes(*caller.id().as_bytes().first_chunk().unwrap_or(&[0; 8]))
}

/// The number of sessions in a race.
const RUNS: usize = 100;
