//! The quarantine, which keeps corrupt records for the operator.

use std::str;

use nexios_store_core::{SessionId, Timestamp};

use crate::directory::{Access, Directory};
use crate::error::Failure;
use crate::name::RecordName;
use crate::record_file::Found;
use crate::records::Records;

/// Moves a record to `.corrupt/<id>`, if it is still damaged. What cannot be used for now is an error, and stays.
pub(crate) fn set_aside(records: &Records, id: &SessionId) -> Result<(), Failure> {
    let directory = &records.directory;
    let record = RecordName::of(id);
    let _lock = records.locks.record(id)?;
    match Found::locked(directory, id, Access::Read)? {
        Found::Damaged => {}
        Found::Absent(_) | Found::Record(..) | Found::Unsupported => return Ok(()),
        Found::Foreign => return Err(Failure::Foreign),
    }
    let Some(status) = directory.status_at(record.path())? else { return Ok(()) };
    directory.make_directory(QUARANTINE)?;
    make_room(directory, status.allocated)?;
    let place = free_place(directory, &record)?;
    let tag = records.tag_of(id)?;
    directory.rename(record.path(), &place)?;
    if let Some(tag) = &tag {
        records.unmark(tag, id);
    }
    Ok(())
}

/// Removes the oldest files until there is room for a file of `allocated` bytes.
///
/// A file that is larger than the whole quarantine gets all of it.
fn make_room(directory: &Directory, allocated: u64) -> Result<(), Failure> {
    let mut kept = list(directory)?;
    kept.sort_by(|one, other| (one.modified, &one.path).cmp(&(other.modified, &other.path)));
    let mut count = kept.len();
    let mut bytes = kept.iter().fold(allocated, |sum, file| sum.saturating_add(file.allocated));
    for oldest in kept {
        if count < MAX_FILES && bytes <= MAX_BYTES {
            break;
        }
        // Another process that makes room may have removed it already.
        let _ = directory.remove(&oldest.path);
        count -= 1;
        bytes = bytes.saturating_sub(oldest.allocated);
    }
    Ok(())
}

struct Kept {
    path: Vec<u8>,
    modified: Timestamp,
    allocated: u64,
}

/// Returns the files that the store has put into quarantine. Other files there are neither counted nor removed.
fn list(directory: &Directory) -> Result<Vec<Kept>, Failure> {
    let mut kept = Vec::new();
    let Some(names) = directory.read_directory(QUARANTINE)? else { return Ok(kept) };
    for entry in names {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if !is_place(name) {
            continue;
        }
        let path = [QUARANTINE, b"/", name].concat();
        if let Some(status) = directory.status_at(&path)?
            && status.is_own_file
            && status.has_one_name
        {
            kept.push(Kept { path, modified: status.modified, allocated: status.allocated });
        }
    }
    Ok(kept)
}

/// Returns `.corrupt/<id>`, or the first free one of `.corrupt/<id>-1` and so on. It stays free, because only the
/// holder of our lock could take it.
fn free_place(directory: &Directory, record: &RecordName) -> Result<Vec<u8>, Failure> {
    let first = [QUARANTINE, b"/", record.file()].concat();
    let mut place = first.clone();
    let mut number = 0_u32;
    while directory.status_at(&place)?.is_some() {
        number += 1;
        place = [&first[..], format!("-{number}").as_bytes()].concat();
    }
    Ok(place)
}

/// Returns whether [`free_place`] gives such a name.
fn is_place(name: &[u8]) -> bool {
    let Some((id, suffix)) = name.split_at_checked(SessionId::HEX_LEN) else { return false };
    let number = suffix.strip_prefix(b"-").and_then(|number| str::from_utf8(number).ok());
    SessionId::parse(id).is_ok() && (suffix.is_empty() || number.is_some_and(|number| number.parse::<u32>().is_ok()))
}

const QUARANTINE: &[u8] = b".corrupt";
const MAX_FILES: usize = 100;
const MAX_BYTES: u64 = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_an_id_or_a_numbered_one() {
        let id = "00ff1234567890abcdef00112233aa55";
        for (name, expected) in [
            (id.to_owned(), true),
            (format!("{id}-1"), true),
            (format!("{id}-42"), true),
            (format!("{id}-"), false),
            (format!("{id}-x"), false),
            (format!("{id}.txt"), false),
            (id[1..].to_owned(), false),
            ("..".to_owned(), false),
            ("notes".to_owned(), false),
        ] {
            assert_eq!(is_place(name.as_bytes()), expected, "{name}");
        }
    }
}
