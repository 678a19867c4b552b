use std::sync::{PoisonError, RwLock};

/// The names of the session cookies of one application. Each belongs to one manager alone.
#[derive(Debug, Default)]
pub(crate) struct CookieNames(RwLock<Vec<Box<str>>>);

impl CookieNames {
    /// Takes a name for a manager, and returns whether it was free.
    pub(crate) fn take(&self, name: &str) -> bool {
        let mut names = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let free = !contains(&names, name);
        if free {
            names.push(name.into());
        }
        free
    }

    pub(crate) fn is_taken(&self, name: &str) -> bool {
        contains(&self.0.read().unwrap_or_else(PoisonError::into_inner), name)
    }
}

/// Ignores letter case, as browsers do in prefixes: two names that differ in nothing else are an error that should be
/// seen.
fn contains(names: &[Box<str>], name: &str) -> bool {
    names.iter().any(|taken| taken.eq_ignore_ascii_case(name))
}
