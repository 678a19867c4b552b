//! The end of a request: saves what is left to save, and tells the response what came of it.

use std::borrow::Cow;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use nexios_store_core::Timestamp;

use crate::commit::{self, plan::Action};
use crate::error::SessionError;
use crate::records::Snapshot;
use crate::request::head::{Header, ResponseHead};
use crate::request::headers::{self, SetCookies};
use crate::state::State;
use crate::state::decisions::{CookieAction, Fate};
use crate::state::exchange::Exchange;
use crate::state::known::Opener;

/// The future of a request's end, made by [`RequestSession::end`](crate::RequestSession::end).
///
/// It is ready at the first poll if the store need not be asked: for a route that never asked for the session, and for
/// one that only read it, unless its expiry is to be moved. You can move it between polls.
#[must_use = "nothing is saved before it is awaited"]
pub struct Ending {
    /// `None` once it was passed on: to the result, or to the future that saves.
    exchange: Option<Arc<Exchange>>,
    status: u16,
    // Boxed only where it is needed, so that a request that saves nothing has no room for it.
    saving: Option<Pin<Box<dyn Future<Output = RequestEnd> + Send>>>,
}

impl Ending {
    pub(super) const fn new(exchange: Arc<Exchange>, status: u16) -> Self {
        Self { exchange: Some(exchange), status, saving: None }
    }
}

impl Future for Ending {
    type Output = RequestEnd;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<RequestEnd> {
        let this = &mut *self;
        if let Some(exchange) = this.exchange.take() {
            match end_without_store(exchange, this.status) {
                Ok(end) => return Poll::Ready(end),
                Err((exchange, now)) => this.saving = Some(Box::pin(save(exchange, this.status, now))),
            }
        }
        match &mut this.saving {
            Some(saving) => saving.as_mut().poll(context),
            None => Poll::Pending, // it was ready, and is not to be polled again
        }
    }
}

impl fmt::Debug for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ending").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Ends the request if the store need not be asked; otherwise gives the exchange back, with the time of the end.
fn end_without_store(exchange: Arc<Exchange>, status: u16) -> Result<RequestEnd, (Arc<Exchange>, Timestamp)> {
    let set_cookie = if exchange.is_loaded() {
        // Read once, and not under a lock. What is saved and the cookie for it are of one time.
        let now = exchange.services.now();
        match settle_without_store(&exchange, status, now) {
            Some(set_cookie) => set_cookie,
            None => return Err((exchange, now)),
        }
    } else {
        exchange.send_head();
        Ok(None)
    };
    if !exchange.is_looked_at() && exchange.used_signed_cookies().is_none() {
        // Most responses need nothing.
        let set_cookies = SetCookies::default();
        return Ok(RequestEnd { exchange, status, looked_at: false, set_cookies, failure: None });
    }
    Ok(finish(exchange, status, set_cookie, None))
}

/// Returns the cookie to send if there is nothing to do in the store, or `None` if there may be something to do.
fn settle_without_store(
    exchange: &Exchange,
    status: u16,
    now: Timestamp,
) -> Option<Result<Option<String>, SessionError>> {
    let mut state = exchange.state();
    if state.progress.is_saving() {
        return None; // a clone of the session is being saved, and it takes the future to wait for that
    }
    roll_back(exchange, &mut state, status);
    if state.pending.is_changed() && (!state.view.values.is_empty() || state.pending.fate == Fate::Destroy) {
        return None; // whatever the plan will be, there is something to save, in a fresh session perhaps
    }
    let plan = commit::plan(exchange, &state, now);
    if plan.action != Action::Nothing || state.progress.is_unknown() || state.known.is_outage {
        return None;
    }
    state.settle_without_store(plan.cookie);
    Some(send_head(exchange, &mut state, now))
}

async fn save(exchange: Arc<Exchange>, status: u16, now: Timestamp) -> RequestEnd {
    let (set_cookie, failure) = {
        // Held to the end: a save that begins after the last one here must find that the head is sent.
        let turn = exchange.turn().await;
        roll_back(&exchange, &mut exchange.state(), status);
        let saved = match turn {
            Some(_) => commit::commit_in_turn(&exchange, now).await,
            None => Err(SessionError::interrupted()),
        };
        let failure = match saved {
            // Somebody has ended the session in the meantime. The answer stands, without the changes.
            Ok(()) => None,
            Err(error) if error.lets_answer_stand() => None,
            Err(error) => Some(error),
        };
        let mut state = exchange.state();
        if failure.is_some() {
            // The save was tried, and whoever waits for the answer hears that it failed.
            state.roll_back();
            exchange.fail_end();
        }
        (send_head(&exchange, &mut state, now), failure)
    };
    finish(exchange, status, set_cookie, failure)
}

fn roll_back(exchange: &Exchange, state: &mut State, status: u16) {
    // A 408 is the answer of a layer that has dropped the handler half-way.
    if (status >= 500 || status == 408) && !exchange.services.commit_on_server_error {
        state.roll_back();
    }
}

/// Declares the head sent, and returns the cookie that goes with it: the one for what the store has now.
fn send_head(exchange: &Exchange, state: &mut State, now: Timestamp) -> Result<Option<String>, SessionError> {
    exchange.send_head();
    let services = &*exchange.services;
    match (state.cookie, state.stored_snapshot()) {
        (CookieAction::Remove, _) => Ok(Some(services.cookie.removal_cookie())),
        (CookieAction::Send, Some(snapshot)) => {
            let persistent = state.persistent().unwrap_or(services.settings.persistent);
            let received = received_value(exchange, state, snapshot).map(Cow::Borrowed);
            let value = received.map_or_else(|| exchange.cookie_value(snapshot, now).map(Cow::Owned), Ok)?;
            services.session_cookie(&value, persistent.then_some(snapshot.expires_at), now).map(Some)
        }
        (CookieAction::Keep | CookieAction::Send, _) => Ok(None),
    }
}

/// Returns the cookie's value as the visitor has sent it, if the same value would be sent again: for the same id,
/// signed with the same key. Signing is the most expensive part of a write, and was done already when the cookie was
/// verified.
fn received_value<'a>(exchange: &'a Exchange, state: &State, snapshot: &Snapshot) -> Option<&'a str> {
    let Opener::Cookie { place, id } = state.known.opener else { return None };
    if id != snapshot.id {
        return None;
    }
    let value = exchange.services.cookie.candidates(&exchange.cookie_header).nth(place)?;
    std::str::from_utf8(value).ok()
}

/// Brings together the session's cookie and the cookies that the application has set.
fn finish(
    exchange: Arc<Exchange>,
    status: u16,
    set_cookie: Result<Option<String>, SessionError>,
    failure: Option<SessionError>,
) -> RequestEnd {
    let mut looked_at = exchange.is_looked_at();
    let (set_cookie, failure) = match set_cookie {
        Ok(set_cookie) => (set_cookie, failure),
        Err(error) => (None, Some(error)),
    };
    let mut set_cookies = SetCookies { session: set_cookie, signed: Vec::new() };
    if let Some(signed_cookies) = exchange.used_signed_cookies() {
        looked_at |= signed_cookies.looked_at();
        // The cookies that a handler has set are a part of its answer. They go out with it, or not at all.
        if failure.is_none() {
            set_cookies.signed = signed_cookies.set_cookies();
        }
    }
    if let Some(error) = &failure {
        exchange.note_error(error.answer_event(), error);
    }
    RequestEnd { exchange, status, looked_at, set_cookies, failure: failure.map(Box::new) }
}

/// The result of a request's end: everything that the response needs.
///
/// # Examples
///
/// ```
/// # use nexios_middleware_core::SessionManager;
/// # use nexios_signer::{Key, KeyRing};
/// # use nexios_store_memory::MemoryStore;
/// use nexios_middleware_core::{Header, PlainHead, ResponseHead};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
/// let request = manager.request([b"theme=dark"]);
/// request.session().await?.insert("seen", &true)?;
///
/// let mut head = PlainHead::new(200);
/// head.insert(Header::Vary, "Accept-Encoding".into());
/// let end = request.end(head.status).await;
/// assert!(end.apply(&mut head).is_none(), "the application's body stands");
/// assert_eq!(head.value(Header::Vary), Some("Accept-Encoding, Cookie"));
/// assert_eq!(head.value(Header::CacheControl), Some("no-store"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
#[must_use = "the visitor's cookie is in it"]
pub struct RequestEnd {
    exchange: Arc<Exchange>,
    status: u16,
    looked_at: bool,
    set_cookies: SetCookies,
    // Boxed, because the end is moved on every request and a failure is rare.
    failure: Option<Box<SessionError>>,
}

impl RequestEnd {
    /// Returns the reason why the application's answer cannot stand: its changes were not saved.
    ///
    /// [`apply`](Self::apply) does what follows from it. Use this where there is no response to apply the end to.
    pub fn failure(&self) -> Option<&SessionError> {
        self.failure.as_deref()
    }

    /// Completes the response: sets the headers that the session and the signed cookies need, and replaces the
    /// application's answer if it cannot stand.
    ///
    /// Returns the body that takes the place of the application's, or `None` if the application's body stands. The new
    /// body may be empty.
    // Inlined, so that a response that needs nothing is not asked for its headers.
    #[inline]
    pub fn apply(self, head: &mut impl ResponseHead) -> Option<Bytes> {
        let is_plain = !self.looked_at && self.set_cookies.is_empty() && self.failure.is_none();
        if is_plain && self.status < 400 {
            return None;
        }
        self.apply_to(head)
    }

    fn apply_to(self, head: &mut impl ResponseHead) -> Option<Bytes> {
        let body = match self.failure() {
            Some(failure) => Some(self.replace(head, failure)),
            None if self.status >= 400 => self.fill(head),
            None => None,
        };
        if self.looked_at
            && let Some(vary) = headers::with_cookie(head.values(Header::Vary))
        {
            head.insert(Header::Vary, vary);
        }
        self.set_cookies(head);
        body
    }

    /// Replaces the application's answer by the answer to a failure.
    fn replace(&self, head: &mut impl ResponseHead, failure: &SessionError) -> Bytes {
        let status = failure.status();
        head.set_status(status);
        head.retain(|name, _| headers::survives_failure(name));
        if let Some(retry_after) = failure.retry_after() {
            head.insert(Header::RetryAfter, retry_after.into());
        }
        self.body(head, status).unwrap_or_default()
    }

    /// Gives the application's failure body to an answer that an extractor or a handler has made of an error.
    fn fill(&self, head: &mut impl ResponseHead) -> Option<Bytes> {
        let answer = head.take_error()?;
        if let Some(event) = answer.event()
            && self.exchange.take_telling()
        {
            self.exchange.note_error(event, answer.error());
        }
        // The application may have made a page of its own of the error, which is not to be replaced.
        let is_untouched = self.status == answer.status() && head.values(Header::ContentType).next().is_none();
        if is_untouched { self.body(head, answer.status()) } else { None }
    }

    fn body(&self, head: &mut impl ResponseHead, status: u16) -> Option<Bytes> {
        let (content_type, body) = self.exchange.services.failure_bodies.as_ref()?.make(status).into_parts();
        head.retain(|name, _| !headers::describes_body(name));
        head.insert(Header::ContentType, content_type.into());
        Some(body)
    }

    fn set_cookies(self, head: &mut impl ResponseHead) {
        if self.set_cookies.is_empty() {
            return;
        }
        // A shared cache must not hand one visitor's cookie to another (CVE-2023-30861). A directive of the application
        // that is as strict is kept.
        if !headers::is_private(head.values(Header::CacheControl)) {
            head.insert(Header::CacheControl, "no-store".into());
        }
        if head.values(Header::SetCookie).any(|line| self.set_cookies.replace(line)) {
            head.retain(|name, line| name != Header::SetCookie.name() || !self.set_cookies.replace(line));
        }
        for line in self.set_cookies {
            head.append(Header::SetCookie, line);
        }
    }
}

impl fmt::Debug for RequestEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestEnd").field("failure", &self.failure).finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) fn size_of_a_save(exchange: Arc<Exchange>) -> usize {
    size_of_val(&save(exchange, 200, Timestamp::from_unix_millis(0)))
}
