use std::fs::File;
use std::io;

/// Functions that run around the system calls.
///
/// Here each of them does nothing. The tests of this crate replace them. Every other build has [`NoHooks`], which keeps
/// them as they are, so they compile to nothing.
pub(crate) trait Hooks {
    /// Does the work of one operation of a store, on the thread that does it.
    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    /// Runs before each attempt to make a system call. An error replaces the call.
    fn before(_purpose: &'static str) -> io::Result<()> {
        Ok(())
    }

    /// Returns the part of `bytes` that the next write gets.
    fn portion(bytes: &[u8]) -> &[u8] {
        bytes
    }

    /// Runs after random bytes were drawn, and may replace them.
    fn drawn(_bytes: &mut [u8]) {}

    fn created(_path: &[u8], _file: &File) {}

    fn made_directory(_path: &[u8]) {}

    fn renamed(_from: &[u8], _to: &[u8]) {}

    fn removed(_path: &[u8]) {}

    fn synced_directory(_path: &[u8]) {}

    fn written(_file: &File, _bytes: &[u8], _offset: u64) {}

    fn resized(_file: &File, _len: u64) {}

    fn synced(_file: &File) {}
}

/// The hooks of every build except the tests.
#[cfg(not(test))]
#[derive(Default)]
pub(crate) struct NoHooks;

#[cfg(not(test))]
impl Hooks for NoHooks {}
