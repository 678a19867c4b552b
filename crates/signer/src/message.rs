/// A name and a value, framed so that no other name and value give the same bytes.
///
/// Mere concatenation would let `ab` + `cd` pass for `a` + `bcd`.
pub(crate) struct Message<'a> {
    name_len: [u8; 8],
    name: &'a [u8],
    value_len: [u8; 8],
    value: &'a [u8],
}

impl<'a> Message<'a> {
    pub(crate) fn new(name: &'a [u8], value: &'a [u8]) -> Self {
        Self { name_len: framed_len(name), name, value_len: framed_len(value), value }
    }

    /// The parts, for an HMAC that takes one after another.
    pub(crate) fn parts(&self) -> [&[u8]; 5] {
        [&[VERSION], &self.name_len, self.name, &self.value_len, self.value]
    }

    /// The same bytes in one piece, for *ring*'s `verify`, which takes no parts. Allocates only for a long message.
    pub(crate) fn with_bytes<R>(&self, f: impl FnOnce(&[u8]) -> R) -> R {
        let mut stack = [0; STACK_LEN];
        let mut end = 0;
        for part in self.parts() {
            let start = end;
            end += part.len();
            let Some(room) = stack.get_mut(start..end) else { return f(&self.parts().concat()) };
            room.copy_from_slice(part);
        }
        f(&stack[..end])
    }
}

fn framed_len(part: &[u8]) -> [u8; 8] {
    (part.len() as u64).to_be_bytes()
}

// The first byte of every message; another way of framing takes another one.
const VERSION: u8 = 1;

// Holds a session id under the longest cookie name, with room to spare.
const STACK_LEN: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_come_before_what_they_count() {
        let expected = b"\x01\0\0\0\0\0\0\0\x02id\0\0\0\0\0\0\0\x03abc";
        Message::new(b"id", b"abc").with_bytes(|bytes| assert_eq!(bytes, expected));
    }

    #[test]
    fn one_piece_is_the_parts_in_order_at_every_length() {
        let bytes: Vec<u8> = (0..=255).cycle().take(2000).collect();
        for name_len in [0, 1, 255, 256, 494, 495, 496, 600] {
            for value_len in [0, 1, 32, 238, 239, 240, 495, 496, 1400] {
                let message = Message::new(&bytes[..name_len], &bytes[name_len..][..value_len]);
                message.with_bytes(|whole| assert_eq!(whole, message.parts().concat(), "{name_len} {value_len}"));
            }
        }
    }
}
