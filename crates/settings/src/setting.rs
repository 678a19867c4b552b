use std::ops::RangeInclusive;
use std::time::Duration;

/// A type that can be read from the text of a setting.
///
/// Implement it for a type of your own, such as an enum, to read it as strictly as the other settings.
///
/// # Examples
///
/// ```
/// use nexios_settings::{Setting, Vars};
///
/// #[derive(Debug, PartialEq)]
/// enum Theme {
///     Light,
///     Dark,
/// }
///
/// impl Setting for Theme {
///     const ALLOWED: &'static str = "light or dark";
///
///     fn parse(text: &str) -> Option<Self> {
///         match text {
///             "light" => Some(Self::Light),
///             "dark" => Some(Self::Dark),
///             _ => None,
///         }
///     }
/// }
///
/// let vars = Vars::from_iter([("THEME", "dark"), ("FALLBACK_THEME", "Dark")]);
/// assert_eq!(vars.get("THEME")?, Some(Theme::Dark));
/// let error = vars.get::<Theme>("FALLBACK_THEME").unwrap_err();
/// assert_eq!(error.to_string(), "FALLBACK_THEME is `Dark`, but must be light or dark");
/// # Ok::<(), nexios_settings::SettingError>(())
/// ```
pub trait Setting: Sized {
    /// The allowed values, as the end of the sentence "… but must be …".
    const ALLOWED: &'static str;

    /// Returns the value that `text` stands for, or `None` if the text is not allowed.
    fn parse(text: &str) -> Option<Self>;
}

impl Setting for bool {
    const ALLOWED: &'static str = "true, false, 1 or 0";

    fn parse(text: &str) -> Option<Self> {
        match text {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        }
    }
}

/// A number of whole seconds, or a whole number with a unit: `90`, `90s`, `30m`, `2h`, `14d`. From one second to ten
/// years.
impl Setting for Duration {
    const ALLOWED: &'static str = "a whole number of seconds or one with a unit (90s, 30m, 2h, 14d), from 1s to 3650d";

    fn parse(text: &str) -> Option<Self> {
        let (digits, unit) = split_number(text)?;
        let seconds_per_unit: u64 = match unit {
            "" | "s" => 1,
            "m" => 60,
            "h" => 60 * 60,
            "d" => 24 * 60 * 60,
            _ => return None,
        };
        let seconds = digits.parse::<u64>().ok()?.checked_mul(seconds_per_unit)?;
        Some(Self::from_secs(seconds)).filter(|duration| DURATIONS.contains(duration))
    }
}

/// A setting that the word `none` switches off.
///
/// # Examples
///
/// ```
/// use nexios_settings::{OrNone, Setting};
/// use std::time::Duration;
///
/// assert_eq!(OrNone::parse("2h"), Some(OrNone(Some(Duration::from_secs(7200)))));
/// assert_eq!(OrNone::<Duration>::parse("none"), Some(OrNone(None)));
/// assert_eq!(OrNone::<Duration>::parse("never"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrNone<T>(pub Option<T>);

impl Setting for OrNone<Duration> {
    const ALLOWED: &'static str =
        "none, or a whole number of seconds or one with a unit (90s, 30m, 2h, 14d), from 1s to 3650d";

    fn parse(text: &str) -> Option<Self> {
        if text == "none" { Some(Self(None)) } else { Duration::parse(text).map(|value| Self(Some(value))) }
    }
}

/// A number of bytes: `262144`, `256KiB`, `1MiB`. From 1 byte to 16 MiB.
///
/// # Examples
///
/// ```
/// use nexios_settings::{ByteSize, Setting};
///
/// assert_eq!(ByteSize::parse("64KiB"), ByteSize::new(65_536));
/// assert_eq!(ByteSize::parse("64KiB").map(ByteSize::as_bytes), Some(65_536));
/// assert_eq!(ByteSize::parse("64kb"), None);
/// assert_eq!(ByteSize::new(ByteSize::MAX.as_bytes() + 1), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(usize);

impl ByteSize {
    /// The smallest size that a setting may have.
    pub const MIN: Self = Self(1);
    /// The largest size that a setting may have.
    pub const MAX: Self = Self(16 * 1024 * 1024);

    /// Makes a size of this many bytes, or returns `None` if it is not between [`MIN`](Self::MIN) and
    /// [`MAX`](Self::MAX).
    pub const fn new(bytes: usize) -> Option<Self> {
        if bytes < Self::MIN.0 || bytes > Self::MAX.0 { None } else { Some(Self(bytes)) }
    }

    /// Returns the number of bytes.
    pub const fn as_bytes(self) -> usize {
        self.0
    }
}

impl Setting for ByteSize {
    const ALLOWED: &'static str = "a whole number of bytes or one with a unit (64KiB, 1MiB), from 1 to 16MiB";

    fn parse(text: &str) -> Option<Self> {
        let (digits, unit) = split_number(text)?;
        let bytes_per_unit: usize = match unit {
            "" => 1,
            "KiB" => 1024,
            "MiB" => 1024 * 1024,
            _ => return None,
        };
        Self::new(digits.parse::<usize>().ok()?.checked_mul(bytes_per_unit)?)
    }
}

/// Splits `30m` into `30` and `m`. The parser of the standard library would also accept `+30`.
fn split_number(text: &str) -> Option<(&str, &str)> {
    let unit_at = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    (unit_at > 0).then(|| text.split_at(unit_at))
}

/// The durations that a setting may have: from one second to ten years.
///
/// # Examples
///
/// ```
/// use nexios_settings::DURATIONS;
/// use std::time::Duration;
///
/// assert!(DURATIONS.contains(&Duration::from_secs(1)));
/// assert!(!DURATIONS.contains(&Duration::ZERO));
/// ```
pub const DURATIONS: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(10 * 365 * 24 * 60 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_strict() {
        for (text, value) in [("true", true), ("1", true), ("false", false), ("0", false)] {
            assert_eq!(bool::parse(text), Some(value), "{text}");
        }
        for text in ["", "yes", "no", "on", "off", "True", "TRUE", "01", " true", "true ", "2"] {
            assert_eq!(bool::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn durations_are_seconds_or_have_a_unit() {
        for (text, seconds) in [
            ("1", 1),
            ("90", 90),
            ("90s", 90),
            ("30m", 1_800),
            ("2h", 7_200),
            ("14d", 1_209_600),
            ("3650d", 315_360_000),
        ] {
            assert_eq!(Duration::parse(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "0",
            "0s",
            "m",
            "-1",
            "+1",
            "1.5h",
            "1 h",
            "1H",
            "1w",
            "3651d",
            "1h30m",
            "99999999999999999999",
            "none",
            "१",
        ] {
            assert_eq!(Duration::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_the_exact_word_none_switches_a_setting_off() {
        assert_eq!(OrNone::<Duration>::parse("none"), Some(OrNone(None)));
        assert_eq!(OrNone::<Duration>::parse("1s"), Some(OrNone(Some(Duration::from_secs(1)))));
        for text in ["None", "", "off", "0"] {
            assert_eq!(OrNone::<Duration>::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn sizes_are_bytes_or_have_a_unit() {
        for (text, bytes) in [("1", 1), ("1KiB", 1024), ("256KiB", 262_144), ("1MiB", 1_048_576)] {
            assert_eq!(ByteSize::parse(text).map(ByteSize::as_bytes), Some(bytes), "{text}");
        }
        for text in ["", "0", "0KiB", "17MiB", "1KB", "1kib", "1 KiB", "KiB", "-1", "99999999999999999999MiB"] {
            assert_eq!(ByteSize::parse(text), None, "{text:?}");
        }
    }
}
