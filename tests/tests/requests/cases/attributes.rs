//! The attributes of the cookie, and settings that a request notices.

use nexios_cookie_config::{CookieConfig, SameSite};
use nexios_settings::ByteSize;

use crate::site::*;

const LIFETIME: &str = "Max-Age=1209600; Expires=Thu, 11 Jun 2026 20:26:40 GMT";
const OVER: &str = "Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

pub(crate) async fn the_cookie_is_set_and_removed_with_its_attributes(world: World) {
    let first = world.open().await;
    for (config, name, attributes) in [
        (CookieConfig::builder(), "sessionid", "HttpOnly; SameSite=Lax; Path=/"),
        (CookieConfig::strict(), "__Host-sessionid", "HttpOnly; SameSite=Lax; Secure; Path=/"),
        (
            CookieConfig::builder().name("__Secure-shop").secure(true).same_site(SameSite::Strict),
            "__Secure-shop",
            "HttpOnly; SameSite=Strict; Secure; Path=/",
        ),
        (
            CookieConfig::builder().name("shop").domain(".example.org").path("/shop").http_only(false),
            "shop",
            "SameSite=Lax; Path=/shop; Domain=example.org",
        ),
        (
            CookieConfig::strict().name("__Host-framed").same_site(SameSite::None).partitioned(true),
            "__Host-framed",
            "HttpOnly; SameSite=None; Partitioned; Secure; Path=/",
        ),
        (
            CookieConfig::builder().secure(true).same_site(SameSite::None),
            "sessionid",
            "HttpOnly; SameSite=None; Secure; Path=/",
        ),
    ] {
        let site = first.world().users(|builder| builder.cookie(config.build().unwrap())).open().await;
        let mut visitor = site.visitor();
        let set = visitor.visit([insert("a", 1)]).await;
        assert_eq!(set.lines()[4], format!("set-cookie: {name}=<id>; {attributes}; {LIFETIME}"));
        assert_eq!(visitor.sees("a").await, "1", "{name}");
        let removed = visitor.visit([Destroy]).await;
        assert_eq!(removed.cookies(), [format!("{name}=; {attributes}; {OVER}")]);
    }
}

pub(crate) async fn applications_of_one_domain_keep_their_cookies_apart(world: World) {
    let shop = world.open().await;
    let named = |name: &str| CookieConfig::builder().name(name).build().unwrap();
    let forum = shop.world().users(|builder| builder.cookie(named("forum"))).open().await;
    let mut visitor = shop.visitor();
    visitor.visit([insert("a", 1)]).await;
    let mut visitor = visitor.at(&forum);
    visitor.visit([insert("a", 2)]).await;
    assert_eq!((visitor.sees("a").await, visitor.at(&shop).sees("a").await), ("2".to_owned(), "1".to_owned()));
    let renamed = visitor.cookies().replace("sessionid=", "x=").replace("forum=", "sessionid=");
    let answer = shop.get("/visit").cookie(renamed).script([get("a")]).send().await;
    assert_eq!(answer.body, "null", "a cookie is signed for its name");
}

pub(crate) async fn a_browser_session_cookie_has_no_max_age_and_is_sent_once(world: World) {
    let site = world.users(|builder| builder.persistent(false)).open().await;
    let mut visitor = site.visitor();
    let set = visitor.visit([insert("a", 1)]).await;
    assert_eq!(set.lines()[4], "set-cookie: sessionid=<id>; HttpOnly; SameSite=Lax; Path=/");
    let changed = visitor.visit([insert("a", 2)]).await;
    let head = ["200", "content-length: 0", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(changed.lines(), [&head[..], &[""]].concat());
    assert_eq!(visitor.visit([Cycle]).await.max_age(), None);
    assert_eq!(visitor.visit([Destroy]).await.lines()[4], REMOVAL);
}

pub(crate) async fn a_session_chooses_whether_to_be_remembered(world: World) {
    let site = world.users(|builder| builder.persistent(false)).open().await;
    let mut visitor = site.visitor();
    assert_eq!(visitor.visit([login("ada"), persistent(true)]).await.lines()[4], COOKIE);
    assert_eq!(visitor.visit([insert("a", 1)]).await.lines()[4], COOKIE, "and the choice is kept");
    assert_eq!(visitor.visit([persistent(false)]).await.max_age(), None);
    assert_eq!(visitor.visit([insert("a", 2)]).await.cookies().len(), 0);
}

pub(crate) async fn a_session_is_kept_below_its_maximum_size(world: World) {
    let site = world.users(|builder| builder.max_size(ByteSize::new(2048).unwrap())).open().await;
    let mut visitor = site.visitor();
    let large = "x".repeat(1500);
    visitor.visit([insert("a", large.clone())]).await;
    let answer = visitor.visit([attempt(insert("b", large.clone())), insert("c", 1)]).await;
    assert_eq!((answer.status, answer.body.as_str()), (200, "\"TooLarge\""));
    let answer = visitor.visit([insert("d", 1), insert("b", large)]).await;
    assert_eq!(answer.lines(), ["500", "content-length: 0", "vary: Cookie", ""]);
    assert_eq!(visitor.visit([remove("a"), Entries]).await.body, r#"true [["c",1]]"#);
}
