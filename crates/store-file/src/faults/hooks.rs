use std::fs::File;
use std::io;

use super::disk::{self, Event, number, path};
use super::{Armed, NEXT_TEMP, check, portion};
use crate::sys::Hooks;

/// Makes calls fail, and records them for [`Disk`](disk::Disk), the model of a power cut.
impl Hooks for Armed {
    fn during<T>(&self, work: impl FnOnce() -> T) -> T {
        self.strike(work)
    }

    fn before(purpose: &'static str) -> io::Result<()> {
        check(purpose)
    }

    fn portion(bytes: &[u8]) -> &[u8] {
        portion(bytes)
    }

    /// Gives a temporary file the name at which a test has planted something.
    fn drawn(bytes: &mut [u8]) {
        if let Ok(bytes) = <&mut [u8; 16]>::try_from(bytes)
            && let Some(known) = NEXT_TEMP.take()
        {
            *bytes = known;
        }
    }

    fn created(at: &[u8], file: &File) {
        disk::record(|| Event::Create(path(at), number(file)));
    }

    fn made_directory(at: &[u8]) {
        disk::record(|| Event::MakeDirectory(path(at)));
    }

    fn renamed(from: &[u8], to: &[u8]) {
        disk::record(|| Event::Rename(path(from), path(to)));
    }

    fn removed(at: &[u8]) {
        disk::record(|| Event::Remove(path(at)));
    }

    fn synced_directory(at: &[u8]) {
        disk::record(|| Event::SyncDirectory(path(at)));
    }

    fn written(file: &File, bytes: &[u8], offset: u64) {
        disk::record(|| Event::Write(number(file), position(offset), bytes.to_vec()));
    }

    fn resized(file: &File, len: u64) {
        disk::record(|| Event::SetLen(number(file), position(len)));
    }

    fn synced(file: &File) {
        disk::record(|| Event::SyncFile(number(file)));
    }
}

fn position(offset: u64) -> usize {
    usize::try_from(offset).expect("files of tests fit into memory")
}
