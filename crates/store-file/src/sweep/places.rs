//! The directories that are swept, and the names in them.

use std::cmp::Reverse;

use nexios_store_core::{PrincipalTag, SessionId};
use rustix::fs::DirEntry;

use super::report;
use crate::directory::Directory;
use crate::name::{self, MarkerName, TempName};
use crate::sys::{self, Names};

/// A directory that is swept.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// The records whose ids begin with this byte.
    FanOut(u8),
    /// The markers whose tags begin with this byte.
    Markers(u8),
}

impl Place {
    /// Returns the place of a number, from 0. The markers come after the records, because they depend on them.
    pub(super) fn of_number(number: u16) -> Option<Self> {
        let [kind, first_byte] = number.to_be_bytes();
        match kind {
            0 => Some(Self::FanOut(first_byte)),
            1 => Some(Self::Markers(first_byte)),
            _ => None,
        }
    }

    pub(super) fn read(self, directory: &Directory) -> sys::Result<Option<Names>> {
        match self {
            Self::FanOut(first_byte) => directory.read_directory(&name::fan_out_path(first_byte)),
            Self::Markers(first_byte) => directory.read_directory(&MarkerName::shard_of(first_byte)),
        }
    }
}

/// A name in one of these directories.
pub(super) enum Entry {
    Record(SessionId),
    Temp(u8, TempName),
    Marker(PrincipalTag, SessionId),
    Foreign,
}

/// Reads some names of a directory. Returns whether there were any.
///
/// The names are sorted by their inodes, so the sweep looks at the files in that order. The system returns names in an
/// order that has nothing to do with the place of the files. If the files are not in memory, the disk then reads what
/// lies together.
pub(super) fn read_portion(place: Place, names: &mut Names, portion: &mut Vec<(u64, Entry)>) -> bool {
    let is_itself_or_parent = |entry: &DirEntry| matches!(entry.file_name().to_bytes(), b"." | b"..");
    let others = names.filter(|entry| !entry.as_ref().is_ok_and(is_itself_or_parent));
    for entry in others.take(NAMES_PER_PORTION) {
        match entry {
            Ok(entry) => portion.push((entry.ino(), Entry::of(place, entry.file_name().to_bytes()))),
            Err(error) => {
                report(&error);
                break;
            }
        }
    }
    portion.sort_unstable_by_key(|(inode, _)| Reverse(*inode));
    !portion.is_empty()
}

impl Entry {
    fn of(place: Place, name: &[u8]) -> Self {
        let fan_out = match place {
            Place::FanOut(first_byte) => first_byte,
            Place::Markers(first_byte) => {
                return MarkerName::parse(first_byte, name).map_or(Self::Foreign, |(tag, id)| Self::Marker(tag, id));
            }
        };
        if let Some(id) = name::parse_record(fan_out, name) {
            Self::Record(id)
        } else if let Some(name) = TempName::parse(fan_out, name) {
            Self::Temp(fan_out, name)
        } else {
            Self::Foreign
        }
    }
}

/// The size of a directory in a store of a million sessions.
const NAMES_PER_PORTION: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;
    use std::fs::{self, File};

    #[test]
    fn a_directory_is_read_in_portions_that_are_sorted_by_inode() {
        let parent = tempfile::tempdir().unwrap();
        let dir = parent.path().join("sessions");
        let directory = crate::root::open(&dir).unwrap();
        fs::create_dir(dir.join("aa")).unwrap();
        for number in 0..NAMES_PER_PORTION + 10 {
            File::create_new(dir.join(format!("aa/aa{number:030x}"))).unwrap();
        }
        let place = Place::FanOut(0xaa);
        let mut names = place.read(&directory).unwrap().unwrap();
        let mut ids = HashSet::new();
        // "." and ".." are not among them.
        for len in [NAMES_PER_PORTION, 10] {
            let mut portion = Vec::new();
            assert!(read_portion(place, &mut names, &mut portion));
            assert_eq!(portion.len(), len);
            let mut last_seen = 0;
            while let Some((inode, entry)) = portion.pop() {
                assert!(inode >= last_seen, "inode {inode} after {last_seen}");
                last_seen = inode;
                ids.extend(if let Entry::Record(id) = entry { Some(id) } else { None });
            }
        }
        assert!(!read_portion(place, &mut names, &mut Vec::new()));
        assert_eq!(ids.len(), NAMES_PER_PORTION + 10);
    }
}
