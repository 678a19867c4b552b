//! How many sessions a user may have at the same time.

use bytestring::ByteString;

use crate::commit::work::{Done, Failed, Work};
use crate::services::policies::SessionLimit;
use crate::{AtLimit, SessionError, SessionErrorKind, SessionHandle, SessionManager, UserSession};

impl Work {
    /// Carries out the plan; a login only if the user may have the session.
    pub(crate) async fn perform(&self, manager: &SessionManager) -> Result<Done, Failed> {
        match (&self.login, manager.session_limit()) {
            // Boxed, so that the future of every request has no room for what only logins need.
            (Some(user), Some(limit)) => Box::pin(self.perform_within(limit, user, manager)).await,
            _ => self.carry_out(manager).await,
        }
    }

    async fn perform_within(
        &self,
        limit: SessionLimit,
        user: &ByteString,
        manager: &SessionManager,
    ) -> Result<Done, Failed> {
        // The logins of one user in this process come one after the other. With those of other processes the limit is
        // looked at again afterwards.
        let _turn = manager.login_turns().take(manager.signers().principal_tag(user).as_bytes()).await;
        let present = self.base.as_ref().filter(|base| !base.envelope.changes_hands(Some(user)));
        limit.make_room(manager, user, present.map(|base| base.envelope.handle)).await?;
        let done = self.carry_out(manager).await?;
        if let Done::Written { base, .. } = &done
            && let Err(error) = limit.make_room(manager, user, Some(base.envelope.handle)).await
        {
            let _ = self.store(manager).delete(&base.id).await.map_err(Failed::not_known_whether)?;
            return Err(error.into());
        }
        Ok(done)
    }
}

impl SessionLimit {
    /// Makes sure that the user may have one session, the `present` one if it exists, beside all others.
    async fn make_room(
        self,
        manager: &SessionManager,
        user: &str,
        present: Option<SessionHandle>,
    ) -> Result<(), SessionError> {
        let mut others = manager.sessions_of(user).await?;
        others.retain(|session| Some(session.handle) != present);
        let excess = (others.len() + 1).saturating_sub(self.max.get());
        if excess == 0 {
            return Ok(());
        }
        if self.at_limit == AtLimit::Refuse {
            let message = format!("user has {} sessions already, which is as many as they may have", others.len());
            return Err(SessionError::new(SessionErrorKind::TooManySessions, message));
        }
        // The handle decides between logins of one millisecond, so that all processes end the same ones.
        others.sort_by_key(|session: &UserSession| (session.authenticated_at, session.handle));
        for oldest in &others[..excess] {
            manager.revoke(user, oldest.handle).await?;
        }
        Ok(())
    }
}
