//! The exact heads of answers.

use http::Method;

use crate::site::*;

pub(crate) async fn vary_is_merged_with_what_the_application_says(world: World) {
    let site = world.open().await;
    for (own, merged) in [
        (&["Accept-Encoding"][..], &["Accept-Encoding, Cookie"][..]),
        (&["Accept-Encoding,Origin", "Accept"], &["Accept-Encoding, Origin, Accept, Cookie"]),
        (&["Origin", "cookie"], &["Origin", "cookie"]),
        (&["*"], &["*"]),
    ] {
        let steps = own.iter().map(|line| header("vary", line)).chain([get("a")]);
        assert_eq!(site.visitor().visit(steps).await.all("vary"), merged, "{own:?}");
    }
}

pub(crate) async fn an_answer_with_our_cookie_is_not_left_to_shared_caches(world: World) {
    let site = world.open().await;
    for (own, with_cookie) in [
        (&[][..], &["no-store"][..]),
        (&["public, max-age=60"], &["no-store"]),
        (&["no-cache", "max-age=60"], &["no-store"]),
        (&["private=\"x\""], &["no-store"]),
        (&["Private, max-age=60"], &["Private, max-age=60"]),
        (&["max-age=60", "no-store"], &["max-age=60", "no-store"]),
    ] {
        let steps: Vec<_> = own.iter().map(|line| header("cache-control", line)).collect();
        let set = site.visitor().visit(steps.iter().cloned().chain([insert("a", 1)])).await;
        assert_eq!((set.all("cache-control"), set.cookies().len()), (with_cookie.to_vec(), 1), "{own:?}");
        let read = site.visitor().visit(steps.into_iter().chain([get("a")])).await;
        assert_eq!(read.all("cache-control"), own, "without a cookie it is the application's business");
    }
}

pub(crate) async fn cookies_of_the_application_stay_but_for_one_of_our_name(world: World) {
    let site = world.open().await;
    let own = ["theme=dark; Path=/", "sessionid=own", "SESSIONID=other", "theme=light; Path=/a"];
    let steps = own.map(|line| header("set-cookie", line));
    let answer = site.visitor().visit(steps.iter().cloned().chain([insert("a", 1)])).await;
    let cookies = answer.cookies();
    assert_eq!((cookies.len(), &cookies[..3]), (4, &[own[0], own[2], own[3]][..]));
    assert!(cookies[3].starts_with("sessionid=") && !cookies[3].contains("own"), "{cookies:?}");
    let answer = site.visitor().visit(steps.into_iter().chain([get("a")])).await;
    assert_eq!(answer.cookies(), own, "where we have nothing to say, they all stand");
}

pub(crate) async fn a_head_request_gets_the_head_of_a_get_request(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let answer = visitor.get("/visit").method(Method::HEAD).script([insert("a", 1), get("a")]).send().await;
    visitor.keep(&answer);
    let head = ["200", "cache-control: no-store", "content-length: 1", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", ""]].concat());
    assert_eq!(visitor.sees("a").await, "1");
}

pub(crate) async fn every_method_has_a_session(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    for method in ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "GET", "BREW"] {
        let method: Method = method.parse().unwrap();
        let answer = visitor.get("/visit").method(method.clone()).script([increment("n"), get("n")]).send().await;
        visitor.keep(&answer);
        let head = ["200", "cache-control: no-store", "content-length: 1", "content-type: text/plain"];
        assert_eq!(answer.lines()[..6], [&head[..], &[COOKIE, "vary: Cookie"]].concat(), "{method}");
    }
    assert_eq!(visitor.sees("n").await, "7");
    let preflight = site.get("/plain").method(Method::OPTIONS).header("origin", "https://example.org").send().await;
    assert_eq!((preflight.all("vary").len(), preflight.cookies().len()), (0, 0));
}

pub(crate) async fn a_redirect_carries_the_cookie(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let answer = visitor.visit_at("/redirect", [login("ada")]).await;
    let head = ["303", "cache-control: no-store", "content-length: 0", "location: /elsewhere"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", ""]].concat());
    assert_eq!(visitor.visit([Principal]).await.body, "\"ada\"");
}

pub(crate) async fn an_answer_of_the_framework_itself_has_no_header_of_ours(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let calls = site.probe.calls();
    let answer = visitor.get("/nowhere").send().await;
    assert_eq!(answer.lines(), ["404", "content-length: 0", ""]);
    assert_eq!(site.probe.calls(), calls);
}
