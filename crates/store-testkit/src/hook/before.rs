//! A hook from a function.

use std::fmt;

use nexios_store_core::{Result, async_trait};

use super::{Call, Hook};

/// Makes a [`Hook`] of a function that runs before each call.
///
/// An error of the function becomes the answer of the call.
///
/// ```
/// # use nexios_store_testkit::broken::Model as MyStore;
/// use nexios_store_core::StoreError;
/// use nexios_store_testkit::hook::{CallKind, Hooked, before};
///
/// let read_only = before(|call| match call.kind() {
///     CallKind::Load | CallKind::SessionsOf => Ok(()),
///     _ => Err(StoreError::backend("read-only replica")),
/// });
/// let store = Hooked::new(MyStore::default(), read_only);
/// # let _ = store;
/// ```
pub const fn before<F>(function: F) -> Before<F>
where
    F: Fn(&Call<'_>) -> Result<()> + Send + Sync + 'static,
{
    Before(function)
}

/// A function that runs before each call, made by [`before`].
#[derive(Clone, Copy)]
pub struct Before<F>(F);

#[async_trait]
impl<F> Hook for Before<F>
where
    F: Fn(&Call<'_>) -> Result<()> + Send + Sync + 'static,
{
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        (self.0)(call)
    }
}

impl<F> fmt::Debug for Before<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Before(..)")
    }
}
