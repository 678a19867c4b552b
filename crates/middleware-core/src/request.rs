pub(crate) mod headers;
pub(crate) mod load;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crate::commit::plan::{Action, CookieAction};
use crate::request::headers::{SessionHeaders, SetCookies};
use crate::state::exchange::{CookieHeader, Exchange};
use crate::state::{Snapshot, State};
use crate::{Session, SessionError, SessionErrorKind, SessionManager, SignedCookies};

/// One request's way to its session.
///
/// For adapters. It is made from the request's `Cookie` headers and costs next to nothing until somebody asks for the
/// [session](Self::session): no cookie is verified and no store is asked before. Once the application has answered,
/// the adapter lets it [end](Self::end) and applies what comes out to the response.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{RequestSession, SessionError, SessionManager};
///
/// /// What an adapter does around the application.
/// async fn serve(manager: &SessionManager, cookie_headers: &[&[u8]]) -> Result<u16, SessionError> {
///     let request = manager.request(cookie_headers);
///     let status = application(&request).await?;
///     let end = request.end(status).await;
///     if let Some(failure) = end.failure() {
///         return Ok(failure.status());
///     }
///     if let Some(headers) = end.headers([], []) {
///         // Set them.
///     }
///     Ok(status)
/// }
///
/// async fn application(request: &RequestSession) -> Result<u16, SessionError> {
///     request.session().await?.insert("seen", &true)?;
///     Ok(200)
/// }
/// ```
#[derive(Clone)]
pub struct RequestSession(Arc<Exchange>);

impl RequestSession {
    pub(crate) fn new<H: AsRef<[u8]>>(manager: SessionManager, cookie_headers: impl IntoIterator<Item = H>) -> Self {
        // HTTP/2 may split the header; joined like this it means the same (RFC 9113, 8.2.3).
        let mut headers = cookie_headers.into_iter();
        let mut joined =
            headers.next().map_or_else(CookieHeader::new, |header| CookieHeader::from_slice(header.as_ref()));
        for header in headers {
            joined.extend_from_slice(b"; ");
            joined.extend_from_slice(header.as_ref());
        }
        Self(Arc::new(Exchange::new(manager, joined)))
    }

    /// The visitor's session; an empty one if there is none. Loaded once, however often it is asked for.
    ///
    /// # Errors
    ///
    /// When the store cannot answer, unless the manager was told [otherwise](crate::SessionManagerBuilder::on_outage),
    /// or the session has a newer format. It can be asked for again.
    ///
    /// # Panics
    ///
    /// Panics outside of a Tokio runtime with time enabled, as all calls of the store have a time limit.
    pub async fn session(&self) -> Result<Session, SessionError> {
        self.0.looked_at.store(true, Ordering::Relaxed);
        self.0.load().await?;
        Ok(Session(Arc::clone(&self.0)))
    }

    /// The visitor's session, if the store has one.
    ///
    /// # Errors
    ///
    /// As [`session`](Self::session): that the store cannot answer does not mean that there is none.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::SessionManager;
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
    /// let request = manager.request([b"theme=dark"]);
    /// assert!(request.existing_session().await?.is_none());
    /// assert!(request.session().await?.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    pub async fn existing_session(&self) -> Result<Option<Session>, SessionError> {
        Ok(Some(self.session().await?).filter(Session::is_live))
    }

    /// The visitor's signed cookies, which need no store.
    pub fn signed_cookies(&self) -> SignedCookies {
        let cookies = || SignedCookies::new(self.0.manager.clone(), self.0.cookie_header.to_vec());
        self.0.signed_cookies.get_or_init(cookies).clone()
    }

    /// What the response needs, if that is known without asking the store.
    ///
    /// For the common paths, on which an adapter then needs no future for the end: a route that never asked for the
    /// session, and one that only read it. `status` is that of the application's answer.
    ///
    /// # Examples
    ///
    /// ```
    /// # use nexios_middleware_core::SessionManager;
    /// # use nexios_signer::{Key, KeyRing};
    /// # use nexios_store_memory::MemoryStore;
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
    /// let request = manager.request([b"theme=dark"]);
    /// assert!(request.end_without_store(200).is_some(), "nobody has asked for the session");
    ///
    /// let request = manager.request([b"theme=dark"]);
    /// request.session().await?.insert("seen", &true)?;
    /// assert!(request.end_without_store(200).is_none(), "there is something to save");
    /// # Ok(())
    /// # }
    /// ```
    pub fn end_without_store(&self, status: u16) -> Option<RequestEnd> {
        let session = &*self.0;
        if !session.is_loaded() {
            return Some(self.end_without_session());
        }
        let mut state = session.state();
        if state.under_way {
            return None; // a clone of the session is being saved, and it takes the future to wait for that
        }
        self.roll_back(&mut state, status);
        if state.is_changed() && !state.values.is_empty() {
            return None; // whatever the plan will be, there is something to save
        }
        let plan = session.plan(&state, session.manager.now());
        if plan.action != Action::Nothing || state.committing || state.read_only {
            return None;
        }
        state.settle_without_store(plan.cookie);
        Some(self.finish_session(&mut state, None))
    }

    /// Saves what the application has left to save, and says what the response needs.
    ///
    /// `status` is that of the application's answer. From 500 on, what was changed since the last
    /// [`save`](Session::save) is dropped, unless the manager was told
    /// [otherwise](crate::SessionManagerBuilder::commit_on_server_error); a session that was destroyed stays so.
    pub async fn end(&self, status: u16) -> RequestEnd {
        let session = &*self.0;
        if !session.is_loaded() {
            return self.end_without_session();
        }
        // Kept to the end: a save that begins after the last one here must find the head sent.
        let _turn = session.turn().await;
        self.roll_back(&mut session.state(), status);
        let failure = match session.commit_in_turn().await {
            // Somebody has ended the session meanwhile: the answer stands, without the changes.
            Ok(()) => None,
            Err(error) if error.kind() == SessionErrorKind::Gone => None,
            Err(error) => Some(error),
        };
        self.finish_session(&mut session.state(), failure)
    }

    fn end_without_session(&self) -> RequestEnd {
        self.0.head_sent.store(true, Ordering::Relaxed);
        self.finish(Ok(None), None)
    }

    fn roll_back(&self, state: &mut State, status: u16) {
        if status >= 500 && !self.0.manager.commits_on_server_error() {
            state.roll_back();
        }
    }

    /// The head is about to go out: the cookie is that of what the store has now.
    fn finish_session(&self, state: &mut State, failure: Option<SessionError>) -> RequestEnd {
        let (session, manager) = (&*self.0, &self.0.manager);
        session.head_sent.store(true, Ordering::Relaxed);
        if failure.is_some() {
            // It was tried, and whoever waits for the answer hears that it failed.
            state.roll_back();
        }
        let set_cookie = match (state.cookie, &state.base) {
            (CookieAction::Remove, _) => Ok(Some(manager.cookie().removal_cookie())),
            (CookieAction::Send, Some(base)) => {
                let persistent = state.persistent().unwrap_or_else(|| manager.settings().persistent);
                let received = self.received_value(state, base).map(Cow::Borrowed);
                let value = received.map_or_else(|| session.cookie_value(base).map(Cow::Owned), Ok);
                value.and_then(|value| manager.session_cookie(&value, persistent.then_some(base.expires_at))).map(Some)
            }
            (CookieAction::Keep | CookieAction::Send, _) => Ok(None),
        };
        self.finish(set_cookie, failure)
    }

    /// The cookie's value as the visitor has sent it, if that is what would be sent again: the same id, signed by the
    /// same key. Signing is what costs most in a write, and was done when it was verified.
    fn received_value(&self, state: &State, base: &Snapshot) -> Option<&str> {
        let opener = state.opened_by.filter(|opener| opener.id == base.id)?;
        let value = self.0.manager.cookie().candidates(&self.0.cookie_header).nth(opener.place)?;
        std::str::from_utf8(value).ok()
    }

    /// The session's cookie, and those that the application has set.
    fn finish(&self, set_cookie: Result<Option<String>, SessionError>, failure: Option<SessionError>) -> RequestEnd {
        let mut looked_at = self.0.looked_at.load(Ordering::Relaxed);
        let (set_cookie, failure) = match set_cookie {
            Ok(set_cookie) => (set_cookie, failure),
            Err(error) => (None, Some(error)),
        };
        let mut set_cookies = SetCookies { session: set_cookie, signed: Vec::new() };
        if let Some(signed_cookies) = self.0.signed_cookies.get() {
            looked_at |= signed_cookies.looked_at();
            // What a handler has set is a part of its answer, and goes with it.
            if failure.is_none() {
                set_cookies.signed = signed_cookies.set_cookies();
            }
        }
        RequestEnd { looked_at, set_cookies, failure }
    }
}

impl fmt::Debug for RequestSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestSession").field("loaded", &self.0.is_loaded()).finish_non_exhaustive()
    }
}

/// What a response needs once the session has been taken care of.
///
/// # Examples
///
/// ```
/// # use nexios_middleware_core::SessionManager;
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// let request = manager.request([b"theme=dark"]);
/// request.session().await?.insert("seen", &true)?;
///
/// let end = request.end(200).await;
/// assert!(end.failure().is_none());
/// let headers = end.headers([b"Accept-Encoding".as_slice()], []).expect("there is a cookie to send");
/// assert_eq!(headers.vary.as_deref(), Some("Accept-Encoding, Cookie"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "the visitor's cookie is in it"]
pub struct RequestEnd {
    looked_at: bool,
    set_cookies: SetCookies,
    failure: Option<SessionError>,
}

impl RequestEnd {
    /// Why the application's answer cannot stand: what it had to save was not saved. Answer with the error's
    /// [status](SessionError::status), an empty body and the [headers](Self::headers) instead.
    pub const fn failure(&self) -> Option<&SessionError> {
        self.failure.as_ref()
    }

    /// The headers to set, given those that the response has; `None` if there is nothing to do.
    // Inlined, so that a response that needs none is not asked for those it has.
    #[inline]
    pub fn headers<'h>(
        self,
        vary: impl IntoIterator<Item = &'h [u8]>,
        cache_control: impl IntoIterator<Item = &'h [u8]>,
    ) -> Option<SessionHeaders> {
        if !self.looked_at && self.set_cookies.is_empty() {
            return None;
        }
        Some(self.into_headers(vary, cache_control))
    }

    fn into_headers<'h>(
        self,
        vary: impl IntoIterator<Item = &'h [u8]>,
        cache_control: impl IntoIterator<Item = &'h [u8]>,
    ) -> SessionHeaders {
        let mut headers = SessionHeaders::new(self.looked_at, self.set_cookies, vary, cache_control);
        headers.retry_after = self.failure.as_ref().and_then(SessionError::retry_after);
        headers
    }
}

#[cfg(test)]
mod tests {
    use nexios_signer::{Key, KeyRing};
    use nexios_store_memory::MemoryStore;

    use super::*;

    /// Frameworks box them, and the allocators of glibc and others have short ways for blocks of up to 1 KiB only.
    #[test]
    fn the_futures_of_a_request_are_small() {
        let keys = KeyRing::new(Key::generate().unwrap());
        let manager = SessionManager::builder(MemoryStore::new()).keys(keys).build().unwrap();
        let request = manager.request([b"theme=dark"]);
        for size in [size_of_val(&request.session()), size_of_val(&request.end(200))] {
            assert!(size <= 1024, "{size}");
        }
    }
}
