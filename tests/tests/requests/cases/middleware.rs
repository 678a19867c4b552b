//! Other middleware around ours and inside it, nested routes, and several workers.

use crate::site::*;

pub(crate) async fn an_early_answer_of_a_middleware_outside_costs_nothing(world: World) {
    let site = world.open().await;
    let answer = site.get("/visit").header("x-outside", "early").script([insert("a", 1)]).send().await;
    assert_eq!(answer.lines(), ["403", "content-length: 5", "content-type: text/plain", "early"]);
    assert_eq!(site.probe.calls(), 0);
}

pub(crate) async fn an_early_answer_of_a_middleware_inside_is_like_a_handlers(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let answer = visitor.get("/visit").header("x-inside", "early").script([insert("a", 1)]).send().await;
    assert_eq!(answer.lines(), ["403", "content-length: 5", "content-type: text/plain", "early"]);
    assert_eq!(site.probe.calls(), 0);

    let answer = visitor.get("/visit").header("x-inside", r#"early [{"insert":["a",1]}]"#).send().await;
    visitor.keep(&answer);
    let head = ["403", "cache-control: no-store", "content-length: 5", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", "early"]].concat());
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), 1), "it has changed the session");
}

pub(crate) async fn an_inner_middlewares_error_keeps_the_saved_sessions_cookie(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let old = visitor.cookies();
    let answer = visitor.get("/visit").header("x-inside", r#"fail ["cycle", "save"]"#).send().await;
    visitor.keep(&answer);
    let head = ["401", "cache-control: no-store", "content-length: 6", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Accept, Cookie", "failed"]].concat());
    assert_ne!(visitor.cookies(), old);
    assert_eq!(visitor.sees("a").await, "1");

    let answer = visitor.get("/visit").header("x-inside", r#"fail [{"insert": ["b", 2]}]"#).send().await;
    assert_eq!((answer.status, answer.cookies().len()), (401, 1));
    assert_eq!(visitor.sees("b").await, "2", "an error is an answer like any other");

    let answer = visitor.get("/visit").header("x-inside", r#"fail ["destroy"]"#).send().await;
    assert_eq!(answer.lines(), [&head[..], &[REMOVAL, "vary: Accept, Cookie", "failed"]].concat());
    assert_eq!(site.sessions().await, 0);

    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    site.probe.make(CallKind::Delete, Trouble::Fails);
    let answer = visitor.get("/visit").header("x-inside", r#"fail ["destroy"]"#).send().await;
    assert_eq!(answer.lines(), ["503", "content-length: 0", "retry-after: <soon>", "vary: Accept, Cookie", ""]);
}

pub(crate) async fn the_status_that_comes_out_of_the_inner_middleware_counts(world: World) {
    let site = world.open().await;
    let answer = site.get("/visit").header("x-inside", "status 500").script([insert("a", 1)]).send().await;
    let head = ["500", "content-length: 0", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(answer.lines(), [&head[..], &[""]].concat());
    let answer = site.get("/visit").header("x-inside", "status 200").script([insert("a", 1), status(500)]).send().await;
    assert_eq!((answer.status, answer.cookies().len()), (200, 1));
    assert_eq!(site.sessions().await, 1);
}

pub(crate) async fn a_status_changed_by_an_outer_middleware_does_not_count(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let answer = visitor.get("/visit").header("x-outside", "status 500").script([insert("a", 1)]).send().await;
    visitor.keep(&answer);
    assert_eq!((answer.status, answer.cookies().len(), visitor.sees("a").await), (500, 1, "1".to_owned()));
}

pub(crate) async fn what_error_handlers_make_of_an_answer_counts(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let answer = visitor.visit([insert("a", 1), status(501)]).await;
    let head = ["200", "cache-control: no-store", "content-length: 7", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", "handled"]].concat());
    let answer = visitor.visit([insert("a", 2), status(418)]).await;
    let head = ["500", "content-length: 7", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(answer.lines(), [&head[..], &["handled"]].concat());
    assert_eq!(visitor.sees("a").await, "1");
}

pub(crate) async fn cookies_of_other_middleware_stand_beside_ours(world: World) {
    let site = world.open().await;
    let request = site.get("/visit").header("x-inside", "cookie inner=1").header("x-outside", "cookie outer=1");
    let answer = request.script([header("set-cookie", "own=1"), insert("a", 1)]).send().await;
    let names: Vec<_> = answer.cookies().iter().map(|line| line.split('=').next().unwrap()).collect();
    assert_eq!(names, ["own", "inner", "sessionid", "outer"]);
    let answer = site.get("/visit").header("x-inside", "cookie sessionid=evil").script([insert("a", 1)]).send().await;
    assert_eq!(answer.lines()[4], COOKIE);
    assert_eq!(answer.cookies().len(), 1, "but one of our name takes no place beside it");

    // A program that has moved its cookie removes the one of before.
    let removal = "sessionid=; Max-Age=0; Path=/; Domain=example.org";
    let answer = site.get("/visit").script([header("set-cookie", removal), insert("a", 1)]).send().await;
    assert_eq!((answer.cookies().len(), answer.cookies()[0]), (2, removal), "that is another cookie");
}

pub(crate) async fn nested_routes_have_the_session_of_the_layer_around_them(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit_at("/nested/deep/visit", [insert("a", 1)]).await;
    let answer = visitor.visit_at("/nested/deep/visit", [increment("a"), get("a")]).await;
    let head = ["200", "cache-control: no-store", "content-length: 1", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", "2"]].concat());
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("2".to_owned(), 2));
}

pub(crate) async fn all_workers_share_the_sessions(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    // Each request has a connection of its own, and the server spreads connections over its workers.
    for number in 1..=16 {
        assert_eq!(visitor.visit([increment("n"), get("n")]).await.body, number.to_string());
    }
    assert_eq!((site.sessions().await, site.probe.writes()), (1, 16));
}
