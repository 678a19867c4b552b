//! Mistakes of an adapter that no other case shows.

use nexios_middleware_core::{Event, FailureBody};

use crate::site::*;

/// A site whose failures have a body, and a visitor with a session in which `a` is 1.
async fn open(world: World) -> (Site, Visitor) {
    let body = |status| FailureBody::new("application/problem+json", format!(r#"{{"status":{status}}}"#));
    let site = world.users(|builder| builder.failure_body(body)).open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    (site, visitor)
}

const PROBLEM: [&str; 2] = ["content-length: 14", "content-type: application/problem+json"];

pub(crate) async fn an_error_as_the_answer_has_the_configured_body(world: World) {
    let (site, visitor) = open(world).await;
    let unavailable = [&["503"][..], &PROBLEM, &["retry-after: <soon>", "vary: Cookie", r#"{"status":503}"#]].concat();
    site.probe.make(CallKind::Load, Trouble::Fails);
    for path in ["/visit", "/optional"] {
        assert_eq!(visitor.get(path).send().await.lines(), unavailable, "{path}");
    }
    site.probe.heal();
    let answer = visitor.get("/visit").script([insert("t", "text"), get_number("t")]).send().await;
    assert_eq!(answer.lines(), [&["500"][..], &PROBLEM, &["vary: Cookie", r#"{"status":500}"#]].concat());
    let answer = visitor.get("/signed").cookie("theme=forged").jar([read_cookie("theme")]).send().await;
    assert_eq!(answer.lines(), [&["400"][..], &PROBLEM, &["vary: Cookie", r#"{"status":400}"#]].concat());
    let own = visitor.get("/visit").script([get("a"), status(503)]).send().await;
    assert_eq!((own.status, own.body.as_str()), (503, "1"), "an answer of the application's own stands");
}

pub(crate) async fn a_failed_save_has_the_configured_body(world: World) {
    let (site, visitor) = open(world).await;
    site.probe.make(CallKind::Update, Trouble::Fails);
    let answer = visitor.get("/visit").script([insert("a", 2), get("a")]).send().await;
    let rest = ["retry-after: <soon>", "vary: Cookie", r#"{"status":503}"#];
    assert_eq!(answer.lines(), [&["503"][..], &PROBLEM, &rest].concat());
}

pub(crate) async fn an_error_as_the_answer_is_an_event(world: World) {
    let (site, visitor) = open(world).await;
    let failed = || site.users.counters().of(Event::RequestFailed);
    let wrong_type = [insert("t", "text"), get_number("t")];
    visitor.get("/visit").script(wrong_type.clone()).send().await;
    assert_eq!(failed(), 1);
    visitor.get("/visit").script([attempt(wrong_type[1].clone()), status(500)]).send().await;
    assert_eq!(failed(), 1, "an answer of the application's own tells nothing");
    site.probe.make(CallKind::Load, Trouble::Fails);
    visitor.get("/optional").send().await;
    assert_eq!(failed(), 2);
}

pub(crate) async fn of_nested_layers_one_tells_of_an_error(world: World) {
    let site = world.layout(Layout::Nested).open().await;
    site.get("/both").script([insert("t", "text"), get_number("t")]).send().await;
    let failed = [&site.users, &site.admins].map(|manager| manager.counters().of(Event::RequestFailed));
    assert_eq!(failed.iter().sum::<u64>(), 1, "{failed:?}");
}

pub(crate) async fn a_cookie_counts_beside_bytes_that_are_no_text(world: World) {
    let (site, visitor) = open(world).await;
    let line = [b"legacy=\xe4\xff; ", visitor.cookies().as_bytes(), b"; other=\x80"].concat();
    let request = site.get("/visit").cookie(line).cookie(b"\xff".repeat(9)).script([get("a")]);
    assert_eq!(request.send().await.body, "1");
}
