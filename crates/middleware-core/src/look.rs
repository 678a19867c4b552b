//! The room of further looks at a session that a request has loaded: on request, and to wait for its end.
//!
//! Invariant: a look writes nothing, and is no use of the session, so it does not move the expiry.

pub(crate) mod ended;
pub(crate) mod reload;

use nexios_store_core::SessionId;

use crate::records::{self, Opened};
use crate::services::{NoAnswer, Services};

/// Reads the record that the store has under an id; `None` if it has none.
async fn look(services: &Services, id: SessionId) -> Result<Option<Opened>, NoAnswer> {
    let now = services.now();
    let stored = services.in_time(services.store.load(&id, now)).await?;
    Ok(stored.map(|stored| records::open(services, id, &stored, now)))
}
