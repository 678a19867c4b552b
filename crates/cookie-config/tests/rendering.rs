//! The `Set-Cookie` lines, compared with those of the `cookie` crate.

use std::time::Duration;

use cookie::Cookie;
use cookie::time::{self, OffsetDateTime};
use nexios_cookie_config::{CookieConfig, CookieConfigBuilder, Lifetime, SameSite, is_same_cookie};
use proptest::prelude::*;

const DAY: u64 = 24 * 60 * 60;
const NOW: u64 = 1_700_000_000;

fn lasting(remaining: Duration) -> Lifetime {
    Lifetime::new(remaining, NOW + remaining.as_secs())
}

#[test]
fn a_cookie_without_a_lifetime_ends_with_the_browser_session() {
    let line = CookieConfig::default().set_cookie("value", None).unwrap();
    assert_eq!(line, "sessionid=value; HttpOnly; SameSite=Lax; Path=/");
}

#[test]
fn a_lifetime_is_sent_in_both_forms() {
    let line = CookieConfig::default().set_cookie("value", Some(lasting(Duration::from_secs(14 * DAY)))).unwrap();
    assert_eq!(
        line,
        "sessionid=value; HttpOnly; SameSite=Lax; Path=/; Max-Age=1209600; Expires=Tue, 28 Nov 2023 22:13:20 GMT",
    );
}

#[test]
fn every_attribute_is_sent() {
    let cookie = CookieConfig::builder()
        .name("id")
        .domain(".example.org")
        .path("/app")
        .http_only(false)
        .secure(true)
        .same_site(SameSite::None)
        .partitioned(true)
        .build()
        .unwrap();
    let expected = "; SameSite=None; Partitioned; Secure; Path=/app; Domain=example.org";
    assert_eq!(cookie.set_cookie("v", None).unwrap(), format!("id=v{expected}"));
    assert_eq!(cookie.removal_cookie(), format!("id={expected}; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
}

#[test]
fn same_site_can_be_left_out() {
    for secure in [false, true] {
        let cookie = CookieConfig::builder().same_site(SameSite::Omit).secure(secure).build().unwrap();
        let expected = if secure { "; HttpOnly; Secure; Path=/" } else { "; HttpOnly; Path=/" };
        assert_eq!(cookie.set_cookie("v", None).unwrap(), format!("sessionid=v{expected}"));
        assert!(!cookie.removal_cookie().contains("SameSite"));
    }
}

#[test]
fn a_part_of_a_second_counts_as_a_whole_one() {
    for (remaining, max_age) in [
        (Duration::ZERO, "Max-Age=0"),
        (Duration::from_nanos(1), "Max-Age=1"),
        (Duration::from_secs(1), "Max-Age=1"),
        (Duration::from_millis(1001), "Max-Age=2"),
    ] {
        let line = CookieConfig::default().set_cookie("v", Some(lasting(remaining))).unwrap();
        assert!(line.contains(&format!("; {max_age}; ")), "{line}");
    }
}

#[test]
fn a_lifetime_is_at_most_400_days_in_both_forms() {
    let line = |remaining| CookieConfig::default().set_cookie("v", Some(lasting(remaining))).unwrap();
    let longest = line(Duration::from_secs(400 * DAY));
    assert!(longest.ends_with("; Max-Age=34560000; Expires=Wed, 18 Dec 2024 22:13:20 GMT"), "{longest}");
    assert_ne!(line(Duration::from_secs(400 * DAY - 1)), longest);
    for more in [Duration::from_secs(400 * DAY + 1), Duration::from_secs(3650 * DAY)] {
        assert_eq!(line(more), longest);
    }
}

#[test]
fn a_lifetime_beyond_every_calendar_is_still_a_date() {
    let cookie = CookieConfig::default();
    for (remaining, expires_at, expected) in [
        (Duration::MAX, u64::MAX, "Max-Age=34560000; Expires=Fri, 05 Feb 1971 00:00:00 GMT"),
        (Duration::MAX, 0, "Max-Age=34560000; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
        (Duration::from_secs(60), u64::MAX, "Max-Age=60; Expires=Fri, 31 Dec 9999 23:59:59 GMT"),
        (Duration::from_secs(60), 0, "Max-Age=60; Expires=Thu, 01 Jan 1970 00:00:00 GMT"),
    ] {
        let line = cookie.set_cookie("v", Some(Lifetime::new(remaining, expires_at))).unwrap();
        assert!(line.ends_with(expected), "{line}");
    }
}

#[test]
fn name_and_value_are_at_most_4096_bytes_together() {
    for name in ["sessionid".to_owned(), "n".to_owned(), "n".repeat(256)] {
        let cookie = CookieConfig::builder().name(&name).path(format!("/{}", "p".repeat(1000))).build().unwrap();
        let room = 4096 - name.len();
        assert!(cookie.set_cookie(&"v".repeat(room), None).is_ok());
        for len in [room + 1, 1_000_000] {
            let error = cookie.set_cookie(&"v".repeat(len), None).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!("cookie `{name}` is longer than 4096 bytes, name and value together")
            );
            assert!(!format!("{error:?}").contains("vvv"), "the value is not shown");
        }
    }
}

/// Makes any configuration that can be built.
fn config() -> impl Strategy<Value = CookieConfig> {
    let prefix = prop::sample::select(vec!["", "", "__Host-", "__secure-", "__HTTP-", "__Host-Http-"]);
    let name = (prefix, "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,30}").prop_map(|(prefix, name)| format!("{prefix}{name}"));
    let domain = prop::option::of("\\.?([a-z0-9]([a-z0-9-]{0,5}[a-z0-9])?\\.){1,3}[a-z]{2,5}");
    let same_site = prop::sample::select(vec![SameSite::Lax, SameSite::Strict, SameSite::None, SameSite::Omit]);
    (name, domain, "/|/[!-:<-~]{0,30}", any::<[bool; 3]>(), same_site).prop_filter_map(
        "contradictions are refused",
        |(name, domain, path, [http_only, secure, partitioned], same_site)| {
            let builder = CookieConfig::builder().name(name).path(path).http_only(http_only).secure(secure);
            let builder = builder.same_site(same_site).partitioned(partitioned);
            domain.into_iter().fold(builder, CookieConfigBuilder::domain).build().ok()
        },
    )
}

fn lifetime() -> impl Strategy<Value = (u64, u64)> {
    (0..=400 * DAY, 0..=253_402_300_799_u64)
}

/// The same cookie as the `cookie` crate makes it, from the getters of the configuration.
fn reference<'c>(config: &'c CookieConfig, value: &'c str, lifetime: Option<(u64, u64)>) -> Cookie<'c> {
    let mut cookie = Cookie::build((config.name(), value))
        .path(config.path())
        .http_only(config.is_http_only())
        .secure(config.is_secure())
        .partitioned(config.is_partitioned())
        .build();
    cookie.set_same_site(match config.same_site() {
        SameSite::Lax => Some(cookie::SameSite::Lax),
        SameSite::Strict => Some(cookie::SameSite::Strict),
        SameSite::None => Some(cookie::SameSite::None),
        SameSite::Omit => None,
    });
    if let Some(domain) = config.domain() {
        cookie.set_domain(domain);
    }
    if let Some((remaining, expires_at)) = lifetime {
        cookie.set_max_age(time::Duration::seconds(remaining.cast_signed()));
        cookie.set_expires(OffsetDateTime::from_unix_timestamp(expires_at.cast_signed()).ok());
    }
    cookie
}

/// The attributes of a line: the parts after the value, without the lifetime.
fn attributes(line: &str) -> Vec<&str> {
    let is_lifetime = |attribute: &&str| attribute.starts_with("Max-Age=") || attribute.starts_with("Expires=");
    line.split("; ").skip(1).filter(|attribute| !is_lifetime(attribute)).collect()
}

proptest! {
    #[test]
    fn a_line_equals_the_one_that_the_cookie_crate_writes(
        config in config(),
        value in "[!#-+\\--:<-\\[\\]-~]{0,60}",
        lifetime in prop::option::of(lifetime()),
    ) {
        let sent = lifetime.map(|(remaining, expires_at)| Lifetime::new(Duration::from_secs(remaining), expires_at));
        let line = config.set_cookie(&value, sent).unwrap();
        let reference = reference(&config, &value, lifetime);
        prop_assert_eq!(&line, &reference.to_string());

        let parsed = Cookie::parse(&line).unwrap();
        prop_assert_eq!(parsed.name_value(), (config.name(), value.as_str()));
        prop_assert_eq!(parsed.path(), Some(config.path()));
        prop_assert_eq!(parsed.domain(), config.domain());
        prop_assert_eq!(parsed.http_only().unwrap_or(false), config.is_http_only());
        prop_assert_eq!(parsed.secure().unwrap_or(false), config.is_secure());
        prop_assert_eq!(parsed.partitioned().unwrap_or(false), config.is_partitioned());
        prop_assert_eq!(parsed.same_site(), reference.same_site());
        prop_assert_eq!(parsed.max_age(), reference.max_age());
        prop_assert_eq!(parsed.expires_datetime(), reference.expires_datetime());

        prop_assert!(config.candidates(line.as_bytes()).next() == Some(value.as_bytes()));
    }

    #[test]
    fn a_removal_differs_only_in_value_and_lifetime(
        config in config(),
        lifetime in prop::option::of(lifetime()),
    ) {
        let sent = lifetime.map(|(remaining, expires_at)| Lifetime::new(Duration::from_secs(remaining), expires_at));
        let (set, removal) = (config.set_cookie("value", sent).unwrap(), config.removal_cookie());
        prop_assert_eq!(attributes(&set), attributes(&removal));

        let parsed = Cookie::parse(&removal).unwrap();
        prop_assert_eq!(parsed.name_value(), (config.name(), ""));
        prop_assert_eq!(parsed.max_age(), Some(time::Duration::ZERO));
        prop_assert_eq!(parsed.expires_datetime(), Some(OffsetDateTime::UNIX_EPOCH));
        prop_assert!(is_same_cookie(set.as_bytes(), removal.as_bytes()));
    }
}
