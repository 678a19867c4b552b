//! A child process inherits no open file of ours, whenever it is started.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use rustix::fs::OFlags;

use super::meanwhile;
use super::scenario::{Operation, start};
use crate::Durability;

/// Returns the open files below a directory, and whether each is closed when a program is executed.
fn open_below(dir: &Path) -> Vec<(PathBuf, bool)> {
    let mut open = Vec::new();
    for entry in fs::read_dir("/proc/self/fd").unwrap().map(Result::unwrap) {
        // Other tests open and close files all the time.
        let Ok(path) = fs::read_link(entry.path()) else { continue };
        if !path.starts_with(dir) {
            continue;
        }
        let info = fs::read_to_string(Path::new("/proc/self/fdinfo").join(entry.file_name())).unwrap();
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap();
        let flags = u32::from_str_radix(flags.trim(), 8).unwrap();
        open.push((path, flags & OFlags::CLOEXEC.bits() != 0));
    }
    open
}

#[test]
fn every_file_that_any_operation_opens_is_closed_on_exec() {
    let mut most = 0;
    // A sweep makes hundreds of calls, and opens directories in the same way as the other operations.
    for operation in Operation::ALL.into_iter().filter(|operation| *operation != Operation::Sweep) {
        for call in 0..100 {
            let (dir, records, revision) = start(Durability::Synced);
            let (found, path) = (Rc::new(RefCell::new(Vec::new())), dir.path().to_owned());
            let open = Rc::clone(&found);
            let (_, acted) =
                meanwhile(call, move || *open.borrow_mut() = open_below(&path), || operation.run(&records, revision));
            if !acted {
                break;
            }
            let open = found.borrow();
            assert!(open.len() >= LOCKS_AND_ROOT, "{operation:?}, call {call}: only {} open files", open.len());
            most = most.max(open.len());
            for (path, is_closed) in open.iter() {
                assert!(is_closed, "{operation:?}, call {call}: a child would inherit {}", path.display());
            }
        }
    }
    assert!(most > LOCKS_AND_ROOT, "no record was seen open");
}

const LOCKS_AND_ROOT: usize = 81 + 1;
