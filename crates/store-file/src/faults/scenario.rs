//! The operations, with what is there before each of them and after it.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::SystemTime;

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, PrincipalTag, Record, RenameOutcome, Revision, SessionId, Timestamp, TouchOutcome,
    UpdateOutcome,
};
use tempfile::TempDir;

use super::world::{self, LARGE, NEW, NOW, OLD, SMALL};
use crate::Durability;
use crate::error::Failure;
use crate::records::Records;
use crate::sweep::Sweeper;

pub(super) const ADA: PrincipalTag = PrincipalTag::from_bytes([0xad; 32]);
pub(super) const BOB: PrincipalTag = PrincipalTag::from_bytes([0xb0; 32]);
const EXPIRY: Timestamp = Timestamp::from_unix_millis(2_000);
pub(super) const LATER: Timestamp = Timestamp::from_unix_millis(9_000);

/// The content of a record without its revision. `None` if there is no live record.
pub(super) type Content = Option<Record>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    Load,
    List,
    Create,
    CreateLarge,
    CreateOverExpired,
    Update,
    Grow,
    ChangePrincipal,
    Touch,
    Rename,
    RenameToOther,
    Delete,
    Sweep,
}

impl Operation {
    pub(super) const ALL: [Self; 13] = [
        Self::Load,
        Self::List,
        Self::Create,
        Self::CreateLarge,
        Self::CreateOverExpired,
        Self::Update,
        Self::Grow,
        Self::ChangePrincipal,
        Self::Touch,
        Self::Rename,
        Self::RenameToOther,
        Self::Delete,
        Self::Sweep,
    ];

    /// Returns the time of the operation, and of the look at its outcome.
    pub(super) const fn now(self) -> Timestamp {
        match self {
            Self::CreateOverExpired | Self::Sweep => EXPIRY,
            _ => NOW,
        }
    }

    /// Returns what `OLD` and `NEW` hold before the operation.
    pub(super) fn before(self) -> [Content; 2] {
        match self {
            Self::CreateOverExpired | Self::Sweep => [None, None],
            _ => [Some(of(ADA, SMALL)), None],
        }
    }

    /// Returns what they hold once the operation has been answered.
    pub(super) fn after(self) -> [Content; 2] {
        let old = Some(of(ADA, SMALL));
        match self {
            Self::Load | Self::List => [old, None],
            Self::Create => [old, Some(of(BOB, b"created"))],
            Self::CreateLarge => [old, Some(of(BOB, LARGE))],
            Self::CreateOverExpired => [Some(until(LATER, of(BOB, b"created"))), None],
            Self::Update => [Some(of(ADA, b"updated")), None],
            Self::Grow => [Some(of(ADA, LARGE)), None],
            Self::ChangePrincipal => [Some(of(BOB, b"changed")), None],
            Self::Touch => [Some(until(LATER, of(ADA, SMALL))), None],
            Self::Rename => [None, Some(of(ADA, b"renamed"))],
            Self::RenameToOther => [None, Some(of(BOB, LARGE))],
            Self::Delete | Self::Sweep => [None, None],
        }
    }

    /// Runs the operation. Returns whether it was answered, and panics if the answer is wrong.
    pub(super) fn run(self, records: &Records, revision: Revision) -> bool {
        let now = self.now();
        let [old, new] = self.after();
        let old = || old.unwrap_or_else(|| of(ADA, SMALL));
        let new = || new.unwrap_or_else(|| of(ADA, SMALL));
        match self {
            Self::Load => right(records.load(&OLD, now), |loaded| loaded.is_some_and(|stored| stored.record == old())),
            Self::List => right(records.sessions_of(&ADA, now), |ids| ids == [OLD]),
            Self::Create | Self::CreateLarge => {
                right(records.create(&NEW, &new(), now), |outcome| matches!(outcome, CreateOutcome::Created(_)))
            }
            Self::CreateOverExpired => {
                right(records.create(&OLD, &old(), now), |outcome| matches!(outcome, CreateOutcome::Created(_)))
            }
            Self::Update | Self::Grow | Self::ChangePrincipal => {
                right(records.update(&OLD, revision, &old(), now), |outcome| {
                    matches!(outcome, UpdateOutcome::Updated(_))
                })
            }
            Self::Touch => right(records.touch(&OLD, revision, LATER, now), |outcome| outcome == TouchOutcome::Touched),
            Self::Rename | Self::RenameToOther => right(records.rename(&OLD, revision, &NEW, &new(), now), |outcome| {
                matches!(outcome, RenameOutcome::Renamed(_))
            }),
            Self::Delete => right(records.delete(&OLD), |outcome| outcome == DeleteOutcome::Deleted),
            // A sweep goes on after a failure, so its answer says little.
            Self::Sweep => Sweeper::default().step(records, now, NonZeroUsize::MAX).is_ok(),
        }
    }

    /// Returns whether an error means that nothing was changed. After a failed update or touch nobody knows.
    pub(super) const fn error_changes_nothing(self) -> bool {
        !matches!(self, Self::CreateOverExpired | Self::Update | Self::Grow | Self::ChangePrincipal | Self::Touch)
    }
}

/// Makes a directory in which `OLD` has a record of Ada's that was updated once.
pub(super) fn start(durability: Durability) -> (TempDir, Records, Revision) {
    let dir = world::new_dir();
    let records = world::open(&dir, durability);
    let CreateOutcome::Created(revision) = records.create(&OLD, &of(ADA, b"first"), NOW).unwrap() else {
        panic!("the id is free")
    };
    let UpdateOutcome::Updated(revision) = records.update(&OLD, revision, &of(ADA, SMALL), NOW).unwrap() else {
        panic!("the record is there")
    };
    (dir, records, revision)
}

/// Returns what `OLD` and `NEW` hold, as a new process finds it. Checks that the index of principals is exact.
///
/// A large record whose creation was torn is damaged. It counts as absent, because nobody was told its id.
pub(super) fn contents(dir: &TempDir, now: Timestamp, may_be_torn: bool, context: &str) -> [Content; 2] {
    let records = world::open(dir, Durability::Fast);
    let contents = [OLD, NEW].map(|id| {
        let loaded = match records.load(&id, now) {
            Err(Failure::Damaged) if may_be_torn && id == NEW => None,
            loaded => loaded.unwrap_or_else(|failure| panic!("{context}: {failure:?}")),
        };
        loaded.map(|stored| stored.record)
    });
    is_indexed(&records, &contents, now, context);
    contents
}

/// Checks that the index lists exactly the live sessions of each principal.
pub(super) fn is_indexed(records: &Records, contents: &[Content; 2], now: Timestamp, context: &str) {
    for tag in [ADA, BOB] {
        let mut listed = records.sessions_of(&tag, now).unwrap();
        listed.sort_by_key(|id| *id.as_bytes());
        let bears = |content: &Content| content.as_ref().is_some_and(|record| record.principal == Some(tag));
        let expected: Vec<SessionId> =
            [OLD, NEW].into_iter().zip(contents).filter(|(_, content)| bears(content)).map(|(id, _)| id).collect();
        assert_eq!(listed, expected, "{context}: the sessions of {}", if tag == ADA { "Ada" } else { "Bob" });
    }
}

/// Checks that a sweep removes what a fault left behind, and the records, which have expired by then.
pub(super) fn sweep_leaves_nothing(dir: &TempDir, context: &str) {
    let records = world::open(dir, Durability::Fast);
    let in_a_while = Timestamp::from(SystemTime::now()).saturating_add(std::time::Duration::from_secs(700));
    let swept = Sweeper::default().step(&records, in_a_while, NonZeroUsize::MAX).unwrap();
    assert!(!swept.more, "{context}");
    let left = world::files_below(&dir.path().join("sessions"));
    // Damaged records are in the quarantine, which has bounds of its own.
    let is_bounded = |path: &PathBuf| path.parent().is_some_and(|parent| parent.ends_with(".corrupt"));
    assert!(left.iter().all(is_bounded), "{context}: {left:?}");
}

pub(super) fn of(tag: PrincipalTag, payload: &'static [u8]) -> Record {
    Record { principal: Some(tag), expires_at: EXPIRY, payload: payload.into() }
}

fn until(expires_at: Timestamp, record: Record) -> Record {
    Record { expires_at, ..record }
}

fn right<T: std::fmt::Debug, E>(answer: Result<T, E>, is_right: impl FnOnce(T) -> bool) -> bool {
    answer.is_ok_and(|answer| {
        let shown = format!("{answer:?}");
        assert!(is_right(answer), "a wrong answer: {shown}");
        true
    })
}
