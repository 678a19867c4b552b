//! The room of what a handler holds: the session and its typed keys.
//!
//! Invariant: no code of the application runs while the state of the session is locked.

pub(crate) mod entry;
mod identity;
mod values;

use std::fmt;
use std::sync::{Arc, MutexGuard};

use nexios_store_core::Timestamp;

use crate::commit;
use crate::error::SessionError;
#[cfg(doc)]
use crate::error::SessionErrorKind;
use crate::format::payload;
use crate::look;
use crate::state::decisions::Fate;
use crate::state::exchange::Exchange;
use crate::state::pending::Pending;
use crate::state::progress::Progress;
use crate::state::{State, View};

/// A visitor's session, within one request.
///
/// An extractor of the adapter loads it and hands it to your handler. From then on it is a value: you read and change
/// it without awaiting. Your changes are saved when the handler has returned with a status below 500 other than 408, or
/// earlier if you await [`save`](Self::save). A clone is cheap and is the same session: all extractors of one request
/// share it.
///
/// A visitor without a session gets an empty one. Nothing is stored and no cookie is sent until it holds a value or a
/// user has [logged in](Self::login).
///
/// # Parallel requests
///
/// The changes of parallel requests to one session are merged, key by key:
///
/// * [`insert`](Self::insert) means "this value for this key, whatever was there".
/// * [`update`](Self::update), [`update_or_remove`](Self::update_or_remove) and [`try_update`](Self::try_update)
///   compute the new value from the one that is there when the session is saved.
/// * [`take_once`](Self::take_once) saves nothing if another request was faster to take or change the value.
/// * A key that you do not change keeps what other requests have written.
///
/// Until it is saved, your session shows the values as they were loaded, with your own changes. After
/// [`save`](Self::save) it shows the values that were committed.
///
/// # Errors
///
/// A method that changes the session fails, and changes nothing,
///
/// * with [`Ended`](SessionErrorKind::Ended) once a save has found that another request had ended the session,
/// * with [`TooLarge`](SessionErrorKind::TooLarge) if the session would exceed its maximum size,
/// * with [`Unavailable`](SessionErrorKind::Unavailable) if the session is [read-only](Self::is_read_only).
///
/// A method that reads or writes a value fails with [`InvalidValue`](SessionErrorKind::InvalidValue) if the value
/// cannot be encoded, or is of another type. Methods without a `Result`, such as [`remove`](Self::remove) and
/// [`clear`](Self::clear), have no effect on a session that takes no changes.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{Session, SessionError};
///
/// fn visit(session: &Session) -> Result<u64, SessionError> {
///     let visits: u64 = session.get_or("visits", 0)? + 1;
///     session.insert("visits", &visits)?;
///     Ok(visits)
/// }
/// ```
#[derive(Clone)]
pub struct Session(pub(crate) Arc<Exchange>);

impl Session {
    /// Returns whether anything waits to be saved: a changed value, a login, a new id, a setting of the session's own,
    /// or its end.
    pub fn is_modified(&self) -> bool {
        !self.state().pending.is_empty()
    }

    /// Returns whether this is an empty stand-in for a session that the store could not be asked for. It takes no
    /// changes.
    ///
    /// There is one only if the manager was built with [`OnOutage::EmptyReadOnly`](crate::OnOutage::EmptyReadOnly).
    pub fn is_read_only(&self) -> bool {
        self.state().known.is_outage
    }

    /// Ends the session: deletes its record and removes the visitor's cookie, whatever the status of the response.
    ///
    /// Slower requests that are still at work cannot bring it back. What the request does to its session from here on
    /// is about a fresh one, with a new id and nothing of the old: a notice for the next page, or another login.
    ///
    /// The record of every other cookie that came with the request, and that our keys have signed, is deleted too,
    /// whether it is live or seems to have expired.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn log_out(session: &Session) -> Result<(), SessionError> {
    ///     session.destroy();
    ///     session.insert("notice", "You have logged out.")
    /// }
    /// ```
    pub fn destroy(&self) {
        let mut state = self.state();
        state.pending = Pending { fate: Fate::Destroy, ..Pending::default() };
        state.view = View::default();
        // What comes now is about a fresh session, also if somebody else was faster.
        if state.has_ended() {
            state.progress = Progress::Idle;
        }
    }

    /// Drops all changes since the session was loaded or saved: values, login, new id and own settings. It does not
    /// take back a [`destroy`](Self::destroy).
    ///
    /// Use it in a handler that answers with a status below 500 although it did not finish what it began, or although a
    /// [`save`](Self::save) refused its changes.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// fn order(session: &Session, in_stock: bool) -> Result<&'static str, SessionError> {
    ///     session.insert("ordered", &true)?;
    ///     if !in_stock {
    ///         session.discard();
    ///         return Ok("sold out");
    ///     }
    ///     Ok("ordered")
    /// }
    /// ```
    pub fn discard(&self) {
        self.state().roll_back();
    }

    /// Returns the time at which the session was first saved; `None` if it was not saved yet.
    pub fn created_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_envelope()?.created_at)
    }

    /// Returns the time at which the visitor last proved who they are, or else at which the session was first saved;
    /// `None` if it was not saved yet.
    pub fn authenticated_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_envelope()?.authenticated_at)
    }

    /// Returns the time at which the session ends unless it is used again; `None` if it was not saved yet.
    pub fn expires_at(&self) -> Option<Timestamp> {
        Some(self.state().kept_snapshot()?.expires_at)
    }

    /// Saves your changes now.
    ///
    /// Without it, they are saved after the handler has returned. Await it to learn whether they were saved, to read
    /// the result of an [`update`](Self::update), or to save after the head of the response is out: in a streaming body
    /// or a WebSocket. Afterwards the session shows the values that were committed.
    ///
    /// # Errors
    ///
    /// * [`Gone`](SessionErrorKind::Gone): the session was ended in the meantime. Nothing was saved, and it stays
    ///   ended. Once this is known, every further `save` says so, also if there is nothing to save.
    /// * [`Unavailable`](SessionErrorKind::Unavailable): the store failed, or did not answer in time.
    /// * [`Unsupported`](SessionErrorKind::Unsupported): a newer version of this library has written the session in the
    ///   meantime.
    /// * [`Interrupted`](SessionErrorKind::Interrupted): an earlier save did not finish, so it is not known what the
    ///   store has.
    /// * [`HeadSent`](SessionErrorKind::HeadSent): the visitor would need a new cookie, and it is too late to send one.
    /// * [`TooManySessions`](SessionErrorKind::TooManySessions): the user who logs in has as many sessions as they may
    ///   have.
    /// * [`Refused`](SessionErrorKind::Refused): a [`try_update`](Self::try_update) has refused the value that another
    ///   request has saved in the meantime. Nothing was written.
    /// * [`AlreadyTaken`](SessionErrorKind::AlreadyTaken): another request has taken or changed what this one has taken
    ///   with [`take_once`](Self::take_once). Nothing was written.
    /// * [`InvalidValue`](SessionErrorKind::InvalidValue), [`TooLarge`](SessionErrorKind::TooLarge): your changes do
    ///   not go together with what other requests have saved in the meantime. Nothing was written.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError, SessionErrorKind};
    /// async fn order(session: &Session) -> Result<&'static str, SessionError> {
    ///     session.update("orders", |orders: Option<u32>| orders.unwrap_or(0) + 1)?;
    ///     match session.save().await {
    ///         Err(error) if error.kind() == SessionErrorKind::Gone => Ok("you have logged out meanwhile"),
    ///         saved => saved.map(|()| "ordered"),
    ///     }
    /// }
    /// ```
    pub async fn save(&self) -> Result<(), SessionError> {
        commit::commit(&self.0).await
    }

    /// Reads what the store has now, and does your pending changes again on top of it.
    ///
    /// Use it where time has passed since the session was loaded: before a page that must show what a parallel request has
    /// saved, or now and then in a WebSocket. It writes nothing. A session that was not saved yet stays as it is.
    ///
    /// # Errors
    ///
    /// * [`Gone`](SessionErrorKind::Gone): the session has ended, or has another id now. Your changes are dropped.
    /// * [`Unavailable`](SessionErrorKind::Unavailable): the store failed, or did not answer in time.
    /// * [`Unsupported`](SessionErrorKind::Unsupported): a newer version of this library has written the session in the
    ///   meantime.
    /// * [`Interrupted`](SessionErrorKind::Interrupted): a save of the session is still under way.
    /// * [`InvalidValue`](SessionErrorKind::InvalidValue), [`Refused`](SessionErrorKind::Refused),
    ///   [`AlreadyTaken`](SessionErrorKind::AlreadyTaken): your changes do not go together with what the store has. The
    ///   session shows what it did before.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::{Session, SessionError};
    /// async fn is_paid(session: &Session) -> Result<bool, SessionError> {
    ///     session.reload().await?; // the payment arrives in another request
    ///     session.get_or("paid", false)
    /// }
    /// ```
    pub async fn reload(&self) -> Result<(), SessionError> {
        look::reload::reload(&self.0).await
    }

    /// Waits until the session has ended: by a logout, a revocation, its expiry, or a login that has taken it along.
    ///
    /// Use it in a WebSocket or a stream of events, which would otherwise outlive a logout. If the session is ended by
    /// this process, through the same manager, it is heard of at once. Otherwise it takes up to five seconds, and as
    /// long as the store needs to answer: each wait loads the record every four seconds.
    ///
    /// In an outage it goes on waiting. A change of the id is no end. Waiting is no use of the session, so it does not
    /// prolong its life.
    ///
    /// # Panics
    ///
    /// Panics outside of a Tokio runtime with time enabled.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::Session;
    /// # async fn send_news() {}
    /// async fn stream(session: Session) {
    ///     tokio::select! {
    ///         () = session.ended() => {} // say goodbye and close
    ///         () = send_news() => {}
    ///     }
    /// }
    /// ```
    pub async fn ended(&self) {
        look::ended::ended(&self.0).await;
    }

    /// Returns whether the visitor has a session that nobody has ended yet.
    pub(crate) fn is_live(&self) -> bool {
        self.state().kept_snapshot().is_some()
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }

    /// Locks the state of a session that still takes changes.
    pub(crate) fn open_state(&self) -> Result<MutexGuard<'_, State>, SessionError> {
        let state = self.state();
        if state.known.is_outage {
            Err(SessionError::read_only())
        } else if state.has_ended() {
            Err(SessionError::ended())
        } else {
            Ok(state)
        }
    }

    /// Refuses a session above the maximum size. If it was larger already, because the maximum has been lowered, it may
    /// stay as large.
    pub(crate) fn check_size(&self, state: &State, parts_len: usize, values_len: usize) -> Result<(), SessionError> {
        let max_size = self.0.services.settings.max_size.as_bytes();
        let len = payload::encoded_len(parts_len, values_len);
        if len > max_size.max(state.kept_snapshot().map_or(0, |snapshot| snapshot.encoded_len())) {
            return Err(SessionError::too_large(max_size));
        }
        Ok(())
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("len", &self.len()).finish_non_exhaustive()
    }
}
