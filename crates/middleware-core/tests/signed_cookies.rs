//! Signed cookies as a tool of their own.
#![allow(clippy::unwrap_used)]

mod site;

use std::time::Duration;

use nexios_cookie_config::CookieConfig;
use nexios_middleware_core::{Header, RequestSession, SessionManager, SignedCookieErrorKind, SignedCookies};
use site::{Answer, KEY, OTHER_KEY, Site, Visitor, head_of, keys};

fn cookies(site: &Site, header: &str) -> SignedCookies {
    site.manager.request([header]).signed_cookies()
}

/// Returns the line that sets the first cookie of the response.
async fn set_cookie(request: &RequestSession) -> String {
    head_of(request).await.value(Header::SetCookie).unwrap().to_owned()
}

/// Sets a signed cookie, and returns the `name=value` that a browser keeps.
async fn set(site: &Site, name: &str, value: &str, lifetime: Option<Duration>) -> String {
    let request = site.manager.request([""; 0]);
    match lifetime {
        None => request.signed_cookies().set(name, value).unwrap(),
        Some(lifetime) => request.signed_cookies().set_for(name, value, lifetime).unwrap(),
    }
    let line = set_cookie(&request).await;
    line.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn any_text_comes_back() {
    let site = Site::new();
    for text in ["", "dark", "a=b; c, \"d\"\\", "grüße\n\0", "🍪", &"x".repeat(2900)] {
        for lifetime in [None, Some(Duration::from_secs(60))] {
            let cookie = set(&site, "theme", text, lifetime).await;
            assert_eq!(cookies(&site, &cookie).get("theme"), Ok(Some(text.to_owned())));
        }
    }
    assert_eq!(site.probe.total(), 0, "no store is asked");
}

#[tokio::test]
async fn absent_valid_and_tampered_are_told_apart() {
    let site = Site::new();
    let cookie = set(&site, "theme", "dark", None).await;
    assert_eq!(cookies(&site, "").get("theme"), Ok(None));
    assert_eq!(cookies(&site, "other=1").get("theme"), Ok(None));
    for tampered in ["theme=", "theme=dark", "theme=ZGFyaw.", "theme=.", "theme=\u{ff}"] {
        let error = cookies(&site, tampered).get("theme").unwrap_err();
        assert_eq!((error.kind(), error.status()), (SignedCookieErrorKind::Tampered, 400), "{tampered}");
    }
    for position in "theme=".len()..cookie.len() {
        let mut flipped = cookie.clone().into_bytes();
        flipped[position] ^= 1;
        let flipped = String::from_utf8(flipped).unwrap();
        let result = cookies(&site, &flipped).get("theme");
        // A flip may make a `;`, which ends the value, or a blank. The cookie is not ours either way.
        assert_eq!(result.unwrap_err().kind(), SignedCookieErrorKind::Tampered, "{flipped}");
    }
}

#[tokio::test]
async fn a_cookie_is_bound_to_its_name_and_kind() {
    let site = Site::new();
    let plain = set(&site, "pre", "1", None).await;
    let expiring = set(&site, "pre", "1", Some(Duration::from_secs(60))).await;
    let tampered = |header: String| cookies(&site, &header).get("auth").unwrap_err().kind();
    assert_eq!(tampered(plain.replace("pre=", "auth=")), SignedCookieErrorKind::Tampered);

    let (value, tag) = plain.strip_prefix("pre=").unwrap().split_once('.').unwrap();
    let forever = format!("pre={value}.{}.{tag}", u64::MAX);
    assert!(cookies(&site, &forever).get("pre").is_err(), "a plain one is not an expiring one");
    let mut parts = expiring.splitn(3, '.');
    let (value, _, tag) = (parts.next().unwrap(), parts.next(), parts.next().unwrap());
    assert!(cookies(&site, &format!("{value}.{tag}")).get("pre").is_err(), "nor the other way round");

    let visitor = site.visitor(|session| session.insert("a", &1).unwrap()).await;
    let session_as_cookie = visitor.cookies[0].replace("sessionid=", "auth=");
    assert_eq!(tampered(session_as_cookie), SignedCookieErrorKind::Tampered);
}

#[tokio::test]
async fn the_session_cookies_name_is_refused_in_any_case() {
    let site = Site::new();
    for name in ["sessionid", "SessionID", "", "a b", "a;b", "__Host-a", "__secure-a"] {
        for result in
            [cookies(&site, "").get(name).map(drop), cookies(&site, "").set(name, "1"), cookies(&site, "").remove(name)]
        {
            assert_eq!(result.unwrap_err().kind(), SignedCookieErrorKind::BadName, "{name}");
        }
    }
}

/// Makes two kinds of sessions in one application, which know of each other.
fn users_and_admins() -> (Site, Site) {
    let users = Site::new();
    let admin_cookie = CookieConfig::builder().name("admin").build().unwrap();
    let admins = Site::with(|builder| builder.cookie(admin_cookie).same_application(&users.manager));
    (users, admins)
}

#[tokio::test]
async fn each_layer_refuses_the_names_of_all_session_cookies() {
    let (users, admins) = users_and_admins();
    for site in [&users, &admins] {
        for name in ["sessionid", "admin", "Admin"] {
            let error = cookies(site, "").set(name, "1").unwrap_err();
            assert_eq!(error.kind(), SignedCookieErrorKind::BadName, "{name}");
        }
        assert!(cookies(site, "").set("theme", "dark").is_ok());
    }
}

#[tokio::test]
async fn two_managers_beside_each_other_cannot_share_a_cookies_name() {
    let (users, _admins) = users_and_admins();
    let third = SessionManager::builder(users.store.clone()).keys(keys(&[KEY])).same_application(&users.manager);
    assert_eq!(
        third.build().unwrap_err().to_string(),
        "SESSION_COOKIE_NAME is `sessionid`, but must be a name of its own, because another session manager of this application has it"
    );
}

#[tokio::test]
async fn an_expired_cookie_is_absent_whatever_the_browser_keeps() {
    let site = Site::new();
    let cookie = set(&site, "notice", "seen", Some(Duration::from_secs(60))).await;
    site.sleep(Duration::from_millis(59_999));
    assert_eq!(cookies(&site, &cookie).get("notice"), Ok(Some("seen".to_owned())));
    site.sleep(Duration::from_millis(1));
    assert_eq!(cookies(&site, &cookie).get("notice"), Ok(None));
}

#[tokio::test]
async fn a_value_that_does_not_fit_is_an_error_and_sets_nothing() {
    let site = Site::new();
    let request = site.manager.request([""; 0]);
    let error = request.signed_cookies().set("big", &"x".repeat(3100)).unwrap_err();
    assert_eq!(error.kind(), SignedCookieErrorKind::TooLarge);
    assert_eq!(error.to_string(), "signed cookie `big` would be longer than 4096 bytes");
    assert!(head_of(&request).await.lines.is_empty());
}

#[tokio::test]
async fn a_request_sees_what_it_has_set_and_removed() {
    let site = Site::new();
    let cookie = set(&site, "theme", "dark", None).await;
    let request = site.manager.request([&cookie]);
    let jar = request.signed_cookies();
    jar.set("theme", "light").unwrap();
    assert_eq!(request.signed_cookies().get("theme"), Ok(Some("light".to_owned())));
    jar.remove("theme").unwrap();
    assert_eq!(jar.get("theme"), Ok(None));
    let head = head_of(&request).await;
    let lines: Vec<_> = head.all(Header::SetCookie).collect();
    assert_eq!(lines.len(), 1, "one line a name");
    assert!(lines[0].starts_with("theme=;") && lines[0].contains("Max-Age=0"), "{}", lines[0]);
}

#[tokio::test]
async fn reading_sets_vary_and_setting_forbids_caching() {
    let site = Site::new();
    let request = site.manager.request(["theme=x"]);
    let _ = request.signed_cookies().get("theme");
    let head = head_of(&request).await;
    assert_eq!((head.value(Header::Vary), head.value(Header::CacheControl)), (Some("Cookie"), None));

    let request = site.manager.request([""; 0]);
    request.signed_cookies().set("theme", "dark").unwrap();
    let head = head_of(&request).await;
    assert_eq!((head.value(Header::Vary), head.value(Header::CacheControl)), (None, Some("no-store")));
}

#[tokio::test]
async fn a_cookie_of_an_old_key_is_signed_anew() {
    let site = Site::new();
    let cookie = set(&site, "theme", "dark", Some(Duration::from_secs(60))).await;
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    let request = rotated.manager.request([&cookie]);
    assert_eq!(request.signed_cookies().get("theme"), Ok(Some("dark".to_owned())));
    let line = set_cookie(&request).await;
    let retired = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY])));
    let reissued = line.split(';').next().unwrap();
    assert_eq!(cookies(&retired, reissued).get("theme"), Ok(Some("dark".to_owned())));
    assert!(cookies(&retired, &cookie).get("theme").is_err(), "a removed key opens nothing");
}

#[tokio::test]
async fn the_attributes_are_those_that_were_given() {
    let config = CookieConfig::strict().path("/").same_site(nexios_cookie_config::SameSite::Strict).build().unwrap();
    let site = Site::with(|builder| builder.signed_cookies(config));
    let request = site.manager.request([""; 0]);
    request.signed_cookies().set("__Host-theme", "dark").unwrap();
    let line = set_cookie(&request).await;
    assert!(line.contains("SameSite=Strict; Secure; Path=/"), "{line}");
}

#[tokio::test]
async fn a_failed_save_takes_the_handlers_cookies_with_its_answer() {
    let site = Site::new();
    let mut visitor = Visitor::default();
    let request = site.manager.request([""; 0]);
    request.session().await.unwrap().insert("a", &1).unwrap();
    request.signed_cookies().set("theme", "dark").unwrap();
    site.probe.make(site::CallKind::Create, site::Trouble::Fails);
    let answer = Answer::of(&request, &mut visitor, 200).await;
    assert_eq!((answer.failure, answer.set_cookie), (Some(503), None));
}

#[test]
fn debug_shows_no_value() {
    let site = Site::new();
    let jar = cookies(&site, "theme=hush");
    jar.set("theme", "hush").unwrap();
    assert!(!format!("{jar:?}").contains("hush"));
}
