//! The life of a session within a request, without a framework.
//!
//! This is the core of the session crates. It finds the session that a request's cookie opens and hands it to the
//! handler as a value. When the handler is done, it decides what to save, merges the changes of parallel requests, and
//! says which cookie the visitor gets. An adapter translates between this crate and a framework. No HTTP type is
//! involved: the crate takes `&[u8]` and returns strings.
//!
//! Applications depend on an adapter, which re-exports the types of this crate. Depend on this crate directly to write
//! an adapter.
//!
//! # Examples
//!
//! A request from beginning to end, as an adapter sees it:
//!
//! ```
//! use nexios_middleware_core::{Header, PlainHead, SessionManager};
//! use nexios_signer::{Key, KeyRing};
//! use nexios_store_memory::MemoryStore;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let manager = SessionManager::builder(MemoryStore::new()).keys(KeyRing::new(Key::generate()?)).build()?;
//!
//! // The request comes without a cookie; its handler asks for the session and changes it.
//! let request = manager.request([b"theme=dark"]);
//! let session = request.session().await?;
//! session.insert("visits", &1)?;
//!
//! // The handler has answered: the session is saved, and the visitor gets a cookie.
//! let mut head = PlainHead::new(200);
//! let body = request.end(head.status).await.apply(&mut head);
//! assert!(body.is_none(), "the handler's answer stands");
//! assert!(head.value(Header::SetCookie).is_some_and(|line| line.starts_with("sessionid=")));
//! assert_eq!(head.value(Header::Vary), Some("Cookie"));
//! # Ok(())
//! # }
//! ```
//!
//! # Scope
//!
//! All policy about sessions is here, and only here. A store decides where records are kept (`nexios-store-core`),
//! `nexios-cookie-config` what a cookie may look like, and `nexios-signer` what a signature is worth. The values of a
//! session are stored as they are. For secrecy on disk, wrap the store (`nexios-store-encrypted`).
//!
//! # Features
//!
//! | feature | what it adds |
//! | --- | --- |
//! | `axum` | `IntoResponse` for [`SessionError`] and [`SignedCookieError`] |
//! | `actix` | `ResponseError` for both |
//!
//! The adapters switch them on. Without them, there is no `http` in the dependencies.

mod answer;
mod client_side;
mod commit;
mod error;
mod events;
mod format;
mod look;
mod manager;
mod records;
mod request;
mod services;
mod session;
mod signed_cookies;
mod state;
mod users;

pub use crate::answer::ErrorAnswer;
pub use crate::error::{Revocation, SessionError, SessionErrorKind};
pub use crate::events::counters::Counters;
pub use crate::events::fingerprint::Fingerprint;
pub use crate::events::observer::Observer;
pub use crate::events::{Event, Occurrence};
pub use crate::format::handle::{SessionHandle, SessionHandleError};
pub use crate::manager::SessionManager;
pub use crate::manager::builder::SessionManagerBuilder;
pub use crate::manager::sweeper::{SweepCounts, Sweeper};
pub use crate::request::RequestSession;
pub use crate::request::end::{Ending, RequestEnd};
pub use crate::request::head::{Header, PlainHead, ResponseHead};
pub use crate::services::clock::{Clock, ManualClock, SystemClock};
pub use crate::services::failure_body::FailureBody;
pub use crate::services::policies::{AtLimit, OnOutage};
pub use crate::services::settings::SessionSettings;
pub use crate::session::Session;
pub use crate::session::entry::Entry;
pub use crate::signed_cookies::SignedCookies;
pub use crate::signed_cookies::error::{SignedCookieError, SignedCookieErrorKind};
pub use crate::users::UserSession;
pub use nexios_store_core::{PrincipalTag, Timestamp};
