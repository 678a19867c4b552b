//! Stores that keep each session in a file, and do the same work.

mod bare;
mod nexios;
#[cfg(feature = "peers")]
mod tower_sessions;

use std::path::Path;

pub use self::bare::Bare;
pub use self::nexios::Nexios;
#[cfg(feature = "peers")]
pub use self::tower_sessions::{TowerFileStore, TowerFsStore};

/// A store of sessions of five values, which take 1,009 bytes as JSON.
///
/// Each store decodes all five values when it loads, and encodes all five when it saves.
#[expect(async_fn_in_trait, reason = "one thread measures one store after the other")]
pub trait SessionFiles {
    /// The name in the tables.
    const NAME: &'static str;

    /// Creates a further session, which the next sweep finds expired if `expires` is set.
    async fn create(&mut self, expires: bool);

    /// Loads the session that was created as the `index`th and returns its number.
    async fn load(&self, index: usize) -> u64;

    /// Loads a session, adds one to its number, and saves it.
    async fn change(&self, index: usize);
}

/// A store that can remove expired sessions.
#[expect(async_fn_in_trait, reason = "one thread measures one store after the other")]
pub trait Sweep: SessionFiles {
    /// Looks at all sessions once, and returns whether another look may find more to remove.
    async fn sweep(&self) -> bool;
}

/// Counts the files in a directory and in all directories inside it.
pub fn count_files(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}
