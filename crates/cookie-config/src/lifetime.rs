use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use httpdate::HttpDate;

/// How long a browser keeps a cookie: what is left of it, and when it ends.
///
/// The two say the same, as `Max-Age` for every browser of today and as `Expires` for what does not know `Max-Age`.
/// Both are given by the caller, who has a clock.
///
/// # Examples
///
/// ```
/// use nexios_cookie_config::{CookieConfig, Lifetime};
/// use std::time::Duration;
///
/// let lifetime = Lifetime::new(Duration::from_secs(60), 1_700_000_060);
/// let line = CookieConfig::default().set_cookie("a1b2", Some(lifetime))?;
/// assert!(line.ends_with("; Max-Age=60; Expires=Tue, 14 Nov 2023 22:14:20 GMT"), "{line}");
/// # Ok::<(), nexios_cookie_config::CookieError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    max_age_secs: u64,
    expires_at_unix_secs: u64,
}

impl Lifetime {
    /// The longest lifetime that browsers grant: 400 days (RFC 6265bis, 5.5).
    pub const MAX: Duration = Duration::from_secs(400 * 24 * 60 * 60);

    pub(crate) const OVER: Self = Self { max_age_secs: 0, expires_at_unix_secs: 0 };

    /// A lifetime with so much remaining, which ends at this many seconds after 1970.
    ///
    /// A part of a second counts as a whole one, so that a cookie does not go before what it stands for. More than
    /// [`MAX`](Self::MAX) becomes `MAX`, in both forms. With nothing remaining, the cookie is removed.
    pub fn new(remaining: Duration, expires_at_unix_secs: u64) -> Self {
        let rounded_up = remaining.as_secs().saturating_add(u64::from(remaining.subsec_nanos() > 0));
        let max_age = rounded_up.min(Self::MAX.as_secs());
        let expires_at = expires_at_unix_secs.saturating_sub(rounded_up - max_age).min(END_OF_9999);
        Self { max_age_secs: max_age, expires_at_unix_secs: expires_at }
    }

    /// The length of what [`push_to`](Self::push_to) appends.
    pub(crate) fn text_len(self) -> usize {
        let digits = self.max_age_secs.checked_ilog10().unwrap_or(0) as usize + 1;
        "; Max-Age=; Expires=Thu, 01 Jan 1970 00:00:00 GMT".len() + digits
    }

    /// Appends the attributes: `; Max-Age=…; Expires=…`.
    pub(crate) fn push_to(self, line: &mut String) {
        // The `cookie` crate writes the same through a format that it interprets, which takes several times as long.
        line.push_str("; Max-Age=");
        line.push_str(itoa::Buffer::new().format(self.max_age_secs));
        line.push_str("; Expires=");
        // `new` leaves no time that is after the year 9999, where `HttpDate` ends.
        let expires_at = HttpDate::from(UNIX_EPOCH + Duration::from_secs(self.expires_at_unix_secs));
        write!(line, "{expires_at}").expect("a `String` takes all that is written");
    }
}

// The last second of a year with four digits, which is what the date of `Expires` holds (RFC 9110, 5.6.7).
const END_OF_9999: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_is_known_before() {
        for secs in [0, 1, 9, 10, 99, 100, 86_400, 1_209_600, 9_999_999, 10_000_000, Lifetime::MAX.as_secs(), u64::MAX]
        {
            let lifetime = Lifetime::new(Duration::from_secs(secs), secs);
            let mut text = String::new();
            lifetime.push_to(&mut text);
            assert_eq!(lifetime.text_len(), text.len(), "{text}");
        }
    }
}
