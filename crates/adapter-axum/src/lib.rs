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
//! A layer can have a name, and so can the extractor: with `enum Admin {}`, the layer
//! [`SessionLayer::<Admin>::named`](SessionLayer::named) serves `Session<Admin>`, next to or around the layer that
//! serves `Session`. Give the two managers different cookie names, and tell the second that it is of the
//! [same application](SessionManagerBuilder::same_application) as the first.
//!
//! # Errors
//!
//! [`SessionError`] is the error of every call, and a response: 503 if another try may succeed, as in an outage of the
//! store, 409 if the session was ended meanwhile or would be one too many, otherwise 500. So `?` works in a handler
//! that returns it, or an error of your own with a variant for it. Such answers are empty unless the manager has a
//! [body for them](SessionManagerBuilder::failure_body).
//!
//! # Without axum
//!
//! The layer wraps any [`tower_service::Service`] from `http::Request` to `http::Response` whose body is a
//! [`ResponseBody`]: an `http_body::Body` of `Bytes`. The body that comes out is axum's, which is one too, so that
//! other layers fit around it and inside of it. There, [`Session::from_extensions`] does what the extractor does.
//!
//! # Scope
//!
//! Everything about sessions is decided in `nexios-middleware-core`, whose types this crate brings along; here is what
//! axum needs to hear of it.

mod body;
mod extract;
mod future;
mod head;
mod layer;
mod signed_cookies;

pub use crate::body::ResponseBody;
pub use crate::extract::{Session, Unnamed};
pub use crate::future::ResponseFuture;
pub use crate::layer::{SessionLayer, SessionService};
pub use crate::signed_cookies::SignedCookies;
pub use nexios_middleware_core::{
    AtLimit, Clock, Counters, Entry, Event, FailureBody, Fingerprint, ManualClock, Observer, Occurrence, OnOutage,
    PrincipalTag, SessionError, SessionErrorKind, SessionHandle, SessionHandleError, SessionManager,
    SessionManagerBuilder, SessionSettings, SignedCookieError, SignedCookieErrorKind, SweepCounts, Sweeper,
    SystemClock, Timestamp, UserSession,
};
