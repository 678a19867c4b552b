//! The journeys of a visitor, for any client.

use std::time::{SystemTime, UNIX_EPOCH};

use super::Client;

pub fn log_in_change_log_out(visitor: &mut impl Client) {
    assert_eq!(visitor.get("/session"), "{}");
    assert_eq!(visitor.cookies(), [], "a visitor who only looks has no cookie");

    visitor.post("/session/cart", r#"["tea"]"#);
    let anonymous = visitor.cookie();
    assert_eq!(visitor.get("/session/cart"), r#"["tea"]"#);

    visitor.log_in("ada");
    assert_ne!(visitor.cookie().value, anonymous.value, "a login changes the id");
    assert_eq!(visitor.get("/session"), r#"{"cart":["tea"],"user":"ada"}"#);

    assert_eq!((visitor.post("/increment/n", ""), visitor.post("/increment/n", "")), ("1".into(), "2".into()));
    assert_eq!(visitor.call("DELETE", "/session/cart", "").0, 200);
    assert_eq!(visitor.get("/session"), r#"{"n":2,"user":"ada"}"#);

    visitor.post("/logout", "");
    assert_eq!(visitor.cookies(), [], "a logout takes the cookie away");
    assert_eq!(visitor.get("/session"), "{}");
    assert_eq!(visitor.post("/increment/n", ""), "1", "and what is begun afterwards is new");
}

pub fn a_logout_in_a_second_tab_logs_out_the_first(first: &mut impl Client) {
    first.log_in("ada");
    first.post("/session/cart", r#"["tea"]"#);
    let before = first.cookie();
    let mut second = first.another();
    assert_eq!(second.get("/session"), r#"{"cart":["tea"],"user":"ada"}"#);
    second.post("/session/from", r#""the second""#);
    assert_eq!(first.get("/session/from"), r#""the second""#);

    second.post("/logout", "");
    assert_eq!((first.get("/session"), second.get("/session")), ("{}".to_owned(), "{}".to_owned()));
    assert_eq!(first.post("/increment/n", ""), "1", "what is begun afterwards is new");
    assert_eq!(first.get("/session"), r#"{"n":1}"#);
    assert_ne!(first.cookie().value, before.value);
}

/// Needs the default settings.
pub fn the_cookie_has_the_default_flags(visitor: &mut impl Client, host: &str) {
    visitor.log_in("ada");
    let cookie = visitor.cookie();
    assert_eq!((&*cookie.name, &*cookie.domain, &*cookie.path), ("sessionid", host, "/"));
    assert_eq!((cookie.secure, cookie.http_only), (false, true));
    // Add a minute for the clocks of two programs, and for the time that has passed since.
    let days = (cookie.expires.unwrap() - now() + 60) / (24 * 60 * 60);
    assert_eq!(days, 14, "{cookie:?}");
}

/// Needs the name `__Host-app`, and Secure.
pub fn a_host_cookie_is_accepted_and_removed(visitor: &mut impl Client, host: &str) {
    visitor.log_in("ada");
    let cookie = visitor.cookie();
    assert_eq!((&*cookie.name, &*cookie.domain, &*cookie.path), ("__Host-app", host, "/"));
    assert_eq!((cookie.secure, cookie.http_only), (true, true));
    assert_eq!(visitor.get("/session/user"), r#""ada""#);
    visitor.post("/logout", "");
    assert_eq!(visitor.cookies(), []);
}

pub fn a_persistent_session_outlives_the_client(mut visitor: impl Client) {
    visitor.log_in("ada");
    let mut visitor = visitor.opened_again();
    assert_eq!(visitor.get("/session/user"), r#""ada""#);
}

/// Needs `SESSION_PERSISTENT=false`.
pub fn a_browser_session_ends_with_the_client(mut visitor: impl Client) {
    visitor.log_in("ada");
    assert_eq!(visitor.cookie().expires, None);
    assert_eq!(visitor.get("/session/user"), r#""ada""#);
    let mut visitor = visitor.opened_again();
    assert_eq!(visitor.cookies(), []);
    assert_eq!(visitor.get("/session"), "{}");
}

/// Needs Secure, no TLS, and a host name that is not loopback.
pub fn without_tls_a_secure_cookie_is_not_stored(visitor: &mut impl Client) {
    visitor.log_in("ada");
    assert_eq!(visitor.cookies(), []);
    assert_eq!(visitor.get("/session"), "{}");
}

fn now() -> i64 {
    i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap()
}
