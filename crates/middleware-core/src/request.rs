//! The room of a request: from its `Cookie` headers to its session, and from its end to the headers of the response.
//!
//! Invariant: no session cookie is verified and no store is asked before somebody asks for the session.

pub(crate) mod end;
mod find;
pub(crate) mod head;
mod headers;

use std::fmt;
use std::sync::Arc;

use crate::error::SessionError;
use crate::request::end::Ending;
use crate::services::Services;
use crate::session::Session;
use crate::signed_cookies::SignedCookies;
use crate::state::exchange::{CookieHeader, Exchange};

/// One request's way to its session. For adapters.
///
/// An adapter makes one from the `Cookie` headers of each request. It costs next to nothing until somebody asks for the
/// [session](Self::session): until then no cookie is verified and no store is asked. Once the application has answered,
/// the adapter lets it [end](Self::end), and applies the result to the response.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::{PlainHead, RequestSession, SessionError, SessionManager};
///
/// /// Serves a request as an adapter does.
/// async fn serve(manager: &SessionManager, cookie_headers: &[&[u8]]) -> Result<(PlainHead, Vec<u8>), SessionError> {
///     let request = manager.request(cookie_headers);
///     let (mut head, body) = application(&request).await?;
///     let end = request.end(head.status).await;
///     let replacement = end.apply(&mut head);
///     Ok((head, replacement.map_or(body, |body| body.to_vec())))
/// }
///
/// async fn application(request: &RequestSession) -> Result<(PlainHead, Vec<u8>), SessionError> {
///     request.session().await?.insert("seen", &true)?;
///     Ok((PlainHead::new(200), b"Hello!".to_vec()))
/// }
/// ```
#[derive(Clone)]
pub struct RequestSession(Arc<Exchange>);

impl RequestSession {
    pub(crate) fn new<H: AsRef<[u8]>>(services: Arc<Services>, cookie_headers: impl IntoIterator<Item = H>) -> Self {
        // HTTP/2 may split the header. Joined like this, it means the same (RFC 9113, 8.2.3).
        let mut headers = cookie_headers.into_iter();
        let mut joined =
            headers.next().map_or_else(CookieHeader::new, |header| CookieHeader::from_slice(header.as_ref()));
        for header in headers {
            joined.extend_from_slice(b"; ");
            joined.extend_from_slice(header.as_ref());
        }
        Self(Arc::new(Exchange::new(services, joined)))
    }

    /// Returns the visitor's session, or an empty one if there is none. It is loaded once, however often you ask for
    /// it.
    ///
    /// # Errors
    ///
    /// Fails if the store cannot answer, unless the manager was told
    /// [otherwise](crate::SessionManagerBuilder::on_outage), and if the session has a newer format. You can ask again.
    ///
    /// # Panics
    ///
    /// Panics outside of a Tokio runtime with time enabled, because all calls of the store have a time limit.
    pub async fn session(&self) -> Result<Session, SessionError> {
        self.0.look_at();
        find::load(&self.0).await?;
        Ok(Session(Arc::clone(&self.0)))
    }

    /// Returns the visitor's session, if the store has one.
    ///
    /// # Errors
    ///
    /// Fails as [`session`](Self::session) does: if the store cannot answer, that does not mean that there is no
    /// session.
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

    /// Returns the visitor's signed cookies. They need no store.
    pub fn signed_cookies(&self) -> SignedCookies {
        self.0.signed_cookies()
    }

    /// Saves what the application has left to save, and returns what the response needs.
    ///
    /// `status` is the status of the application's answer. If it is 408, or 500 or above, changes since the last
    /// [`save`](Session::save) are dropped, unless the manager was told
    /// [otherwise](crate::SessionManagerBuilder::commit_on_server_error). A session that was destroyed stays destroyed.
    pub fn end(&self, status: u16) -> Ending {
        Ending::new(Arc::clone(&self.0), status)
    }
}

impl fmt::Debug for RequestSession {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestSession").field("loaded", &self.0.is_loaded()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use nexios_signer::{Key, KeyRing};
    use nexios_store_memory::MemoryStore;

    use super::*;
    use crate::SessionManager;

    /// Frameworks box these futures, and the allocators of glibc and others have a fast path only for blocks of up to 1
    /// KiB.
    #[test]
    fn the_futures_of_a_request_are_small() {
        let keys = KeyRing::new(Key::generate().unwrap());
        let manager = SessionManager::builder(MemoryStore::new()).keys(keys).build().unwrap();
        let request = manager.request([b"theme=dark"]);
        let session = request.session();
        let save = end::size_of_a_save(Arc::clone(&request.0));
        for (size, limit) in [(size_of_val(&session), 512), (size_of_val(&request.end(200)), 64), (save, 960)] {
            assert!(size <= limit, "{size}");
        }
    }
}
