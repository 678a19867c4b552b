use crate::Revision;

/// The answer to [`create`](crate::SessionStore::create).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the session may not have been created"]
pub enum CreateOutcome {
    /// The record is stored, at this revision.
    Created(Revision),
    /// A live record has this id; nothing was changed.
    IdTaken,
}

/// The answer to [`update`](crate::SessionStore::update).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the record may not have been updated"]
pub enum UpdateOutcome {
    /// The record is replaced, and has this revision now.
    Updated(Revision),
    /// The record is at another revision: somebody else came first. Nothing was changed.
    Conflict,
    /// There is no live record of this id. Nothing was changed.
    Missing,
}

/// The answer to [`rename`](crate::SessionStore::rename).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the record may not have been renamed"]
pub enum RenameOutcome {
    /// The new id has the record, at this revision, and the old id has none.
    Renamed(Revision),
    /// The old id's record is at another revision. Nothing was changed.
    Conflict,
    /// There is no live record of the old id. Nothing was changed.
    Missing,
    /// A live record has the new id. Nothing was changed.
    IdTaken,
}

/// The answer to [`touch`](crate::SessionStore::touch).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "the session may have ended"]
pub enum TouchOutcome {
    /// The record lives at least as long as was asked.
    Touched,
    /// There is no live record of this id.
    Missing,
}

/// The answer to [`delete`](crate::SessionStore::delete).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use = "there may have been nothing to delete"]
pub enum DeleteOutcome {
    /// The record is gone.
    Deleted,
    /// There was none.
    Missing,
}

/// The answer to [`delete_expired`](crate::DeleteExpired::delete_expired).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[must_use = "there may be more to remove"]
pub struct Swept {
    /// How many expired records this call removed.
    pub removed: usize,
    /// Whether another call would find more to look at now.
    pub more: bool,
}
