//! Each operation, what is there before it, and what may be there after it.

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

/// What a record holds, without its revision. `None` is no live record.
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

    /// When the operation takes place, and when the outcome is looked at.
    pub(super) const fn now(self) -> Timestamp {
        match self {
            Self::CreateOverExpired | Self::Sweep => EXPIRY,
            _ => NOW,
        }
    }

    /// What `OLD` and `NEW` hold at that time.
    pub(super) fn before(self) -> [Content; 2] {
        match self {
            Self::CreateOverExpired | Self::Sweep => [None, None],
            _ => [Some(of(ADA, SMALL)), None],
        }
    }

    /// What they hold once it has been answered.
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

    /// Does it, and answers whether it was answered as it must be; an answer that is none of the right ones panics.
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
            Self::Touch => right(records.touch(&OLD, LATER, now), |outcome| outcome == TouchOutcome::Touched),
            Self::Rename | Self::RenameToOther => right(records.rename(&OLD, revision, &NEW, &new(), now), |outcome| {
                matches!(outcome, RenameOutcome::Renamed(_))
            }),
            Self::Delete => right(records.delete(&OLD), |outcome| outcome == DeleteOutcome::Deleted),
            // It goes on past what fails, so its answer says little.
            Self::Sweep => Sweeper::default().step(records, now, NonZeroUsize::MAX).is_ok(),
        }
    }

    /// Whether an error says that nothing was changed. Of an update or touch that fails nobody knows.
    pub(super) const fn error_changes_nothing(self) -> bool {
        !matches!(self, Self::CreateOverExpired | Self::Update | Self::Grow | Self::ChangePrincipal | Self::Touch)
    }
}

/// A directory in which `OLD` has a record of Ada's that was updated once.
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

/// Looks as a process that has just started: whole records, an index that is exact, and after a while nothing is left.
///
/// A large record whose creation was torn is damaged, and the id was not answered to anybody: as good as absent.
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

/// The index lists whom it must.
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

/// What a fault left behind is gone once the sweep has passed by, and so are the records, expired by then.
pub(super) fn sweep_leaves_nothing(dir: &TempDir, context: &str) {
    let records = world::open(dir, Durability::Fast);
    let in_a_while = Timestamp::from(SystemTime::now()).saturating_add(std::time::Duration::from_secs(700));
    let swept = Sweeper::default().step(&records, in_a_while, NonZeroUsize::MAX).unwrap();
    assert!(!swept.more, "{context}");
    let left = world::files_below(&dir.path().join("sessions"));
    // What was damaged is in the quarantine, which has bounds of its own.
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
