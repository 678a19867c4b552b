//! The end of one session, under whatever id it is by now.

use nexios_store_core::{
    DeleteOutcome, Result, Revision, SessionId, SessionStore, StoreErrorKind, Timestamp, UpdateOutcome,
};

use crate::format::payload::{self, Content};
use crate::records;
use crate::services::endings::Endings;
use crate::users::ANY_TIME;

/// The thing that was found under an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A session, which has ended.
    Ended,
    /// A record that was deleted unread. If it told of a move, the session lives on under another id.
    Unknown,
    /// No record.
    Nothing,
}

/// Ends the session that `id` names, also one that has expired, and one that has moved to another id since `seen`.
///
/// A plain `delete` could remove the word of a move instead of the session. So the record is written over first, at the
/// revision that was seen. From then on no rename of the session can succeed, and the record is deleted. A store that
/// takes no writes, because its disk is full, say, is asked to delete all the same. Those who wait for the end hear of it.
pub(super) async fn end(
    store: &dyn SessionStore,
    endings: &Endings,
    mut id: SessionId,
    mut seen: Option<Revision>,
    now: Timestamp,
) -> Result<Found> {
    for _ in 0..MAX_MOVES {
        let revision = match seen.take() {
            Some(revision) => revision,
            None => match store.load(&id, ANY_TIME).await {
                Ok(None) => return Ok(Found::Nothing),
                Ok(Some(stored)) => match payload::decode(&stored.record.payload) {
                    Ok(Content::Moved(Some(to))) => {
                        id = to;
                        continue;
                    }
                    Ok(Content::Moved(None)) => return Ok(Found::Nothing),
                    Ok(Content::Ended) => break, // by a request that may have come no further
                    Ok(Content::Session(..)) | Err(_) => stored.revision,
                },
                Err(error) if error.kind() == StoreErrorKind::Backend => return Err(error),
                Err(_) => break,
            },
        };
        match store.update(&id, revision, &records::ended(now), ANY_TIME).await {
            Ok(UpdateOutcome::Conflict) => {}
            Ok(UpdateOutcome::Missing) => return Ok(Found::Nothing),
            Ok(UpdateOutcome::Updated(_)) => {
                endings.tell(&id);
                let _ = store.delete(&id).await?;
                return Ok(Found::Ended);
            }
            Err(_) => break,
        }
    }
    let deleted = store.delete(&id).await;
    endings.tell(&id);
    Ok(match deleted? {
        DeleteOutcome::Deleted => Found::Unknown,
        DeleteOutcome::Missing => Found::Nothing,
    })
}

/// A session that keeps moving is ended by the last of as many tries, under the id that it has then.
const MAX_MOVES: usize = 16;
