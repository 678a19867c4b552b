//! The names of files, as paths relative to the session directory.

use nexios_store_core::{PrincipalTag, SessionId};

use crate::hex;
use crate::sys::{self, Result};

/// The path of a record: `ab/<32 hex digits>`, where `ab` are the first two of these digits.
///
/// It has no `Debug`, because it shows the session id.
#[derive(Clone, Copy)]
pub(crate) struct RecordName([u8; 35]);

impl RecordName {
    pub(crate) fn of(id: &SessionId) -> Self {
        let hex = id.to_hex();
        let mut path = [b'/'; 35];
        path[..2].copy_from_slice(&hex[..2]);
        path[3..].copy_from_slice(&hex);
        Self(path)
    }

    pub(crate) fn path(&self) -> &[u8] {
        &self.0
    }

    /// The directory of the record.
    pub(crate) fn fan_out(&self) -> &[u8] {
        &self.0[..2]
    }

    /// The record's name in its directory: the session id in hex.
    pub(crate) fn file(&self) -> &[u8] {
        &self.0[3..]
    }
}

/// The path of a temporary file: `ab/.tmp-<32 hex digits>`.
///
/// It is always in the directory of the record that it will become or that it was, so the record's lock covers it.
pub(crate) struct TempName([u8; 40]);

impl TempName {
    /// Returns a new random name in the directory of `record`.
    pub(crate) fn beside(record: &RecordName) -> Result<Self> {
        Ok(Self::in_fan_out(record.fan_out(), &sys::random()?))
    }

    /// Reads the name of a temporary file in the directory `fan_out`. Returns `None` if it is not exactly one of ours.
    pub(crate) fn parse(fan_out: u8, name: &[u8]) -> Option<Self> {
        let random = hex::decode(name.strip_prefix(TEMP_PREFIX)?)?;
        Some(Self::in_fan_out(&fan_out_path(fan_out), &random))
    }

    fn in_fan_out(fan_out: &[u8], random: &[u8; RANDOM_LEN]) -> Self {
        let mut path = [b'/'; 40];
        path[..2].copy_from_slice(fan_out);
        path[3..8].copy_from_slice(TEMP_PREFIX);
        hex::encode(random, &mut path[8..]);
        Self(path)
    }

    pub(crate) fn path(&self) -> &[u8] {
        &self.0
    }
}

/// The path of a marker: `.principals/ab/<64 hex digits of a tag>-<32 hex digits of an id>`, where `ab` are the first
/// two digits of the tag.
pub(crate) struct MarkerName([u8; 112]);

impl MarkerName {
    pub(crate) fn of(tag: &PrincipalTag, id: &SessionId) -> Self {
        let mut path = [b'-'; 112];
        path[..14].copy_from_slice(&Self::shard_of(tag.as_bytes()[0]));
        path[14] = b'/';
        hex::encode(tag.as_bytes(), &mut path[15..79]);
        path[80..].copy_from_slice(&id.to_hex());
        Self(path)
    }

    /// Reads the tag and the id from the name of a marker in the directory of `first_byte`. Returns `None` if it is not
    /// exactly one of our names.
    pub(crate) fn parse(first_byte: u8, name: &[u8]) -> Option<(PrincipalTag, SessionId)> {
        let (tag, id) = name.split_at_checked(TAG_HEX_LEN)?;
        let tag = PrincipalTag::from_bytes(hex::decode(tag)?);
        let id = SessionId::parse(id.strip_prefix(b"-")?).ok()?;
        (tag.as_bytes()[0] == first_byte).then_some((tag, id))
    }

    /// The directory of the markers whose tags begin with this byte.
    pub(crate) fn shard_of(first_byte: u8) -> [u8; 14] {
        let mut path = *b".principals/..";
        path[12..].copy_from_slice(&fan_out_path(first_byte));
        path
    }

    pub(crate) fn path(&self) -> &[u8] {
        &self.0
    }

    /// The directory of the marker.
    pub(crate) fn shard(&self) -> &[u8] {
        &self.0[..14]
    }
}

/// Reads the name of a record in the directory `fan_out`. Returns `None` if it is not exactly one of our names, or if
/// it belongs in another directory.
pub(crate) fn parse_record(fan_out: u8, name: &[u8]) -> Option<SessionId> {
    SessionId::parse(name).ok().filter(|id| id.as_bytes()[0] == fan_out)
}

/// The directory of the records whose ids begin with this byte.
pub(crate) const fn fan_out_path(first_byte: u8) -> [u8; 2] {
    hex::of_byte(first_byte)
}

const TEMP_PREFIX: &[u8; 5] = b".tmp-";
/// As long as an id, so nobody can guess the name of the next temporary file.
const RANDOM_LEN: usize = 16;
const TAG_HEX_LEN: usize = 64;
/// The directory of all markers.
pub(crate) const PRINCIPALS: &[u8] = b".principals";

#[cfg(test)]
mod tests {
    use super::*;

    const HEX: &str = "00ff1234567890abcdef00112233aa55";

    #[test]
    fn a_record_is_in_the_directory_of_its_first_byte() {
        let id = SessionId::parse(HEX).unwrap();
        let name = RecordName::of(&id);
        assert_eq!(name.path(), format!("00/{HEX}").as_bytes());
        assert_eq!((name.fan_out(), name.file()), (&b"00"[..], HEX.as_bytes()));
        assert_eq!(parse_record(0, name.file()), Some(id));
    }

    #[test]
    fn a_record_of_another_directory_or_spelling_is_foreign() {
        assert_eq!(parse_record(1, HEX.as_bytes()), None);
        for name in ["", ".", "..", "README", &HEX[1..], &HEX.to_uppercase(), &format!("{HEX}~")] {
            assert_eq!(parse_record(0, name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn a_temporary_file_has_exactly_our_pattern() {
        let name = TempName::parse(0xab, format!(".tmp-{HEX}").as_bytes()).unwrap();
        assert_eq!(name.path(), format!("ab/.tmp-{HEX}").as_bytes());
        for name in [".tmp-", ".tmp", &format!(".tmp-{HEX}0"), &format!("tmp-{HEX}"), &format!(".TMP-{HEX}"), HEX] {
            assert!(TempName::parse(0xab, name.as_bytes()).is_none(), "{name}");
        }
    }

    #[test]
    fn a_marker_has_exactly_our_pattern() {
        let (tag, id) = (PrincipalTag::from_bytes([0xa0; 32]), HEX);
        let name = MarkerName::of(&tag, &SessionId::parse(id).unwrap());
        let text = str::from_utf8(name.path()).unwrap();
        assert!(text == format!(".principals/a0/{}-{HEX}", "a0".repeat(32)), "{text}");
        assert_eq!(name.shard(), b".principals/a0");
        let file = &text[15..];
        assert_eq!(MarkerName::parse(0xa0, file.as_bytes()), Some((tag, SessionId::parse(id).unwrap())));
        assert_eq!(MarkerName::parse(0xa1, file.as_bytes()), None);
        for name in ["", HEX, &file[1..], &format!("{file}0"), &file.to_uppercase(), &file.replace('-', "_")] {
            assert_eq!(MarkerName::parse(0xa0, name.as_bytes()), None, "{name}");
        }
    }

    #[test]
    fn a_temporary_name_is_new_and_recognised() {
        let record = RecordName::of(&SessionId::parse(HEX).unwrap());
        let (one, two) = (TempName::beside(&record).unwrap(), TempName::beside(&record).unwrap());
        assert_ne!(one.path(), two.path());
        assert_eq!(TempName::parse(0, &one.path()[3..]).unwrap().path(), one.path());
    }
}
