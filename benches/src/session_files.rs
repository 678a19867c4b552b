//! Stores that keep each session in a file, doing the same work.

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
/// Each decodes what it loads, all five of them, and encodes what it saves.
#[expect(async_fn_in_trait, reason = "one thread measures one store after the other")]
pub trait SessionFiles {
    /// The name in the tables.
    const NAME: &'static str;

    /// A further session, which expires if `expires`.
    async fn create(&mut self, expires: bool);

    /// One number of the session that was created as the `index`th.
    async fn load(&self, index: usize) -> u64;

    /// Loads it, makes the number one more, and saves it.
    async fn change(&self, index: usize);
}

/// A store that can remove the sessions that have expired.
#[expect(async_fn_in_trait, reason = "one thread measures one store after the other")]
pub trait Sweep: SessionFiles {
    /// Looks at all of them once, and says whether another look may find more to remove.
    async fn sweep(&self) -> bool;
}

/// How many files there are in the directory and in those in it.
pub fn count_files(dir: &Path) -> usize {
    let entries = std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { count_files(&path) } else { 1 }).sum()
}
