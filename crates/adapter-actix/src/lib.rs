//! Sessions for actix-web.
//!
//! A [`SessionMiddleware`] around the application, a [`Session`] among a handler's arguments:
//!
//! ```no_run
//! use actix_web::{App, HttpServer, get};
//! use nexios_adapter_actix::{Session, SessionError, SessionManager, SessionMiddleware};
//! use nexios_store_file::FileStore;
//!
//! #[get("/")]
//! async fn hits(session: Session) -> Result<String, SessionError> {
//!     let hits: u64 = session.get_or("hits", 0)? + 1;
//!     session.insert("hits", &hits)?;
//!     Ok(format!("You have been here {hits} times.\n"))
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let manager = SessionManager::from_env(FileStore::from_env()?)?; // needs SECRET_KEY
//!     let _sweeper = manager.spawn_sweeper();
//!     let app = move || App::new().wrap(SessionMiddleware::new(manager.clone())).service(hits);
//!     Ok(HttpServer::new(app).bind("127.0.0.1:3000")?.run().await?)
//! }
//! ```
//!
//! The session is loaded when a handler (or another extractor) asks for it; a route that never does costs neither a
//! store call nor a signature check. It is saved after the handler has returned, unless the status is 500 or above.
//! Take [`ExistingSession`] to learn whether the visitor has a session without beginning one. `Option<Session>` is
//! actix's own and means something else, so it is [refused](Session#errors).
//!
//! The manager holds no worker's state: make it once, outside of the factory, and clone it in.
//!
//! # Two sessions in one application
//!
//! A middleware can have a name, and so can the extractor: with `enum Admin {}`, the middleware
//! [`SessionMiddleware::<Admin>::named`](SessionMiddleware::named) serves `Session<Admin>`, next to or around the one
//! that serves `Session`. Give the two managers different cookie names, and tell the second that it is of the
//! [same application](SessionManagerBuilder::same_application) as the first.
//!
//! # Errors
//!
//! [`SessionError`] is the error of every call, and a response: 503 if another try may succeed, as in an outage of the
//! store, 409 if the session was ended meanwhile or would be one too many, otherwise 500. So `?` works in a handler
//! that returns it, [`actix_web::Error`], or an error of your own with a variant for it. Such answers are empty unless
//! the manager has a [body for them](SessionManagerBuilder::failure_body).
//!
//! # Scope
//!
//! Everything about sessions is decided in `nexios-middleware-core`, whose types this crate brings along; here is what
//! actix needs to hear of it.

mod extract;
mod future;
mod head;
mod middleware;
mod option;
mod signed_cookies;

pub use crate::extract::{ExistingSession, Session, Unnamed};
pub use crate::future::ResponseFuture;
pub use crate::middleware::{SessionMiddleware, SessionService};
pub use crate::signed_cookies::SignedCookies;
pub use nexios_middleware_core::{
    AtLimit, Clock, Counters, Entry, Event, FailureBody, Fingerprint, ManualClock, Observer, Occurrence, OnOutage,
    PrincipalTag, SessionError, SessionErrorKind, SessionHandle, SessionHandleError, SessionManager,
    SessionManagerBuilder, SessionSettings, SignedCookieError, SignedCookieErrorKind, SweepCounts, Sweeper,
    SystemClock, Timestamp, UserSession,
};
