//! Keys, key rings, and signatures and seals that say what they are for.
//!
//! A [`Signer`] vouches for a value under a name: a cookie's value under the cookie's name, say. What it signed for
//! one [`Purpose`] or name is worthless for another, and only one text is accepted as the signature of a value.
//! Signers come from a [`KeyRing`], whose first key signs and whose every key verifies, so that a key can be
//! replaced without refusing what was signed before. A [`Sealer`], from the same ring, does for secrets what a signer
//! does for values that everybody may read.
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
//! | step | what |
//! | --- | --- |
//! | sub-key | HKDF-SHA256 (RFC 5869): input a key of the ring, salt `nexios-signer 1`, info the purpose's label, 32 bytes |
//! | message | byte `02`; length of the name in LEB128, of as few bytes as it takes; name; length of the value likewise; value |
//! | tag | HMAC-SHA256 (RFC 2104) of the message under the sub-key, never shortened |
//! | text | the tag in base64url without padding: 43 characters, unused bits zero |
//!
//! # How a value is sealed
//!
//! | step | what |
//! | --- | --- |
//! | sub-key | as above, but with the salt `nexios-signer seal 1`, so that it is not the one that signs |
//! | salt | 32 random bytes of the system's generator, new for each value |
//! | message key | HKDF-Expand-SHA256 (RFC 5869): pseudorandom key the sub-key, info the salt, 32 bytes |
//! | associated data | byte `01`; length of the name as 64 bits, big-endian; name |
//! | ciphertext and tag | AES-256-GCM under the message key, with a nonce of 12 zero bytes; tag of 16 bytes |
//! | bytes | byte `01`; salt; ciphertext; tag: 49 bytes more than the plaintext |
//!
//! A message key is used once, so its nonce may be the same for all, and no number of messages wears a key out.
//!
//! # Keys in memory
//!
//! A [`Key`] wipes its bytes when dropped, and so does everything here that holds the text of one. The prepared
//! sub-keys inside a [`Signer`] or [`Sealer`] are *ring*'s, which offers no way to wipe them: they stay in freed memory
//! until it is used again. A sub-key does not give away the key it was derived from, nor the sub-key of another purpose.
//!
//! No `Debug`, no error and no other text of this crate contains any part of a key.
//!
//! # Scope
//!
//! A signer does not hide what it signs, and a sealer does not hide how long it is. This crate knows nothing of
//! sessions, cookies or HTTP, and has no opinion on the age of a signature or seal: put the time into the value.

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
