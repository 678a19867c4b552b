/// A name and a value, framed so that no other name and value give the same bytes.
///
/// If they were only concatenated, `ab` + `cd` would pass for `a` + `bcd`.
pub(crate) struct Message<'a> {
    name_len: FramedLen,
    name: &'a [u8],
    value_len: FramedLen,
    value: &'a [u8],
}

impl<'a> Message<'a> {
    pub(crate) fn new(name: &'a [u8], value: &'a [u8]) -> Self {
        Self { name_len: FramedLen::of(name), name, value_len: FramedLen::of(value), value }
    }

    /// The parts, for an HMAC that takes them one after another.
    pub(crate) fn parts(&self) -> [&[u8]; 5] {
        [&[VERSION], self.name_len.as_bytes(), self.name, self.value_len.as_bytes(), self.value]
    }

    /// Passes the same bytes on in one piece, because `verify` of *ring* takes no parts. Allocates only for a long
    /// message.
    pub(crate) fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        match self.in_one_piece(&mut [0; STACK_LEN]) {
            Some(bytes) => f(bytes),
            None => f(&self.parts().concat()),
        }
    }

    /// The same bytes in one piece, or `None` if they do not fit into `room`.
    pub(crate) fn in_one_piece<'r>(&self, room: &'r mut [u8; STACK_LEN]) -> Option<&'r [u8]> {
        let mut end = 0;
        for part in self.parts() {
            let start = end;
            end += part.len();
            room.get_mut(start..end)?.copy_from_slice(part);
        }
        Some(&room[..end])
    }
}

/// A length in LEB128: seven bits a byte, the lowest first, with the top bit set in all bytes but the last. A length up
/// to 127 takes one byte.
///
/// With eight bytes for each length, a session id under a usual cookie name would fill two blocks of SHA-256 instead of
/// one (docs/decisions/0011-lengths-in-signatures.md).
struct FramedLen {
    bytes: [u8; MAX_LEN_BYTES],
    used: usize,
}

impl FramedLen {
    #[expect(clippy::cast_possible_truncation, reason = "only the lowest seven bits are wanted")]
    const fn of(part: &[u8]) -> Self {
        let mut bytes = [0; MAX_LEN_BYTES];
        let mut rest = part.len();
        let mut last = 0;
        while rest > 0x7f {
            bytes[last] = rest as u8 | 0x80;
            rest >>= 7;
            last += 1;
        }
        bytes[last] = rest as u8;
        Self { bytes, used: last + 1 }
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.used]
    }
}

// The first byte of every message. Another way of framing must use another byte.
const VERSION: u8 = 2;

// At seven bits a byte, a length of 64 bits takes ten bytes.
const MAX_LEN_BYTES: usize = (usize::BITS as usize).div_ceil(7);

// Holds a session id under the longest cookie name, with room to spare.
pub(crate) const STACK_LEN: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lengths_come_before_the_parts_they_count() {
        Message::new(b"id", b"abc").with_bytes(|bytes| assert_eq!(bytes, b"\x02\x02id\x03abc"));
    }

    #[test]
    fn a_length_takes_as_many_bytes_as_it_needs() {
        let bytes = [0; 20_000];
        for (len, framed) in [
            (0, &[0][..]),
            (1, &[1]),
            (127, &[0x7f]),
            (128, &[0x80, 1]),
            (300, &[0xac, 2]),
            (16_383, &[0xff, 0x7f]),
            (16_384, &[0x80, 0x80, 1]),
        ] {
            assert_eq!(FramedLen::of(&bytes[..len]).as_bytes(), framed, "{len}");
        }
    }

    /// SHA-256 works on blocks of 64 bytes, and adds at least nine bytes to a message.
    #[test]
    fn a_session_id_under_a_usual_name_is_one_block() {
        for name in [&b"sessionid"[..], b"__Host-sessionid"] {
            assert!(Message::new(name, &[b'0'; 32]).parts().concat().len() <= 64 - 9);
        }
    }

    #[test]
    fn one_piece_is_the_parts_in_order_at_every_length() {
        let bytes: Vec<u8> = (0..=255).cycle().take(2000).collect();
        for name_len in [0, 1, 127, 128, 255, 256, 494, 495, 509, 510, 600] {
            for value_len in [0, 1, 32, 238, 239, 240, 495, 496, 508, 509, 1400] {
                let message = Message::new(&bytes[..name_len], &bytes[name_len..][..value_len]);
                message.with_bytes(|whole| assert_eq!(whole, message.parts().concat(), "{name_len} {value_len}"));
            }
        }
    }

    proptest! {
        /// A reader of a message gets back the name and the value that were put in.
        #[test]
        fn name_and_value_can_be_told_from_the_bytes(
            name in prop::collection::vec(any::<u8>(), 0..300),
            value in prop::collection::vec(any::<u8>(), 0..300),
        ) {
            let whole = Message::new(&name, &value).parts().concat();
            let (read_name, rest) = read_part(&whole[1..]);
            let (read_value, rest) = read_part(rest);
            prop_assert_eq!((whole[0], read_name, read_value, rest), (VERSION, &name[..], &value[..], &[][..]));
        }
    }

    fn read_part(bytes: &[u8]) -> (&[u8], &[u8]) {
        let last = bytes.iter().position(|byte| *byte < 0x80).unwrap();
        let len = bytes[..=last].iter().rev().fold(0, |len, byte| len << 7 | usize::from(*byte & 0x7f));
        bytes[last + 1..].split_at(len)
    }
}
