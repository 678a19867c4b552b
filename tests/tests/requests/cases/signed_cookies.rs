//! Signed cookies: text that visitors keep and cannot change.

use std::time::Duration;

use crate::site::*;

const TAMPERED: [&str; 4] = ["400", "content-length: 0", "vary: Cookie", ""];

async fn set(site: &Site, name: &str, value: &str) -> String {
    site.get("/signed").jar([set_cookie(name, value)]).send().await.cookie()
}

async fn read(site: &Site, cookie: &str, name: &str) -> Answer {
    site.get("/signed").cookie(cookie).jar([read_cookie(name)]).send().await
}

pub(crate) async fn a_signed_cookie_is_readable_and_comes_back(world: World) {
    let site = world.open().await;
    let answer = site.get("/signed").jar([set_cookie("theme", "dark"), read_cookie("theme")]).send().await;
    let lines = answer.lines();
    assert_eq!(lines[..4], ["200", "cache-control: no-store", "content-length: 6", "content-type: text/plain"]);
    assert!(lines[4].starts_with("set-cookie: theme=ZGFyaw."), "the text in base64, and the signature: {lines:?}");
    assert!(lines[4].ends_with("; HttpOnly; SameSite=Lax; Path=/"), "for the browser's session: {lines:?}");
    assert_eq!(lines[5..], ["vary: Cookie", "\"dark\""]);
    let answer = read(&site, &answer.cookie(), "theme").await;
    let head = ["200", "content-length: 6", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(answer.lines(), [&head[..], &["\"dark\""]].concat());
    assert_eq!(site.probe.calls(), 0, "no store is asked");
}

pub(crate) async fn any_text_survives_the_journey(world: World) {
    let site = world.open().await;
    for text in ["", "a=b; c, \"d\"\\", "grüße\r\nset-cookie: evil=1\r\n\0", &"x".repeat(2900)] {
        let cookie = set(&site, "t", text).await;
        assert_eq!(read(&site, &cookie, "t").await.body, serde_json::json!(text).to_string());
    }
}

pub(crate) async fn absent_and_tampered_are_told_apart(world: World) {
    let site = world.open().await;
    let good = set(&site, "theme", "dark").await;
    assert_eq!(read(&site, "other=1", "theme").await.body, "null");
    let mut forged = good.clone().into_bytes();
    *forged.last_mut().unwrap() ^= 4;
    for tampered in ["theme=", "theme=dark", "theme=ZGFyaw", &String::from_utf8(forged).unwrap()] {
        assert_eq!(read(&site, tampered, "theme").await.lines(), TAMPERED, "{tampered}");
    }
    let several = format!("theme=forged; {good}");
    assert_eq!(read(&site, &several, "theme").await.body, "\"dark\"", "the first that verifies counts");
}

pub(crate) async fn a_signature_is_for_one_name_and_one_kind(world: World) {
    let site = world.open().await;
    let good = set(&site, "theme", "dark").await;
    assert_eq!(read(&site, &good.replace("theme=", "role="), "role").await.lines(), TAMPERED);
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let session = visitor.cookies().replace("sessionid=", "role=");
    assert_eq!(read(&site, &session, "role").await.lines(), TAMPERED, "nor is a session's cookie a signed one");
    let as_session = good.replace("theme=", "sessionid=");
    assert_eq!(site.get("/visit").cookie(as_session).script([get("a")]).send().await.body, "null");
}

pub(crate) async fn the_server_keeps_to_the_lifetime_that_it_has_signed(world: World) {
    let site = world.open().await;
    let answer = site.get("/signed").jar([set_cookie_for("notice", "seen", 60)]).send().await;
    assert_eq!(answer.max_age(), Some(60));
    let cookie = answer.cookie();
    site.sleep(Duration::from_millis(59_999));
    assert_eq!(read(&site, &cookie, "notice").await.body, "\"seen\"");
    site.sleep(Duration::from_millis(1));
    assert_eq!(read(&site, &cookie, "notice").await.body, "null");
}

pub(crate) async fn a_cookie_of_an_old_key_is_signed_anew_when_it_is_read(world: World) {
    let site = world.open().await;
    let old = set(&site, "theme", "dark").await;
    let rotated = site.world().users(|builder| builder.keys(keys(&[OTHER_KEY, KEY]))).open().await;
    let answer = read(&rotated, &old, "theme").await;
    let new = answer.cookie();
    assert_eq!(answer.body, "\"dark\"");
    assert_ne!(new, old);
    assert_eq!(read(&rotated, &new, "theme").await.cookies().len(), 0, "once");
    let retired = site.world().users(|builder| builder.keys(keys(&[OTHER_KEY]))).open().await;
    assert_eq!(read(&retired, &new, "theme").await.body, "\"dark\"");
    assert_eq!(read(&retired, &old, "theme").await.lines(), TAMPERED);
}

pub(crate) async fn a_cookie_is_removed_as_it_was_set(world: World) {
    let site = world.open().await;
    let answer = site.get("/signed").jar([set_cookie("theme", "dark"), remove_cookie("theme")]).send().await;
    let removal = "theme=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";
    assert_eq!(answer.cookies(), [removal], "one line a name");
    assert_eq!(answer.all("vary").len(), 0, "nothing was read");
}

pub(crate) async fn bad_names_and_oversized_values_are_empty_500s(world: World) {
    let site = world.open().await;
    let too_large = "x".repeat(3100);
    for (name, value) in [
        ("sessionid", "1"),
        ("SessionID", "1"),
        ("admin", "1"),
        ("a b", "1"),
        ("a;b", "1"),
        ("__Host-a", "1"),
        ("a", &too_large),
    ] {
        let answer = site.get("/signed").jar([set_cookie("theme", "dark"), set_cookie(name, value)]).send().await;
        assert_eq!((answer.status, answer.body.as_str()), (500, ""), "{name}");
    }
}

pub(crate) async fn the_sessions_cookie_comes_before_the_signed_ones(world: World) {
    let site = world.open().await;
    let request = site.get("/visit-signed").script([insert("a", 1)]).jar([set_cookie("b", "1"), set_cookie("a", "2")]);
    let answer = request.send().await;
    let names: Vec<_> = answer.cookies().iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(names, ["sessionid", "a", "b"]);
    assert_eq!(answer.all("cache-control"), ["no-store"]);
}

pub(crate) async fn a_failed_save_takes_the_signed_cookies_with_the_answer(world: World) {
    let site = world.open().await;
    site.probe.make(CallKind::Create, Trouble::Fails);
    let request = site.get("/visit-signed").script([insert("a", 1)]).jar([set_cookie("theme", "dark")]);
    assert_eq!(request.send().await.lines(), ["503", "content-length: 0", "retry-after: <soon>", "vary: Cookie", ""]);
}

pub(crate) async fn signed_cookies_work_while_the_store_is_down(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    for call in [CallKind::Load, CallKind::Update, CallKind::Touch] {
        site.probe.make(call, Trouble::Fails);
    }
    let answer = visitor.get("/signed").jar([set_cookie("theme", "dark")]).send().await;
    visitor.keep(&answer);
    let answer = visitor.get("/signed").jar([read_cookie("theme")]).send().await;
    assert_eq!((answer.status, answer.body.as_str(), site.probe.calls()), (200, "\"dark\"", 1));
}
