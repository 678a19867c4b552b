//! A user's sessions: to list them, and to end some or all of them.

use std::collections::BTreeMap;

use nexios_store_core::{DeleteOutcome, PrincipalIndex, SessionId, StoreErrorKind, Stored, Timestamp};

use crate::format::payload::{self, Envelope};
use crate::request::load::{Opened, open_record};
use crate::{Session, SessionError, SessionErrorKind, SessionHandle, SessionManager};

/// One of a user's sessions, for "my devices".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserSession {
    /// What to [revoke](SessionManager::revoke) it by. It is not the id, and can be shown.
    pub handle: SessionHandle,
    /// What the application has called the device; see [`Session::set_device`].
    pub device: Option<String>,
    /// When the session was first saved, by a login or before it.
    pub created_at: Timestamp,
    /// When the user last logged in with it.
    pub authenticated_at: Timestamp,
    /// When it was last used, or up to a [ration](crate::SessionManagerBuilder::touch_fraction) earlier.
    pub last_seen: Timestamp,
    /// When it will end unless it is used again.
    pub expires_at: Timestamp,
}

impl UserSession {
    /// Whether this is the session of the request that `session` was extracted from.
    pub fn is_current(&self, session: &Session) -> bool {
        session.handle() == Some(self.handle)
    }

    fn new(envelope: &Envelope, expires_at: Timestamp) -> Self {
        Self {
            handle: envelope.handle,
            device: envelope.overrides.device.as_ref().map(ToString::to_string),
            created_at: envelope.created_at,
            authenticated_at: envelope.authenticated_at,
            // Where the absolute timeout has cut the expiry short, the login is the better answer.
            last_seen: expires_at.saturating_sub(envelope.idle_timeout).max(envelope.authenticated_at),
            expires_at,
        }
    }
}

impl SessionManager {
    /// The live sessions of `user`, the last used first.
    ///
    /// The sessions of requests that are under way may or may not be among them. One that was written by a newer version
    /// of this library is left out, because it cannot be read; [`revoke_all`](Self::revoke_all) ends it all the same.
    ///
    /// # Errors
    ///
    /// * [`Unavailable`](SessionErrorKind::Unavailable): the store cannot answer, or not in time.
    /// * [`Misconfigured`](SessionErrorKind::Misconfigured): the store keeps no index of users.
    pub async fn sessions_of(&self, user: &str) -> Result<Vec<UserSession>, SessionError> {
        // By handle, because a session that is renamed meanwhile may be seen under both ids.
        let mut found = BTreeMap::new();
        for _ in 0..MAX_ROUNDS {
            let mut is_complete = true;
            for id in self.listed(user).await? {
                match self.load_listed(&id).await? {
                    Listed::Gone => is_complete = false,
                    Listed::Unreadable => {
                        let session = self.signers().fingerprint(&id);
                        tracing::warn!(%session, "session is not listed, because its record cannot be read");
                    }
                    Listed::Read(stored) => {
                        if let Opened::Live(live) = open_record(self, id, &stored, self.now()) {
                            let session = UserSession::new(&live.base.envelope, live.base.expires_at);
                            found.insert(session.handle, session);
                        }
                    }
                }
            }
            if is_complete {
                break;
            }
        }
        let mut sessions = Vec::from_iter(found.into_values());
        sessions.sort_by_key(|session| std::cmp::Reverse(session.last_seen));
        Ok(sessions)
    }

    /// Ends the session of `user` that has this handle, and says whether there was one.
    ///
    /// Call it, and the other revocations, after what it follows from was committed: a login with the old password that
    /// was approved before the change may make a session until then, but none that was there when a revocation
    /// began is there when it returns.
    ///
    /// # Errors
    ///
    /// As [`sessions_of`](Self::sessions_of). What was ended stays ended.
    pub async fn revoke(&self, user: &str, handle: SessionHandle) -> Result<bool, SessionError> {
        Ok(self.revoke_which(user, Which::Only(handle)).await? > 0)
    }

    /// Ends all sessions of `user`, and says how many there were: "log out everywhere", or the end of an account (OWASP
    /// ASVS 5.0, 7.4.2).
    ///
    /// # Errors
    ///
    /// As [`revoke`](Self::revoke).
    pub async fn revoke_all(&self, user: &str) -> Result<usize, SessionError> {
        self.revoke_which(user, Which::All).await
    }

    /// Ends all sessions of `user` but the one with the handle `current`, and says how many there were: for a changed
    /// password (OWASP ASVS 5.0, 7.4.3).
    ///
    /// # Errors
    ///
    /// As [`revoke`](Self::revoke).
    pub async fn revoke_others(&self, user: &str, current: SessionHandle) -> Result<usize, SessionError> {
        self.revoke_which(user, Which::AllBut(current)).await
    }

    /// Lists and deletes until a listing has nothing to delete: a session that was renamed between the two is found
    /// under its new id.
    async fn revoke_which(&self, user: &str, which: Which) -> Result<usize, SessionError> {
        let mut revoked = 0;
        for _ in 0..MAX_ROUNDS {
            let mut is_complete = true;
            for id in self.listed(user).await? {
                if !self.is_spared(which, &id).await? {
                    is_complete = false;
                    let deleted = self.in_time(self.store().delete(&id)).await? == DeleteOutcome::Deleted;
                    revoked += usize::from(deleted);
                }
            }
            if is_complete {
                tracing::info!(revoked, "sessions of a user were revoked");
                return Ok(revoked);
            }
        }
        let message = "the user's sessions could not all be revoked: new ones kept appearing";
        Err(SessionError::new(SessionErrorKind::Unavailable, message))
    }

    async fn is_spared(&self, which: Which, id: &SessionId) -> Result<bool, SessionError> {
        let (Which::Only(handle) | Which::AllBut(handle)) = which else { return Ok(false) };
        let has_handle = match self.load_listed(id).await? {
            // To delete what is gone does no harm, and that it was listed means that it may be elsewhere now.
            Listed::Gone => return Ok(false),
            Listed::Read(stored) => {
                payload::decode(&stored.record.payload).is_ok_and(|(envelope, _)| envelope.handle == handle)
            }
            // Whatever it is, it is not the session that could be read.
            Listed::Unreadable => false,
        };
        Ok(has_handle == matches!(which, Which::AllBut(_)))
    }

    async fn load_listed(&self, id: &SessionId) -> Result<Listed, SessionError> {
        match self.in_time(self.store().load(id, self.now())).await {
            Ok(Some(stored)) => Ok(Listed::Read(stored)),
            Ok(None) => Ok(Listed::Gone),
            Err(error) => match error.store_error_kind() {
                Some(StoreErrorKind::Corrupt | StoreErrorKind::Unsupported) => Ok(Listed::Unreadable),
                _ => Err(error),
            },
        }
    }

    /// What the index has for a user, whichever key of the ring made the tag.
    async fn listed(&self, user: &str) -> Result<Vec<SessionId>, SessionError> {
        let index = self.principal_index()?;
        let mut ids = Vec::new();
        let tags = self.signers().principal_tags(user);
        // And again all but the last: a session that is written under another key meanwhile, this process's first or that
        // of one which has other settings still, is met where it comes from or where it goes to.
        for tag in tags.iter().chain(&tags[..tags.len().saturating_sub(1)]) {
            ids.extend(self.in_time(index.sessions_of(tag, self.now())).await?);
        }
        ids.sort_unstable();
        ids.dedup(); // one that was written again under another key meanwhile
        Ok(ids)
    }

    fn principal_index(&self) -> Result<&dyn PrincipalIndex, SessionError> {
        let message = "session store keeps no index of users, so their sessions cannot be found";
        self.store().principals().ok_or_else(|| SessionError::misconfigured(message))
    }
}

/// Which of a user's sessions are to end.
#[derive(Clone, Copy)]
enum Which {
    All,
    Only(SessionHandle),
    AllBut(SessionHandle),
}

/// What is there for an id of the index.
enum Listed {
    Read(Stored),
    Unreadable,
    /// Ended, or renamed, since it was listed.
    Gone,
}

/// Nobody logs in so often that a revocation does not come to an end; if somebody does, it is an error.
const MAX_ROUNDS: usize = 16;
