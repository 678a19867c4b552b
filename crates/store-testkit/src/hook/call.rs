//! A call of a store, and the answer.

use std::fmt;
use std::num::NonZeroUsize;

use nexios_store_core::{
    CreateOutcome, DeleteOutcome, PrincipalTag, Record, RenameOutcome, Revision, SessionId, Stored, Swept, Timestamp,
    TouchOutcome, UpdateOutcome,
};
#[cfg(doc)]
use nexios_store_core::{DeleteExpired, PrincipalIndex, SessionStore};

/// A call of a store, with its arguments.
///
/// Match with `..` in each variant: a method of the contract may get further arguments.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
#[expect(missing_docs, reason = "the fields are the arguments of the methods")]
pub enum Call<'a> {
    /// [`SessionStore::load`]
    Load { id: &'a SessionId, now: Timestamp },
    /// [`SessionStore::create`]
    Create { id: &'a SessionId, record: &'a Record, now: Timestamp },
    /// [`SessionStore::update`]
    Update { id: &'a SessionId, expected: Revision, record: &'a Record, now: Timestamp },
    /// [`SessionStore::rename`]
    Rename { old: &'a SessionId, expected: Revision, new: &'a SessionId, record: &'a Record, now: Timestamp },
    /// [`SessionStore::touch`]
    Touch { id: &'a SessionId, seen: Revision, expires_at: Timestamp, now: Timestamp },
    /// [`SessionStore::delete`]
    Delete { id: &'a SessionId },
    /// [`SessionStore::set_aside`]
    SetAside { id: &'a SessionId },
    /// [`DeleteExpired::delete_expired`]
    DeleteExpired { now: Timestamp, limit: NonZeroUsize },
    /// [`PrincipalIndex::sessions_of`]
    SessionsOf { tag: &'a PrincipalTag, now: Timestamp },
}

impl<'a> Call<'a> {
    /// Returns which method is called.
    pub const fn kind(&self) -> CallKind {
        match self {
            Self::Load { .. } => CallKind::Load,
            Self::Create { .. } => CallKind::Create,
            Self::Update { .. } => CallKind::Update,
            Self::Rename { .. } => CallKind::Rename,
            Self::Touch { .. } => CallKind::Touch,
            Self::Delete { .. } => CallKind::Delete,
            Self::SetAside { .. } => CallKind::SetAside,
            Self::DeleteExpired { .. } => CallKind::DeleteExpired,
            Self::SessionsOf { .. } => CallKind::SessionsOf,
        }
    }

    /// Returns the id of the session that the call is about, if it is about one. For a rename, this is the old id.
    pub const fn id(&self) -> Option<&'a SessionId> {
        match self {
            Self::Load { id, .. }
            | Self::Create { id, .. }
            | Self::Update { id, .. }
            | Self::Rename { old: id, .. }
            | Self::Touch { id, .. }
            | Self::Delete { id }
            | Self::SetAside { id } => Some(id),
            Self::DeleteExpired { .. } | Self::SessionsOf { .. } => None,
        }
    }

    /// Returns the record that the call writes, if it writes one.
    pub const fn record(&self) -> Option<&'a Record> {
        match self {
            Self::Create { record, .. } | Self::Update { record, .. } | Self::Rename { record, .. } => Some(record),
            _ => None,
        }
    }
}

/// The method that a [`Call`] calls, for tables and comparisons.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum CallKind {
    /// [`SessionStore::load`]
    Load,
    /// [`SessionStore::create`]
    Create,
    /// [`SessionStore::update`]
    Update,
    /// [`SessionStore::rename`]
    Rename,
    /// [`SessionStore::touch`]
    Touch,
    /// [`SessionStore::delete`]
    Delete,
    /// [`SessionStore::set_aside`]
    SetAside,
    /// [`DeleteExpired::delete_expired`]
    DeleteExpired,
    /// [`PrincipalIndex::sessions_of`]
    SessionsOf,
}

impl fmt::Display for CallKind {
    /// Writes the name of the method.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Load => "load",
            Self::Create => "create",
            Self::Update => "update",
            Self::Rename => "rename",
            Self::Touch => "touch",
            Self::Delete => "delete",
            Self::SetAside => "set_aside",
            Self::DeleteExpired => "delete_expired",
            Self::SessionsOf => "sessions_of",
        })
    }
}

/// The answer of a store that did not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome<'a> {
    /// The answer to [`SessionStore::load`]
    Load(Option<&'a Stored>),
    /// The answer to [`SessionStore::create`]
    Create(CreateOutcome),
    /// The answer to [`SessionStore::update`]
    Update(UpdateOutcome),
    /// The answer to [`SessionStore::rename`]
    Rename(RenameOutcome),
    /// The answer to [`SessionStore::touch`]
    Touch(TouchOutcome),
    /// The answer to [`SessionStore::delete`]
    Delete(DeleteOutcome),
    /// The answer to [`SessionStore::set_aside`]
    SetAside,
    /// The answer to [`DeleteExpired::delete_expired`]
    DeleteExpired(Swept),
    /// The answer to [`PrincipalIndex::sessions_of`]
    SessionsOf(&'a [SessionId]),
}
