use std::fmt;
use std::str::FromStr;

/// A name for a session that opens nothing. Users tell their sessions apart by it, and end one of them.
///
/// It is random, differs from the id, and stays the same when the id changes. Its text is 32 lower-case hex digits.
/// [`SessionManager::revoke`](crate::SessionManager::revoke) takes it, so you can show it in a page and read it back
/// from a form.
///
/// # Examples
///
/// ```
/// use nexios_middleware_core::SessionHandle;
///
/// let handle: SessionHandle = "0123456789abcdef0123456789abcdef".parse()?;
/// assert_eq!(handle.to_string(), "0123456789abcdef0123456789abcdef");
/// # Ok::<(), nexios_middleware_core::SessionHandleError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionHandle(pub(crate) u128);

impl SessionHandle {
    pub(crate) const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(u128::from_be_bytes(bytes))
    }

    pub(crate) const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for SessionHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl FromStr for SessionHandle {
    type Err = SessionHandleError;

    fn from_str(text: &str) -> Result<Self, SessionHandleError> {
        let is_hex = text.len() == 32 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        let number = is_hex.then(|| u128::from_str_radix(text, 16).ok()).flatten();
        number.map(Self).ok_or(SessionHandleError(()))
    }
}

/// The error of a text that is not that of a [`SessionHandle`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("session handle must be 32 lower-case hex digits")]
pub struct SessionHandleError(());

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_handle_has_one_spelling() {
        for text in ["00000000000000000000000000000000", "00ff1234567890abcdef00112233aa55"] {
            assert_eq!(text.parse::<SessionHandle>().unwrap().to_string(), text);
        }
        for text in ["", "ff", "00FF1234567890abcdef00112233aa55", "+0ff1234567890abcdef00112233aa55", "ß"] {
            assert!(text.parse::<SessionHandle>().is_err(), "{text}");
        }
    }
}
