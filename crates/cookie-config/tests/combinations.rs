//! Attributes that contradict each other, and characters that must not get into a header.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use nexios_cookie_config::{CookieConfig, CookieConfigBuilder, SameSite};
use nexios_settings::Vars;

fn message(builder: CookieConfigBuilder) -> String {
    builder.build().unwrap_err().to_string()
}

#[test]
fn contradictions_are_errors_that_name_both_attributes() {
    let builder = CookieConfig::builder;
    let named = |name| builder().name(name);
    for (builder, expected) in [
        (
            builder().same_site(SameSite::None),
            "cookie same_site is `None`, which needs cookie secure to be true, but it is false",
        ),
        (
            builder().partitioned(true),
            "cookie partitioned is `true`, which needs cookie secure to be true, but it is false",
        ),
        (named("__Secure-id"), "cookie name is `__Secure-id`, which needs cookie secure to be true, but it is false"),
        (named("__Host-id"), "cookie name is `__Host-id`, which needs cookie secure to be true, but it is false"),
        (
            named("__Host-id").secure(true).path("/app"),
            "cookie name is `__Host-id`, which needs cookie path to be `/`, but it is `/app`",
        ),
        (
            named("__Host-id").secure(true).domain(".example.org"),
            "cookie name is `__Host-id`, which needs cookie domain to be unset, but it is `example.org`",
        ),
        (named("__Http-id"), "cookie name is `__Http-id`, which needs cookie secure to be true, but it is false"),
        (
            named("__Http-id").secure(true).http_only(false),
            "cookie name is `__Http-id`, which needs cookie http_only to be true, but it is false",
        ),
        (
            named("__Host-Http-id"),
            "cookie name is `__Host-Http-id`, which needs cookie secure to be true, but it is false",
        ),
        (
            named("__Host-Http-id").secure(true).http_only(false),
            "cookie name is `__Host-Http-id`, which needs cookie http_only to be true, but it is false",
        ),
        (
            named("__Host-Http-id").secure(true).path("/app"),
            "cookie name is `__Host-Http-id`, which needs cookie path to be `/`, but it is `/app`",
        ),
        (
            named("__Host-Http-id").secure(true).domain("example.org"),
            "cookie name is `__Host-Http-id`, which needs cookie domain to be unset, but it is `example.org`",
        ),
    ] {
        assert_eq!(message(builder), expected);
    }
}

#[test]
fn contradictions_in_the_environment_name_both_variables() {
    for (vars, expected) in [
        (
            vec![("SESSION_COOKIE_SAMESITE", "none")],
            "SESSION_COOKIE_SAMESITE is `None`, which needs SESSION_COOKIE_SECURE to be true, but it is false",
        ),
        (
            vec![("SESSION_COOKIE_PARTITIONED", "1"), ("SESSION_COOKIE_SECURE", "0")],
            "SESSION_COOKIE_PARTITIONED is `true`, which needs SESSION_COOKIE_SECURE to be true, but it is false",
        ),
        (
            vec![("SESSION_COOKIE_NAME", "__secure-id")],
            "SESSION_COOKIE_NAME is `__secure-id`, which needs SESSION_COOKIE_SECURE to be true, but it is false",
        ),
        (
            vec![
                ("SESSION_COOKIE_NAME", "__Host-id"),
                ("SESSION_COOKIE_SECURE", "true"),
                ("SESSION_COOKIE_DOMAIN", "example.org"),
            ],
            "SESSION_COOKIE_NAME is `__Host-id`, which needs SESSION_COOKIE_DOMAIN to be unset, but it is `example.org`",
        ),
        (
            vec![
                ("SESSION_COOKIE_NAME", "__Host-id"),
                ("SESSION_COOKIE_SECURE", "true"),
                ("SESSION_COOKIE_PATH", "/app"),
            ],
            "SESSION_COOKIE_NAME is `__Host-id`, which needs SESSION_COOKIE_PATH to be `/`, but it is `/app`",
        ),
        (
            vec![
                ("SESSION_COOKIE_NAME", "__Http-id"),
                ("SESSION_COOKIE_SECURE", "true"),
                ("SESSION_COOKIE_HTTPONLY", "false"),
            ],
            "SESSION_COOKIE_NAME is `__Http-id`, which needs SESSION_COOKIE_HTTPONLY to be true, but it is false",
        ),
    ] {
        assert_eq!(CookieConfig::from_vars(&Vars::from_iter(vars)).unwrap_err().to_string(), expected);
    }
}

#[test]
fn prefixes_are_known_in_any_letter_case() {
    for prefix in ["__Secure-", "__Host-", "__Http-", "__Host-Http-"] {
        let mixed = |odd: usize| -> String {
            let case =
                |(at, c): (usize, char)| if at % 2 == odd { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
            prefix.chars().enumerate().map(case).collect()
        };
        for prefix in [prefix.to_owned(), prefix.to_lowercase(), prefix.to_uppercase(), mixed(0), mixed(1)] {
            let builder = || CookieConfig::builder().name(format!("{prefix}id"));
            assert!(builder().build().is_err(), "{prefix} without Secure");
            assert!(builder().secure(true).build().is_ok(), "{prefix} with what it needs");
            let needs = prefix.to_lowercase();
            let host_only = needs.starts_with("__host-");
            assert_eq!(builder().secure(true).domain("example.org").build().is_err(), host_only, "{prefix}");
            assert_eq!(builder().secure(true).path("/app").build().is_err(), host_only, "{prefix}");
            assert_eq!(builder().secure(true).http_only(false).build().is_err(), needs.contains("http"), "{prefix}");
        }
    }
}

#[test]
fn names_that_only_resemble_a_prefix_need_nothing() {
    for name in ["__Host", "__Hostid", "_Host-id", "Host-id", "__Secure", "x__Host-id", "__Http", "__HostHttp-id"] {
        assert!(CookieConfig::builder().name(name).path("/app").http_only(false).build().is_ok(), "{name}");
    }
    let host = CookieConfig::builder().name("__Host-Http").secure(true).http_only(false);
    assert!(host.build().is_ok(), "without a hyphen after `Http`, the prefix is `__Host-`");
}

#[test]
fn a_strict_configuration_can_be_renamed_and_stays_valid() {
    let cookie = CookieConfig::strict().build().unwrap();
    assert_eq!(cookie.set_cookie("v", None).unwrap(), "__Host-sessionid=v; HttpOnly; SameSite=Lax; Secure; Path=/");
    let other = CookieConfig::strict().name("__Host-shop").build().unwrap();
    assert_eq!(other.set_cookie("v", None).unwrap(), "__Host-shop=v; HttpOnly; SameSite=Lax; Secure; Path=/");
    assert!(CookieConfig::strict().domain("example.org").build().is_err());
}

#[test]
fn a_configuration_can_be_built_from_another() {
    let shop = CookieConfig::builder().name("shop").domain("example.org").path("/shop").secure(true).build().unwrap();
    assert_eq!(shop.to_builder().build().unwrap(), shop);
    let cart = shop.to_builder().name("cart").host_only().build().unwrap();
    assert_eq!(cart.set_cookie("v", None).unwrap(), "cart=v; HttpOnly; SameSite=Lax; Secure; Path=/shop");
}

/// The character of each byte value, and some others. Among them are all that could end a header line or begin another
/// attribute.
fn characters() -> impl Iterator<Item = char> {
    ('\0'..='\u{ff}').chain(['\u{2028}', '\u{feff}', '；', '🍪'])
}

#[test]
fn no_character_escapes_from_its_field() {
    for c in characters() {
        let builder = CookieConfig::builder;
        for (field, builder, allowed) in [
            ("name", builder().name(format!("a{c}b")), c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c)),
            ("domain", builder().domain(format!("a{c}b.example")), c.is_ascii_alphanumeric() || c == '-' || c == '.'),
            ("path", builder().path(format!("/a{c}b")), (' '..='~').contains(&c) && c != ';'),
        ] {
            match builder.build() {
                Ok(cookie) => {
                    assert!(allowed, "{field} accepts {c:?}");
                    let line = cookie.set_cookie("value", None).unwrap();
                    let attributes = line.matches(';').count();
                    assert_eq!(attributes, if field == "domain" { 4 } else { 3 }, "{line}");
                    assert!(line.bytes().all(|b| (b' '..=b'~').contains(&b)), "{line:?}");
                }
                Err(error) => {
                    assert!(!allowed, "{field} refuses {c:?}");
                    assert!(!error.to_string().contains(char::is_control), "{error:?}");
                }
            }
        }
    }
}

#[test]
fn no_character_escapes_from_the_value() {
    let cookie = CookieConfig::default();
    for c in characters() {
        let allowed = ('!'..='~').contains(&c) && !"\",;\\".contains(c);
        match cookie.set_cookie(&format!("a{c}b"), None) {
            Ok(line) => {
                assert!(allowed, "{c:?} is accepted");
                assert_eq!(line, format!("sessionid=a{c}b; HttpOnly; SameSite=Lax; Path=/"));
            }
            Err(error) => {
                assert!(!allowed, "{c:?} is refused");
                let message = "cookie `sessionid` has a value with characters that a cookie cannot hold";
                assert_eq!(error.to_string(), message);
            }
        }
    }
}
