//! The room of a user's sessions: lists them, and ends some or all of them.
//!
//! Invariant: a revocation that returns without an error has ended every session that it was to end, also one that was
//! renamed in the meantime.

use std::collections::{BTreeMap, BTreeSet};

use nexios_store_core::{DeleteOutcome, PrincipalIndex, SessionId, Stored, Timestamp};

use crate::error::{SessionError, SessionErrorKind};
use crate::events::{Event, Occurrence};
use crate::format::handle::SessionHandle;
use crate::format::payload::{self, Content, Envelope};
use crate::records::{self, Live, Opened};
use crate::services::Services;

/// One of a user's sessions, for a page like "my devices"; see
/// [`SessionManager::sessions_of`](crate::SessionManager::sessions_of).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserSession {
    /// The handle by which to [revoke](crate::SessionManager::revoke) the session. It is not the id, so you can show
    /// it.
    pub handle: SessionHandle,
    /// The application's name for the device; see [`Session::set_device`](crate::Session::set_device).
    pub device: Option<String>,
    /// The time at which the session was first saved, by a login or before it.
    pub created_at: Timestamp,
    /// The time at which the user last logged in with it.
    pub authenticated_at: Timestamp,
    /// The time at which it was last used, or up to a [ration](crate::SessionManagerBuilder::touch_fraction) earlier.
    pub last_seen: Timestamp,
    /// The time at which it will end unless it is used again.
    pub expires_at: Timestamp,
}

impl UserSession {
    fn new(envelope: &Envelope, expires_at: Timestamp) -> Self {
        Self {
            handle: envelope.handle,
            device: envelope.overrides.device.as_ref().map(ToString::to_string),
            created_at: envelope.created_at,
            authenticated_at: envelope.authenticated_at,
            // If the absolute timeout has cut the expiry short, the login is the better answer.
            last_seen: expires_at.saturating_sub(envelope.idle_timeout).max(envelope.authenticated_at),
            expires_at,
        }
    }
}

/// Lists the live sessions of `user`, the most recently used first.
pub(crate) async fn list(services: &Services, user: &str) -> Result<Vec<UserSession>, SessionError> {
    // By handle, because a session that is renamed in the meantime may be seen under both ids.
    let mut found = BTreeMap::new();
    let mut unlisted = BTreeSet::new();
    for _ in 0..MAX_ROUNDS {
        let mut is_complete = true;
        for id in listed(services, user, services.now()).await? {
            match load_listed(services, &id, services.now()).await? {
                Listed::Gone => is_complete = false,
                Listed::Unreadable => _ = unlisted.insert(id),
                Listed::Read(stored) => match records::open(services, id, &stored, services.now()) {
                    Opened::Live(live) => {
                        let session = UserSession::new(&live.snapshot.envelope, live.snapshot.expires_at);
                        found.insert(session.handle, session);
                    }
                    Opened::Unreadable(_) => _ = unlisted.insert(id),
                    Opened::Moved(_) => is_complete = false,
                    Opened::Expired | Opened::FromFuture | Opened::Ended => {}
                },
            }
        }
        if is_complete {
            for id in &unlisted {
                services.note_session(Event::SessionUnlisted, id, Some(user));
            }
            let mut sessions = Vec::from_iter(found.into_values());
            sessions.sort_by_key(|session| std::cmp::Reverse(session.last_seen));
            return Ok(sessions);
        }
    }
    let message = "the user's sessions could not be listed: they kept changing their ids";
    Err(SessionError::new(SessionErrorKind::Unavailable, message))
}

/// Ends sessions of `user`, those among them that seem to have expired or to be from the future: a clock or a setting
/// that comes back must not bring back a session.
///
/// Lists and deletes, until a listing has nothing to delete. So a session that is renamed between the two is found
/// under its new id. It goes on past what fails.
pub(crate) async fn end(services: &Services, user: &str, which: Which) -> Ended {
    let mut ended = Ended::default();
    let (mut failed, mut unreadable) = (BTreeSet::new(), BTreeSet::new());
    for _ in 0..MAX_ROUNDS {
        let ids = match listed(services, user, ANY_TIME).await {
            Ok(ids) => ids,
            Err(error) => {
                services.note_failure(&error, None, Some(user));
                return Ended { error: Some(error.told()), ..ended };
            }
        };
        let mut is_complete = true;
        for id in ids {
            if failed.contains(&id) {
                continue;
            }
            match end_listed(services, which, &id).await {
                Ok(Met::Spared) => {}
                Ok(Met::Unreadable) => _ = unreadable.insert(id),
                Ok(Met::Gone) => is_complete = false,
                Ok(Met::Meant(outcome)) => {
                    is_complete = false;
                    ended.ended += usize::from(outcome == DeleteOutcome::Deleted);
                }
                Err(error) => {
                    services.note_failure(&error, Some(&id), Some(user));
                    failed.insert(id);
                    ended.failed += 1;
                    ended.error = Some(error.told());
                }
            }
        }
        if is_complete {
            // The one that was meant may be among them.
            if ended.ended == 0 && ended.error.is_none() && !unreadable.is_empty() {
                let message =
                    "some of the user's sessions cannot be read, so it is not known whether one is that session";
                ended.error = Some(SessionError::new(SessionErrorKind::Unavailable, message));
                ended.failed = unreadable.len();
            }
            return ended;
        }
    }
    let message = "new sessions of the user kept appearing";
    Ended { error: Some(SessionError::new(SessionErrorKind::Unavailable, message)), ..ended }
}

/// The outcome of ending a user's sessions.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) ended: usize,
    pub(crate) failed: usize,
    /// The last failure. It was told, like the others.
    pub(crate) error: Option<SessionError>,
}

impl Ended {
    /// Tells of a revocation, also of one that came only half-way.
    pub(crate) fn note(&self, services: &Services, user: &str) {
        if self.error.is_none() || self.ended > 0 {
            services.events.note(Event::SessionsRevoked, || Occurrence {
                principal: Some(services.signers.principal_tag(user)),
                count: Some(self.ended),
                ..Occurrence::of(Event::SessionsRevoked, services.now())
            });
        }
    }

    /// Returns the number of sessions that have ended, or an error if some have not.
    pub(crate) fn result(self) -> Result<usize, SessionError> {
        match self.error {
            None => Ok(self.ended),
            Some(error) if error.kind() == SessionErrorKind::Misconfigured => Err(error),
            Some(error) => Err(SessionError::incomplete(self.ended, self.failed, error)),
        }
    }
}

/// A session that a revocation has met in the index.
enum Met {
    Meant(DeleteOutcome),
    Spared,
    /// It is not known whether the session is meant.
    Unreadable,
    /// The session is under another id now, or has ended.
    Gone,
}

/// Ends a session that was listed, if it is meant.
async fn end_listed(services: &Services, which: Which, id: &SessionId) -> Result<Met, SessionError> {
    if let Which::Only(handle) | Which::AllBut(handle) = which {
        let is_only = matches!(which, Which::Only(_));
        let has_handle = match load_listed(services, id, ANY_TIME).await? {
            Listed::Gone => return Ok(Met::Gone),
            Listed::Unreadable if is_only => return Ok(Met::Unreadable),
            // The session that is to be spared could be read, to begin with.
            Listed::Unreadable => false,
            Listed::Read(stored) => match payload::decode(&stored.record.payload) {
                Ok(Content::Session(envelope, _)) => envelope.handle == handle,
                Ok(Content::Moved(_) | Content::Ended) => return Ok(Met::Gone),
                Err(_) if is_only => return Ok(Met::Unreadable),
                Err(_) => false,
            },
        };
        if has_handle != is_only {
            return Ok(Met::Spared);
        }
    }
    let deleted = services.in_time(services.store.delete(id)).await;
    services.endings.tell(id);
    Ok(Met::Meant(deleted?))
}

async fn load_listed(services: &Services, id: &SessionId, now: Timestamp) -> Result<Listed, SessionError> {
    match services.in_time(services.store.load(id, now)).await {
        Ok(Some(stored)) => Ok(Listed::Read(stored)),
        Ok(None) => Ok(Listed::Gone),
        Err(no_answer) if no_answer.is_unreadable() => Ok(Listed::Unreadable),
        Err(no_answer) => Err(no_answer.into()),
    }
}

/// Loads a session that was listed; `None` if it has ended or cannot be read.
pub(crate) async fn load_live(services: &Services, id: SessionId) -> Result<Option<Live>, SessionError> {
    let now = services.now();
    Ok(match load_listed(services, &id, now).await? {
        Listed::Read(stored) => match records::open(services, id, &stored, now) {
            Opened::Live(live) => Some(live),
            _ => None,
        },
        Listed::Unreadable | Listed::Gone => None,
    })
}

/// Returns the ids that the index has for a user, whichever key of the ring has made the tag.
pub(crate) async fn listed(services: &Services, user: &str, now: Timestamp) -> Result<Vec<SessionId>, SessionError> {
    let index = principal_index(services)?;
    let mut ids = Vec::new();
    let tags = services.signers.principal_tags(user);
    // All but the last are looked up again. A session may be written under another key in the meantime: the first key
    // of this process, or that of a process with other settings. It is then met under the old tag or the new one.
    for tag in tags.iter().chain(&tags[..tags.len().saturating_sub(1)]) {
        ids.extend(services.in_time(index.sessions_of(tag, now)).await?);
    }
    ids.sort_unstable();
    ids.dedup(); // one that was written again under another key meanwhile
    Ok(ids)
}

fn principal_index(services: &Services) -> Result<&dyn PrincipalIndex, SessionError> {
    let message = "session store keeps no index of users, so their sessions cannot be found";
    services.store.principals().ok_or_else(|| SessionError::misconfigured(message))
}

/// The choice of which of a user's sessions are to end.
#[derive(Clone, Copy)]
pub(crate) enum Which {
    All,
    Only(SessionHandle),
    AllBut(SessionHandle),
}

/// The record for an id of the index.
enum Listed {
    Read(Stored),
    Unreadable,
    /// The session was ended or renamed since it was listed.
    Gone,
}

/// Nobody logs in so often that a revocation would need more rounds. If somebody does, it is an error.
const MAX_ROUNDS: usize = 16;

/// A time at which no record has expired.
pub(crate) const ANY_TIME: Timestamp = Timestamp::UNIX_EPOCH;
