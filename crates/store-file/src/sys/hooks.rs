use std::fs::File;
use std::io;

/// What stands around the system calls.
///
/// Each method does nothing, unless the hooks of the tests say otherwise. [`NoHooks`], which every other build has,
/// keeps all methods as they are here, so they compile to nothing.
pub(crate) trait Hooks {
    /// Does the work of one operation of a store, on the thread that works.
    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        work()
    }

    /// Comes before each attempt at a system call. An error takes the place of the call.
    fn before(_purpose: &'static str) -> io::Result<()> {
        Ok(())
    }

    /// Returns the part of `bytes` that the next write gets.
    fn portion(bytes: &[u8]) -> &[u8] {
        bytes
    }

    /// Comes after random bytes were drawn, and may put others in their place.
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

/// The hooks of every build but that of the tests.
#[cfg(not(test))]
#[derive(Default)]
pub(crate) struct NoHooks;

#[cfg(not(test))]
impl Hooks for NoHooks {}
