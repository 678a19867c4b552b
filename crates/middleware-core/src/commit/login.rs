//! A login where the number of a user's sessions is limited.

use bytestring::ByteString;

use crate::commit::work::{Done, Failed, Work};
use crate::error::{SessionError, SessionErrorKind};
use crate::format::handle::SessionHandle;
use crate::services::Services;
use crate::services::policies::{AtLimit, SessionLimit};
use crate::users::{self, UserSession, Which};

impl Work<'_> {
    /// Carries out the plan; if it is a login, only if the user may have the session.
    pub(super) async fn perform(&self) -> Result<Done, Failed> {
        match (self.login(), self.services().session_limit) {
            // Boxed, so that the future of every request has no room for what only logins need.
            (Some(user), Some(limit)) => Box::pin(self.perform_within(limit, user)).await,
            _ => self.carry_out().await,
        }
    }

    async fn perform_within(&self, limit: SessionLimit, user: &ByteString) -> Result<Done, Failed> {
        let services = self.services();
        // The logins of one user in this process go one after the other. Other processes may let one in at the same
        // time, so the limit is checked again afterwards.
        let _turn = services.logins.take(services.signers.principal_tag(user).as_bytes()).await;
        let present = self.snapshot.as_ref().filter(|snapshot| !snapshot.envelope.changes_hands(Some(user)));
        let present = present.map(|snapshot| snapshot.envelope.handle);
        make_room(services, limit, user, present).await.map_err(Failed::not_done)?;
        let done = self.carry_out().await?;
        if let Done::Written { snapshot, .. } = &done
            && let Err(error) = make_room(services, limit, user, Some(snapshot.envelope.handle)).await
        {
            let _ = self.store().delete(&snapshot.id).await?;
            return Err(Failed::not_done(error));
        }
        Ok(done)
    }
}

/// Makes sure that the user may have one session (the `present` one, if it exists) beside all others.
async fn make_room(
    services: &Services,
    limit: SessionLimit,
    user: &str,
    present: Option<SessionHandle>,
) -> Result<(), SessionError> {
    let mut others = users::list(services, user).await?;
    others.retain(|session| Some(session.handle) != present);
    let excess = (others.len() + 1).saturating_sub(limit.max.get());
    if excess == 0 {
        return Ok(());
    }
    if limit.at_limit == AtLimit::Refuse {
        let message = format!("user has {} sessions already, which is as many as they may have", others.len());
        return Err(SessionError::new(SessionErrorKind::TooManySessions, message));
    }
    // If two logins are of the same millisecond, the handle decides, so that all processes end the same sessions.
    others.sort_by_key(|session: &UserSession| (session.authenticated_at, session.handle));
    for oldest in &others[..excess] {
        let ended = users::end(services, user, Which::Only(oldest.handle)).await;
        ended.note(services, user);
        if let Some(error) = ended.error {
            return Err(error);
        }
    }
    Ok(())
}
