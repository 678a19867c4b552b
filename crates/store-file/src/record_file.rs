//! The open file of a record: reading its content, and writing its slots.

use std::convert::Infallible;
use std::fs::File;
use std::ops::Range;

use bytes::Bytes;
use nexios_store_core::{PrincipalTag, SessionId, Timestamp};
use rustix::io::Errno;

use crate::contents::{self, Contents, Current, PAGE_LEN, SlotLen};
use crate::directory::{Access, Directory, Status};
use crate::error::{Failure, SystemError};
use crate::name::RecordName;
use crate::slot::{self, HEADER_LEN, Header, Slot};
use crate::sys;

/// The thing at a record's name, with the content that was read.
pub(crate) enum Found {
    /// Nothing, or a file without content. Such a file is about to get its content, or a killed process or a power cut
    /// left it behind.
    Absent(Option<RecordFile>),
    Record(RecordFile, Current),
    /// A file of ours without a whole slot.
    Damaged,
    Unsupported,
    /// Something other than a regular file of our own with one link. The store neither reads, writes nor removes it.
    /// It is no damage, because the record may come back.
    Foreign,
}

impl Found {
    /// Looks at a record. The caller holds its lock.
    pub(crate) fn locked(directory: &Directory, id: &SessionId, access: Access) -> Result<Self, Failure> {
        Ok(match Opened::at(directory, id, access)? {
            // Somebody removed the file after we opened it, and did not take the lock. It is gone all the same.
            Opened::Nothing | Opened::Unlinked => Self::Absent(None),
            Opened::Foreign => Self::Foreign,
            Opened::File(file) => match file.read(id)? {
                Contents::Blank => Self::Absent(Some(file)),
                Contents::Record(current) => Self::Record(file, current),
                Contents::Damaged => Self::Damaged,
                Contents::Unsupported => Self::Unsupported,
            },
        })
    }

    /// Looks at a record without its lock. Returns `None` if a writer got in the way or a slot is damaged.
    pub(crate) fn unlocked(directory: &Directory, id: &SessionId) -> Result<Option<Self>, Failure> {
        Ok(Some(match Opened::at(directory, id, Access::Read)? {
            Opened::Unlinked => return Ok(None),
            Opened::Nothing => Self::Absent(None),
            Opened::Foreign => Self::Foreign,
            Opened::File(file) => match file.read(id)? {
                Contents::Damaged => return Ok(None),
                Contents::Record(current) if !current.is_settled => return Ok(None),
                Contents::Blank => Self::Absent(Some(file)),
                Contents::Record(current) => Self::Record(file, current),
                Contents::Unsupported => Self::Unsupported,
            },
        }))
    }
}

/// The thing at a record's name, opened but not read.
pub(crate) enum Opened {
    Nothing,
    /// A file that was removed or replaced between opening it and looking at it.
    Unlinked,
    Foreign,
    File(RecordFile),
}

impl Opened {
    pub(crate) fn at(directory: &Directory, id: &SessionId, access: Access) -> Result<Self, Failure> {
        let file = match directory.open_file(RecordName::of(id).path(), access) {
            Ok(file) => file,
            Err(error) if error.is(Errno::NOENT) => {
                directory.check_exists()?;
                return Ok(Self::Nothing);
            }
            Err(error) if error.is_one_of(NOT_OUR_FILE) => return Ok(Self::Foreign),
            Err(error) => return Err(error.into()),
        };
        let status = directory.status(&file)?;
        Ok(if status.has_no_name {
            Self::Unlinked
        } else if status.is_own_file && status.has_one_name {
            Self::File(RecordFile { file, status })
        } else {
            Self::Foreign
        })
    }
}

/// A regular file of our own at a record's name.
pub(crate) struct RecordFile {
    file: File,
    status: Status,
}

impl RecordFile {
    /// Returns the file with its status of now, or `None` if the record's name is not its own any more.
    ///
    /// The caller holds the lock, so the answer stays true.
    pub(crate) fn if_still_named(self, directory: &Directory, id: &SessionId) -> Result<Option<Self>, SystemError> {
        let named = directory.status_at(RecordName::of(id).path())?;
        let is_same =
            |named: &Status| named.identity == self.status.identity && named.is_own_file && named.has_one_name;
        Ok(named.filter(is_same).map(|status| Self { status, ..self }))
    }

    /// Reads and verifies the current version.
    pub(crate) fn read(&self, id: &SessionId) -> Result<Contents, Failure> {
        let Some(slot_len) = self.slot_len() else { return self.read_unknown_length() };
        let contents = if slot_len.file_len() <= READ_WHOLE {
            self.read_whole(id, slot_len)
        } else {
            self.read_current_slot(id, slot_len)
        }?;
        Ok(match contents {
            Contents::Blank | Contents::Damaged if self.lacks_page_of_creation(id, slot_len)? => Contents::Blank,
            // Empty headers with anything else between them are a damaged record.
            Contents::Blank => Contents::Damaged,
            contents => contents,
        })
    }

    /// Returns whether a part of the first version is missing: one of its pages is zeros, and there is no second
    /// version.
    ///
    /// A power cut leaves such a record if the system had no time to write it. If there is a second version, the first
    /// one was on the disk before the second was begun.
    fn lacks_page_of_creation(&self, id: &SessionId, slot_len: SlotLen) -> Result<bool, Failure> {
        let mut header = [0; HEADER_LEN];
        sys::read_at(&self.file, &mut header, 0)?;
        let written_len = match Slot::parse(&header, id, slot_len.capacity()) {
            Slot::Empty => slot_len.as_usize().min(PAGE_LEN),
            Slot::Written(written) => HEADER_LEN + written.payload_len,
            Slot::Newer | Slot::Damaged => return Ok(false),
        };
        for start in (0..written_len).step_by(PAGE_LEN) {
            if self.is_zero(start as u64..written_len.min(start + PAGE_LEN) as u64)? {
                return self.is_zero(slot_len.offset(1)..slot_len.file_len());
            }
        }
        Ok(false)
    }

    /// Returns the record's expiry according to its headers, if they are enough to know it.
    pub(crate) fn expiry_of_headers(&self, id: &SessionId) -> Result<Option<Timestamp>, Failure> {
        let Some(slot_len) = self.slot_len() else { return Ok(None) };
        Ok(self.read_headers(slot_len)?.and_then(|headers| contents::expiry_of_headers(id, slot_len, &headers)))
    }

    /// Returns the tag of the record's principal according to its headers. It may be wrong.
    pub(crate) fn principal_of_headers(&self, id: &SessionId) -> Result<Option<PrincipalTag>, Failure> {
        let Some(slot_len) = self.slot_len() else { return Ok(None) };
        Ok(self.read_headers(slot_len)?.and_then(|headers| contents::principal_of_headers(id, slot_len, &headers)))
    }

    /// Returns whether this part of the file holds only zeros.
    fn is_zero(&self, part: Range<u64>) -> Result<bool, Failure> {
        let mut buffer = [0; PAGE_LEN];
        let mut offset = part.start;
        while offset < part.end {
            let len = (part.end - offset).min(PAGE_LEN as u64);
            let portion = &mut buffer[..usize::try_from(len).unwrap_or(PAGE_LEN)];
            let count = sys::read_at(&self.file, portion, offset)?;
            if portion[..count].iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            if count < portion.len() {
                break;
            }
            offset += len;
        }
        Ok(true)
    }

    /// Returns the length of the slots, or `None` if the store makes no files of this length.
    fn slot_len(&self) -> Option<SlotLen> {
        SlotLen::of_file(self.status.len)
    }

    pub(crate) const fn status(&self) -> &Status {
        &self.status
    }

    pub(crate) fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), SystemError> {
        sys::write_at(&self.file, bytes, offset)
    }

    pub(crate) const fn as_file(&self) -> &File {
        &self.file
    }

    /// Writes the first version into a file that was found without content.
    pub(crate) fn write_blank(&self, slot_len: SlotLen, slot: Vec<u8>) -> Result<(), SystemError> {
        sys::set_len(&self.file, 0)?;
        write_new(&self.file, slot_len, slot)
    }

    fn read_whole(&self, id: &SessionId, slot_len: SlotLen) -> Result<Contents, Failure> {
        let mut whole = vec![0; 2 * slot_len.as_usize()];
        if sys::read_at(&self.file, &mut whole, 0)? < whole.len() {
            return Ok(Contents::Damaged);
        }
        let (one, other) = whole.split_at(slot_len.as_usize());
        let slots = [one, other];
        let payload = |slot: usize, len: usize| {
            Ok::<_, Infallible>(Bytes::copy_from_slice(&slots[slot][HEADER_LEN..HEADER_LEN + len]))
        };
        let Ok(contents) = contents::judge(id, slot_len, &slots.map(header_of), payload);
        Ok(contents)
    }

    fn read_current_slot(&self, id: &SessionId, slot_len: SlotLen) -> Result<Contents, Failure> {
        let Some(headers) = self.read_headers(slot_len)? else { return Ok(Contents::Damaged) };
        contents::judge(id, slot_len, &headers, |slot, len| {
            let mut payload = vec![0; len];
            // If the file has become too short, zeros are left here, and they do not verify.
            sys::read_at(&self.file, &mut payload, slot_len.offset(slot) + HEADER_LEN as u64)?;
            Ok(payload.into())
        })
    }

    fn read_headers(&self, slot_len: SlotLen) -> Result<Option<[Header; 2]>, Failure> {
        if slot_len == SlotLen::MIN {
            // Reading a page costs as much as reading a header, and a second read would cost as much again.
            let mut whole = [0; 2 * SlotLen::MIN.as_usize()];
            let is_whole = sys::read_at(&self.file, &mut whole, 0)? == whole.len();
            let (one, other) = whole.split_at(slot_len.as_usize());
            return Ok(is_whole.then(|| [one, other].map(header_of)));
        }
        let mut headers = [[0; HEADER_LEN]; 2];
        for (slot, header) in headers.iter_mut().enumerate() {
            if sys::read_at(&self.file, header, slot_len.offset(slot))? < HEADER_LEN {
                return Ok(None);
            }
        }
        Ok(Some(headers))
    }

    fn read_unknown_length(&self) -> Result<Contents, Failure> {
        if self.status.len <= SlotLen::MAX.file_len() && self.is_zero(0..self.status.len)? {
            return Ok(Contents::Blank);
        }
        // A newer format may have files of other lengths.
        let mut start = [0; HEADER_LEN];
        sys::read_at(&self.file, &mut start, 0)?;
        Ok(if slot::begins_newer(&start) { Contents::Unsupported } else { Contents::Damaged })
    }
}

/// Writes a file with one version of a record, and with room for the next version.
pub(crate) fn write_new(file: &File, slot_len: SlotLen, mut slot: Vec<u8>) -> Result<(), SystemError> {
    if slot_len.file_len() <= READ_WHOLE {
        // In one write, so no reader and no kill can come between the length and the content.
        slot.resize(2 * slot_len.as_usize(), 0);
    } else {
        sys::set_len(file, slot_len.file_len())?;
    }
    sys::write_at(file, &slot, 0)
}

fn header_of(slot: &[u8]) -> Header {
    std::array::from_fn(|at| slot[at])
}

/// Up to this length, one read of the whole file is cheaper than separate reads of headers and payload.
const READ_WHOLE: u64 = 16 * 1024;

/// The errors of opening a link, a socket or a directory as a file, and of opening another owner's file without
/// changing its time of access.
const NOT_OUR_FILE: &[Errno] = &[Errno::LOOP, Errno::NXIO, Errno::ISDIR, Errno::PERM];
