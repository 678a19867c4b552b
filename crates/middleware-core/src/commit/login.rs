//! A login where the number of a user's sessions is limited.
//!
//! The user's sessions are counted by their ids, which takes one call of the store. They are loaded only if there are
//! too many. A look that fails keeps the login: whoever has proven who they are is not turned away for the sake of a
//! count.

use std::pin::pin;

use bytestring::ByteString;
use nexios_store_core::{Revision, SessionId, Timestamp};

use crate::commit::ending::Found;
use crate::commit::work::{Done, Failed, Work};
use crate::error::{SessionError, SessionErrorKind};
use crate::events::{Event, Occurrence};
use crate::format::handle::SessionHandle;
use crate::records::Snapshot;
use crate::services::Services;
use crate::services::policies::{AtLimit, SessionLimit};
use crate::services::time_limit::within;
use crate::users;

impl Work<'_> {
    /// Returns the limit that the work is to keep: it is a login, and its user may have so many sessions.
    pub(super) fn limit(&self) -> Option<(SessionLimit, &ByteString)> {
        self.services().session_limit.zip(self.login())
    }

    /// Carries out the plan, which is a login, within the limit.
    pub(super) async fn perform_within(&self, limit: SessionLimit, user: &ByteString) -> Result<Done, Failed> {
        let services = self.services();
        match limit.at_limit {
            AtLimit::Refuse => {
                // The logins of one user in this process go one after the other. Other processes may let one in at the
                // same time, so the limit is checked again afterwards.
                let _turn = self.turn_of(user).await?;
                let present = self.snapshot.as_ref().filter(|snapshot| !snapshot.envelope.changes_hands(Some(user)));
                self.refuse_beyond(limit, user, present.map(|snapshot| snapshot.id)).await?;
                let done = self.perform().await?;
                if let Done::Written { snapshot, is_new, .. } = &done
                    && let Err(refusal) = self.refuse_beyond(limit, user, Some(snapshot.id)).await
                {
                    // Together with the word that it has moved, so that the visitor can begin anew.
                    let renamed = self.snapshot.iter().filter(|_| !is_new).map(|renamed| &renamed.id);
                    for id in renamed.chain([&snapshot.id]) {
                        let deleted = services.in_time(services.store.delete(id)).await;
                        let _ = deleted.map_err(|no_answer| Failed::not_known_whether(no_answer.into()))?;
                    }
                    return Err(refusal);
                }
                Ok(done)
            }
            AtLimit::EndOldest => {
                let done = self.perform().await?;
                if let Done::Written { snapshot, .. } = &done
                    && let Err(error) = self.end_oldest(limit, user, snapshot.id).await
                {
                    services.note_failure(&error, None, Some(user));
                }
                Ok(done)
            }
        }
    }

    async fn turn_of(&self, user: &str) -> Result<impl Drop, Failed> {
        let Services { logins, signers, settings, .. } = self.services();
        let turn = within(settings.store_timeout, pin!(logins.take(signers.principal_tag(user).as_bytes()))).await;
        turn.map_err(|_| Failed::not_done(self.services().timed_out()))
    }

    /// Fails if the user has as many sessions beside `own` as they may have.
    async fn refuse_beyond(&self, limit: SessionLimit, user: &str, own: Option<SessionId>) -> Result<(), Failed> {
        match self.count_others(limit, user, own).await {
            Ok(others) if others >= limit.max.get() => {
                let message = format!("user has {others} sessions already, which is as many as they may have");
                Err(Failed::not_done(SessionError::new(SessionErrorKind::TooManySessions, message)))
            }
            Ok(_) => Ok(()),
            Err(error) => {
                self.services().note_failure(&error, own.as_ref(), Some(user));
                Ok(())
            }
        }
    }

    /// Returns the number of the user's sessions but for `own`. Those that are listed are loaded only if they may be
    /// too many.
    async fn count_others(
        &self,
        limit: SessionLimit,
        user: &str,
        own: Option<SessionId>,
    ) -> Result<usize, SessionError> {
        let services = self.services();
        let ids = listed(services, user).await?;
        let others = ids.iter().filter(|id| Some(**id) != own).count();
        if others < limit.max.get() { Ok(others) } else { Ok(load(services, ids, own).await?.len()) }
    }

    /// Ends the sessions with the oldest logins, if there are too many with the one that was just written.
    async fn end_oldest(&self, limit: SessionLimit, user: &str, own: SessionId) -> Result<(), SessionError> {
        let services = self.services();
        if listed(services, user).await?.len() <= limit.max.get() {
            return Ok(());
        }
        // One after the other: two logins at the same time would each end the other's session.
        let _turn = self.turn_of(user).await.map_err(|failed| failed.error)?;
        let ids = listed(services, user).await?;
        if !ids.contains(&own) || ids.len() <= limit.max.get() {
            return Ok(()); // a login after this one has ended what was too much
        }
        let mut others = load(services, ids, Some(own)).await?;
        let excess = (others.len() + 1).saturating_sub(limit.max.get());
        // If two logins are of the same millisecond, the handle decides, so that all processes end the same sessions.
        others.sort_by_key(|other| (other.authenticated_at, other.handle));
        let mut ended = 0;
        for oldest in others.iter().take(excess) {
            match services.in_time(self.end(oldest.id, Some(oldest.revision))).await {
                Ok(found) => ended += usize::from(found != Found::Nothing),
                Err(no_answer) => services.note_failure(&no_answer.into(), Some(&oldest.id), Some(user)),
            }
        }
        if ended > 0 {
            services.events.note(Event::SessionsRevoked, || Occurrence {
                principal: Some(services.signers.principal_tag(user)),
                count: Some(ended),
                ..Occurrence::of(Event::SessionsRevoked, self.now)
            });
        }
        Ok(())
    }
}

/// Another session of a user who logs in.
struct Other {
    id: SessionId,
    revision: Revision,
    authenticated_at: Timestamp,
    handle: SessionHandle,
}

/// Loads the live sessions among `ids`, but for `own`.
async fn load(services: &Services, ids: Vec<SessionId>, own: Option<SessionId>) -> Result<Vec<Other>, SessionError> {
    let mut others = Vec::new();
    for id in ids.into_iter().filter(|id| Some(*id) != own) {
        if let Some(live) = users::load_live(services, id).await? {
            let Snapshot { revision, envelope, .. } = &*live.snapshot;
            let (authenticated_at, handle) = (envelope.authenticated_at, envelope.handle);
            others.push(Other { id, revision: *revision, authenticated_at, handle });
        }
    }
    Ok(others)
}

/// Returns the ids of the user's sessions.
async fn listed(services: &Services, user: &str) -> Result<Vec<SessionId>, SessionError> {
    users::listed(services, user, services.now()).await
}
