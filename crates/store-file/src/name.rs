//! The names of files in the session directory, which are paths relative to it.

use std::io;

use nexios_store_core::SessionId;

/// The path of a record: `ab/<32 hex digits>`, where `ab` are the first two of them.
///
/// Has no `Debug`: it spells the session id.
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

    /// The directory that the record is in.
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
/// It is always in the directory of the record it will become or was, so that the record's lock covers it too.
pub(crate) struct TempName([u8; 40]);

impl TempName {
    /// A new random name in the directory of `record`.
    pub(crate) fn beside(record: &RecordName) -> io::Result<Self> {
        let random = SessionId::generate()?.to_hex();
        Ok(Self::in_fan_out(record.fan_out(), &random))
    }

    /// The temporary file of this name in the directory `fan_out`; `None` if it is not exactly one of our names.
    pub(crate) fn parse(fan_out: u8, name: &[u8]) -> Option<Self> {
        let random = SessionId::parse(name.strip_prefix(TEMP_PREFIX)?).ok()?.to_hex();
        Some(Self::in_fan_out(&fan_out_path(fan_out), &random))
    }

    fn in_fan_out(fan_out: &[u8], random: &[u8]) -> Self {
        let mut path = [b'/'; 40];
        path[..2].copy_from_slice(fan_out);
        path[3..8].copy_from_slice(TEMP_PREFIX);
        path[8..].copy_from_slice(random);
        Self(path)
    }

    pub(crate) fn path(&self) -> &[u8] {
        &self.0
    }
}

/// The record of this name in the directory `fan_out`; `None` if it is not exactly where and how we would name it.
pub(crate) fn parse_record(fan_out: u8, name: &[u8]) -> Option<SessionId> {
    SessionId::parse(name).ok().filter(|id| id.as_bytes()[0] == fan_out)
}

/// The directory of the records whose id begins with this byte.
pub(crate) fn fan_out_path(first_byte: u8) -> [u8; 2] {
    let hex = SessionId::from_bytes([first_byte; 16]).to_hex();
    [hex[0], hex[1]]
}

const TEMP_PREFIX: &[u8; 5] = b".tmp-";

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
    fn a_temporary_name_is_new_and_recognised() {
        let record = RecordName::of(&SessionId::parse(HEX).unwrap());
        let (one, two) = (TempName::beside(&record).unwrap(), TempName::beside(&record).unwrap());
        assert_ne!(one.path(), two.path());
        assert_eq!(TempName::parse(0, &one.path()[3..]).unwrap().path(), one.path());
    }
}
