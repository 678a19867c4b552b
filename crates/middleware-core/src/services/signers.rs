use nexios_signer::{KeyRing, Purpose, SignedBy, Signer, Tag};
use nexios_store_core::{PrincipalTag, SessionId, Timestamp};

use crate::events::fingerprint::Fingerprint;

/// Signers for everything that the keys are used for, with one sub-key for each kind.
#[derive(Debug)]
pub(crate) struct Signers {
    session_id: Signer,
    cookie: Signer,
    expiring_cookie: Signer,
    principal: Signer,
    fingerprint: Signer,
    cookie_name: Box<str>,
}

impl Signers {
    pub(crate) fn new(keys: &KeyRing, cookie_name: &str) -> Self {
        Self {
            session_id: keys.signer(SESSION_ID),
            cookie: keys.signer(SIGNED_COOKIE),
            expiring_cookie: keys.signer(EXPIRING_COOKIE),
            principal: keys.signer(PRINCIPAL),
            fingerprint: keys.signer(FINGERPRINT),
            cookie_name: cookie_name.into(),
        }
    }

    /// Returns the value of the session's cookie: `<id>.<mac>`. The signature is bound to the cookie's name.
    pub(crate) fn cookie_value(&self, id: &SessionId) -> String {
        let id = id.to_hex();
        let mut value = String::with_capacity(COOKIE_VALUE_LEN);
        // Hex digits are ASCII.
        value.push_str(std::str::from_utf8(&id).unwrap_or_default());
        value.push('.');
        self.session_id.sign(self.cookie_name.as_bytes(), &id).push_to(&mut value);
        value
    }

    /// Returns the id that a cookie's value vouches for, or `None` if it vouches for none.
    ///
    /// A malformed value, a wrong signature and a signature for another purpose or name all give the same `None`.
    pub(crate) fn open_cookie_value(&self, value: &[u8]) -> Option<(SessionId, SignedBy)> {
        if value.len() != COOKIE_VALUE_LEN {
            return None;
        }
        let (id, rest) = value.split_at(SessionId::HEX_LEN);
        let mac = rest.strip_prefix(b".")?;
        let signed_by = self.session_id.verify(self.cookie_name.as_bytes(), id, mac)?;
        Some((SessionId::parse(id).ok()?, signed_by))
    }

    /// Signs a cookie of the application. Cookies with and without an expiry have keys of their own, so that a value of
    /// one kind never passes for the other.
    pub(crate) fn sign_cookie(&self, name: &str, value: &str, expires_at: Option<Timestamp>) -> Tag {
        match expires_at {
            None => self.cookie.sign(name.as_bytes(), value.as_bytes()),
            Some(expires_at) => self.expiring_cookie.sign(name.as_bytes(), &expiring(value, expires_at)),
        }
    }

    pub(crate) fn verify_cookie(
        &self,
        name: &str,
        value: &str,
        expires_at: Option<Timestamp>,
        tag: &str,
    ) -> Option<SignedBy> {
        match expires_at {
            None => self.cookie.verify(name.as_bytes(), value.as_bytes(), tag),
            Some(expires_at) => self.expiring_cookie.verify(name.as_bytes(), &expiring(value, expires_at), tag),
        }
    }

    pub(crate) fn principal_tag(&self, principal: &str) -> PrincipalTag {
        PrincipalTag::from_bytes(*self.principal.sign(b"", principal.as_bytes()).as_bytes())
    }

    /// Returns the principal's tag under each key of the ring, for look-ups in an index.
    pub(crate) fn principal_tags(&self, principal: &str) -> Vec<PrincipalTag> {
        let tags = self.principal.sign_with_each(b"", principal.as_bytes());
        tags.map(|tag| PrincipalTag::from_bytes(*tag.as_bytes())).collect()
    }

    /// Verifies the tag of a principal, and returns which key of the ring has made it.
    pub(crate) fn verify_principal_tag(&self, principal: &str, tag: &PrincipalTag) -> Option<SignedBy> {
        self.principal.verify_tag(b"", principal.as_bytes(), tag.as_bytes())
    }

    /// Returns a session's name in the log, which connects the session's events and opens nothing.
    pub(crate) fn fingerprint(&self, id: &SessionId) -> Fingerprint {
        Fingerprint::of_tag(self.fingerprint.sign(b"", id.as_bytes()).as_bytes())
    }
}

/// Returns the bytes that are signed for a cookie with an expiry: the time, which has a fixed length, and the value.
fn expiring(value: &str, expires_at: Timestamp) -> Vec<u8> {
    [&expires_at.as_unix_millis().to_be_bytes(), value.as_bytes()].concat()
}

/// The length of a session cookie's value. A value of any other length is passed over unread.
pub(crate) const COOKIE_VALUE_LEN: usize = SessionId::HEX_LEN + 1 + Tag::TEXT_LEN;

// A label must never change: another one makes every signature of its kind void.
const SESSION_ID: Purpose = Purpose::new("nexios session id");
const SIGNED_COOKIE: Purpose = Purpose::new("nexios signed cookie");
const EXPIRING_COOKIE: Purpose = Purpose::new("nexios signed cookie with expiry");
const PRINCIPAL: Purpose = Purpose::new("nexios principal tag");
const FINGERPRINT: Purpose = Purpose::new("nexios log fingerprint");

#[cfg(test)]
mod tests {
    use super::*;
    use nexios_signer::Key;
    use proptest::prelude::*;

    fn keys(text: &str) -> KeyRing {
        KeyRing::new(Key::from_text(text).unwrap())
    }

    fn signers(cookie_name: &str) -> Signers {
        Signers::new(&keys("0123456789abcdef0123456789abcdef"), cookie_name)
    }

    fn id() -> SessionId {
        SessionId::parse("00ff1234567890abcdef00112233aa55").unwrap()
    }

    #[test]
    fn a_cookie_opens_under_its_own_name_and_key_only() {
        let value = signers("sessionid").cookie_value(&id());
        assert_eq!(signers("sessionid").open_cookie_value(value.as_bytes()).map(|(id, _)| id), Some(id()));
        assert!(signers("admin").open_cookie_value(value.as_bytes()).is_none());
        let other = Signers::new(&keys("fedcba9876543210fedcba9876543210"), "sessionid");
        assert!(other.open_cookie_value(value.as_bytes()).is_none());
    }

    #[test]
    fn a_signature_of_another_kind_does_not_open_a_session() {
        let signers = signers("sessionid");
        let hex = id().to_hex();
        let mut forged = String::from_utf8(hex.to_vec()).unwrap() + ".";
        keys("0123456789abcdef0123456789abcdef")
            .signer(Purpose::new("nexios signed cookie"))
            .sign(b"sessionid", &hex)
            .push_to(&mut forged);
        assert_eq!(forged.len(), COOKIE_VALUE_LEN);
        assert!(signers.open_cookie_value(forged.as_bytes()).is_none());
    }

    #[test]
    fn every_flipped_bit_and_every_cut_is_refused() {
        let signers = signers("sessionid");
        let value = signers.cookie_value(&id()).into_bytes();
        for bit in 0..value.len() * 8 {
            let mut flipped = value.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(signers.open_cookie_value(&flipped).is_none(), "bit {bit}");
        }
        for length in 0..value.len() {
            assert!(signers.open_cookie_value(&value[..length]).is_none(), "length {length}");
        }
    }

    #[test]
    fn a_retired_key_opens_and_says_so() {
        let value = signers("sessionid").cookie_value(&id());
        let rotated = keys("fedcba9876543210fedcba9876543210")
            .with_retired(Key::from_text("0123456789abcdef0123456789abcdef").unwrap());
        let (opened, signed_by) = Signers::new(&rotated, "sessionid").open_cookie_value(value.as_bytes()).unwrap();
        assert!(opened == id() && signed_by.is_retired());
    }

    #[test]
    fn a_fingerprint_shows_nothing_of_the_id() {
        let shown = signers("sessionid").fingerprint(&id()).to_string();
        assert_eq!(shown.len(), 12);
        assert!(!"00ff1234567890abcdef00112233aa55".contains(&shown));
    }

    proptest! {
        #[test]
        fn no_bytes_of_the_right_length_open_anything(bytes in prop::collection::vec(any::<u8>(), COOKIE_VALUE_LEN)) {
            prop_assert!(signers("sessionid").open_cookie_value(&bytes).is_none());
        }

        #[test]
        fn no_text_of_the_right_shape_opens_anything(text in "[0-9a-f]{32}\\.[A-Za-z0-9_-]{43}") {
            prop_assert!(signers("sessionid").open_cookie_value(text.as_bytes()).is_none());
        }
    }
}
