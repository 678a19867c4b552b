//! Sessions for axum, and for every other tower service over `http` 1.x.
//!
//! A [`SessionLayer`] around the router, a [`Session`] among a handler's arguments:
//!
//! ```no_run
//! use axum::{Router, routing::get};
//! use nexios_adapter_axum::{Session, SessionError, SessionLayer, SessionManager};
//! use nexios_store_file::FileStore;
//!
//! async fn hits(session: Session) -> Result<String, SessionError> {
//!     let hits: u64 = session.get_or("hits", 0)? + 1;
//!     session.insert("hits", &hits)?;
//!     Ok(format!("You have been here {hits} times.\n"))
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let manager = SessionManager::from_env(FileStore::from_env()?)?; // needs SECRET_KEY
//!     let _sweeper = manager.spawn_sweeper();
//!     let app = Router::new().route("/", get(hits)).layer(SessionLayer::new(manager));
//!     let listener = tokio::net::TcpListener::bind("127.0.0.1:3000").await?;
//!     Ok(axum::serve(listener, app).await?)
//! }
//! ```
//!
//! The session is loaded when a handler (or another extractor) asks for it; a route that never does costs neither a
//! store call nor a signature check. It is saved after the handler has returned, unless the status is 500 or above.
//! Take `Option<Session>` to learn whether the visitor has a session without beginning one.
//!
//! # Two sessions in one application
//!
//! A layer can have a marker type, and so can the extractor: with `struct Admin;`, `SessionLayer::<Admin>::marked`
//! serves `Session<Admin>`, next to or around the layer that serves `Session`. Give the two managers different cookie
//! names, and build one [beside](SessionManagerBuilder::beside) the other.
//!
//! # Without axum
//!
//! The layer wraps any [`tower_service::Service`] from `http::Request` to `http::Response` whose body has a `Default`.
//! There, [`Session::from_extensions`] does what the extractor does.
//!
//! # Scope
//!
//! Everything about sessions is decided in `nexios-middleware-core`, whose types this crate brings along; here is what
//! axum needs to hear of it.

mod error;
mod extract;
mod future;
mod layer;
mod signed_cookies;

pub use crate::error::SessionError;
pub use crate::extract::{Main, Session};
pub use crate::future::ResponseFuture;
pub use crate::layer::{SessionLayer, SessionService};
pub use crate::signed_cookies::{SignedCookieError, SignedCookies};
pub use nexios_middleware_core::{
    AtLimit, Clock, Counters, Entry, OnOutage, SessionErrorKind, SessionHandle, SessionHandleError, SessionManager,
    SessionManagerBuilder, SessionSettings, SignedCookieErrorKind, SweepCounts, Sweeper, Timestamp, UserSession,
};
