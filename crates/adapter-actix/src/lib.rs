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
//! Take [`ExistingSession`] to learn whether the visitor has a session without beginning one; `Option<Session>` is
//! actix's own, and takes an outage of the store for "none".
//!
//! The manager holds no worker's state: make it once, outside of the factory, and clone it in.
//!
//! # Two sessions in one application
//!
//! A middleware can have a marker type, and so can the extractor: with `struct Admin;`,
//! `SessionMiddleware::<Admin>::marked` serves `Session<Admin>`, next to or around the middleware that serves `Session`.
//! Give the two managers different cookie names, and build one [beside](SessionManagerBuilder::beside) the other.
//!
//! # Scope
//!
//! Everything about sessions is decided in `nexios-middleware-core`, whose types this crate brings along; here is what
//! actix needs to hear of it.

mod error;
mod extract;
mod future;
mod middleware;
mod signed_cookies;

pub use crate::error::SessionError;
pub use crate::extract::{ExistingSession, Main, Session};
pub use crate::future::ResponseFuture;
pub use crate::middleware::{SessionMiddleware, SessionService};
pub use crate::signed_cookies::{SignedCookieError, SignedCookies};
pub use nexios_middleware_core::{
    AtLimit, Clock, Counters, Entry, OnOutage, SessionErrorKind, SessionHandle, SessionHandleError, SessionManager,
    SessionManagerBuilder, SessionSettings, SignedCookieErrorKind, SweepCounts, Sweeper, Timestamp, UserSession,
};
