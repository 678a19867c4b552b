//! A hook that counts the calls of a store.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use nexios_store_core::{Result, async_trait};
use nexios_store_testkit::hook::{Call, CallKind, Hook};

/// The number of calls of each operation of a store.
#[derive(Clone, Debug, Default)]
pub struct Calls(Arc<Mutex<BTreeMap<CallKind, usize>>>);

impl Calls {
    /// Takes the calls since the last time, and returns those of one of `requests` requests: `load 1, update 1` or the
    /// like, `-` for none.
    ///
    /// # Panics
    ///
    /// Panics if the requests did not all make the same calls.
    pub fn take(&self, requests: usize) -> String {
        let calls = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let each = calls.iter().map(|(call, count)| {
            assert_eq!(count % requests, 0, "each request makes the same calls: {calls:?}");
            format!("{call} {}", count / requests)
        });
        let text = each.collect::<Vec<_>>().join(", ");
        if text.is_empty() { "-".to_owned() } else { text }
    }
}

#[async_trait]
impl Hook for Calls {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner).entry(call.kind()).or_default() += 1;
        Ok(())
    }
}
