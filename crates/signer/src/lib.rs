//! Keys, key rings, and signatures and seals that say what they are for.
//!
//! A [`Signer`] vouches for a value under a name, such as the value of a cookie under the name of the cookie. A
//! signature made for one [`Purpose`] and name is worthless for any other, and each value has only one text that is
//! accepted as its signature. Signers come from a [`KeyRing`]. The first key of the ring signs and every key verifies,
//! so you can replace a key without refusing what was signed before. A [`Sealer`], from the same ring, does for secrets
//! what a signer does for values that everybody may read.
//!
//! ```
//! use nexios_signer::{Key, KeyRing, Purpose, SignedBy};
//!
//! const COUPON: Purpose = Purpose::new("example.org coupon");
//!
//! let old = Key::generate()?;
//! let tag = KeyRing::new(old.clone()).signer(COUPON).sign(b"percent", b"20");
//!
//! let signer = KeyRing::new(Key::generate()?).with_retired(old).signer(COUPON);
//! assert_eq!(signer.verify(b"percent", b"20", &tag.to_text()), Some(SignedBy::Retired));
//! assert_eq!(signer.verify(b"percent", b"90", &tag.to_text()), None);
//! # Ok::<(), nexios_signer::KeyError>(())
//! ```
//!
//! # How a value is signed
//!
//! * **Sub-key**: 32 bytes of HKDF-SHA256 (RFC 5869). The input is a key of the ring, the salt is `nexios-signer 1`,
//!   and the info is the label of the purpose.
//! * **Message**: the byte `02`; the length of the name, in as few bytes of LEB128 as it takes; the name; the length of
//!   the value, likewise; the value.
//! * **Tag**: HMAC-SHA256 (RFC 2104) of the message under the sub-key, never shortened.
//! * **Text**: the tag in base64url without padding, which is 43 characters. The unused bits are zero.
//!
//! # How a value is sealed
//!
//! * **Sub-key**: as above, but with the salt `nexios-signer seal 1`, so that it differs from the one that signs.
//! * **Salt**: 32 random bytes of the system's generator, new for each value.
//! * **Message key**: 32 bytes of HKDF-Expand-SHA256 (RFC 5869). The pseudorandom key is the sub-key, and the info is
//!   the salt.
//! * **Associated data**: the byte `01`; the length of the name as 64 bits, big-endian; the name.
//! * **Ciphertext and tag**: AES-256-GCM under the message key, with a nonce of 12 zero bytes. The tag has 16 bytes.
//! * **Bytes**: the byte `01`; the salt; the ciphertext; the tag. That is 49 bytes more than the plaintext.
//!
//! Each message key is used once. So all messages may have the same nonce, and no number of messages wears a key out.
//!
//! # Keys in memory
//!
//! A [`Key`] wipes its bytes when it is dropped, and so does everything in this crate that holds the text of a key. The
//! prepared sub-keys inside a [`Signer`] or a [`Sealer`] belong to *ring*, which offers no way to wipe them. They stay
//! in freed memory until that memory is used again. A sub-key gives away neither the key that it was derived from nor
//! the sub-key of another purpose.
//!
//! No `Debug` output and no error of this crate contains any part of a key. The only text that does is the one that
//! [`Key::to_text`] returns.
//!
//! # Scope
//!
//! A signer does not hide the value that it signs, and a sealer does not hide the length of its value. This crate knows
//! nothing of sessions, cookies or HTTP. It does not limit the age of a signature or a seal: to do so, put the time
//! into the value.

mod de;
mod error;
mod key;
mod key_ring;
mod message;
mod purpose;
mod sealer;
mod signer;
mod tag;
mod vars;

pub use crate::error::{KeyError, SealError};
pub use crate::key::Key;
pub use crate::key_ring::KeyRing;
pub use crate::purpose::Purpose;
pub use crate::sealer::{Opened, Sealer};
pub use crate::signer::{SignedBy, Signer};
pub use crate::tag::Tag;
