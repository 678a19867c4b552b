use std::fmt::Write as _;
use std::time::{Duration, UNIX_EPOCH};

use httpdate::HttpDate;

/// The time for which a browser keeps a cookie: the time that remains, and the time at which it ends.
///
/// Both say the same, once as `Max-Age`, for every browser of today, and once as `Expires`, for clients that do not
/// know `Max-Age`. The caller gives both, because the caller has a clock.
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

    /// Makes a lifetime that has `remaining` left and ends `expires_at_unix_secs` seconds after the Unix epoch.
    ///
    /// A part of a second counts as a whole second, so that a cookie does not end before the session that it stands
    /// for. A lifetime longer than [`MAX`](Self::MAX) becomes `MAX`, in both forms. If nothing remains, the cookie is
    /// removed.
    pub fn new(remaining: Duration, expires_at_unix_secs: u64) -> Self {
        let rounded_up = remaining.as_secs().saturating_add(u64::from(remaining.subsec_nanos() > 0));
        let max_age = rounded_up.min(Self::MAX.as_secs());
        let expires_at = expires_at_unix_secs.saturating_sub(rounded_up - max_age).min(END_OF_9999);
        Self { max_age_secs: max_age, expires_at_unix_secs: expires_at }
    }

    /// The length of the text that [`push_to`](Self::push_to) appends.
    pub(crate) fn text_len(self) -> usize {
        let digits = self.max_age_secs.checked_ilog10().unwrap_or(0) as usize + 1;
        "; Max-Age=; Expires=Thu, 01 Jan 1970 00:00:00 GMT".len() + digits
    }

    /// Appends the attributes: `; Max-Age=…; Expires=…`.
    pub(crate) fn push_to(self, line: &mut String) {
        // The `cookie` crate interprets a format description to write the same text, which takes several times as long.
        line.push_str("; Max-Age=");
        line.push_str(itoa::Buffer::new().format(self.max_age_secs));
        line.push_str("; Expires=");
        // `HttpDate` ends with the year 9999, and `new` allows no later time.
        let expires_at = HttpDate::from(UNIX_EPOCH + Duration::from_secs(self.expires_at_unix_secs));
        write!(line, "{expires_at}").expect("writing to a `String` cannot fail");
    }
}

// The last second of the last year with four digits: the date of `Expires` has room for no more (RFC 9110, 5.6.7).
const END_OF_9999: u64 = 253_402_300_799;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_length_of_the_text_is_known_before_it_is_written() {
        for secs in [0, 1, 9, 10, 99, 100, 86_400, 1_209_600, 9_999_999, 10_000_000, Lifetime::MAX.as_secs(), u64::MAX]
        {
            let lifetime = Lifetime::new(Duration::from_secs(secs), secs);
            let mut text = String::new();
            lifetime.push_to(&mut text);
            assert_eq!(lifetime.text_len(), text.len(), "{text}");
        }
    }
}
