//! The life of a session, from its first value to its end.

use serde_json::json;

use crate::site::*;

pub(crate) async fn the_answer_to_the_first_value_carries_the_cookie(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let answer = visitor.visit([insert("name", "Ada"), get("name")]).await;
    let head = ["200", "cache-control: no-store", "content-length: 5", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", "\"Ada\""]].concat());
    assert_eq!((visitor.sees("name").await, site.sessions().await), ("\"Ada\"".to_owned(), 1));
}

pub(crate) async fn a_route_without_the_session_costs_no_call_and_no_header(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let calls = site.probe.calls();
    let answer = visitor.get("/plain").send().await;
    let head = ["200", "content-length: 5", "content-type: text/plain; charset=utf-8"];
    assert_eq!(answer.lines(), [&head[..], &["hello"]].concat());
    assert_eq!(site.probe.calls(), calls);
}

pub(crate) async fn a_visitor_who_only_reads_gets_no_cookie_and_no_record(world: World) {
    let site = world.open().await;
    let answer = site.visitor().visit([get("a"), remove("a"), take("a"), Entries, Clear, IsModified, Cycle]).await;
    let head = ["200", "content-length: 24", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(answer.lines(), [&head[..], &["null false null [] false"]].concat());
    assert_eq!(site.probe.calls(), 0);
}

pub(crate) async fn a_value_removed_by_the_same_request_leaves_no_trace(world: World) {
    let site = world.open().await;
    let answer = site.visitor().visit([insert("a", 1), take("a")]).await;
    assert_eq!((answer.cookies().len(), answer.body.as_str(), site.probe.calls()), (0, "1", 0));
}

pub(crate) async fn values_are_changed_from_request_to_request(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let nested = json!({"list": [1, -2, 3.5, null, true], "text": "grüße\r\n\0", "large": "x".repeat(20_000)});
    for (steps, read) in [
        (vec![insert("a", 1), insert("b", nested.clone()), increment("n")], "".to_owned()),
        (vec![get("a"), increment("n"), get("n"), get("b")], format!("1 2 {nested}")),
        (vec![take("a"), remove("b"), remove("b"), get("a")], "1 true false null".to_owned()),
        (vec![insert("n", "text"), IsModified, Entries], r#"true [["n","text"]]"#.to_owned()),
        (vec![Entries, IsModified], r#"[["n","text"]] false"#.to_owned()),
    ] {
        let answer = visitor.visit(steps.clone()).await;
        assert_eq!((answer.status, answer.body), (200, read), "{steps:?}");
    }
}

pub(crate) async fn an_unchanged_session_is_loaded_once_and_not_written(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let (loads, writes) = (site.probe.count(CallKind::Load), site.probe.writes());
    let answer = visitor.visit([get("a"), Entries, Save]).await;
    let head = ["200", "content-length: 11", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(answer.lines(), [&head[..], &[r#"1 [["a",1]]"#]].concat());
    assert_eq!((site.probe.count(CallKind::Load), site.probe.writes()), (loads + 1, writes));
}

/// One write decides. A new id leaves word under the old one after it, and a logout says in the record that the session
/// has ended before it deletes it.
pub(crate) async fn every_request_is_committed_by_one_write(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    for (steps, written) in [
        (vec![insert("a", 1), insert("b", 2), remove("b"), Cycle], &["create session"][..]),
        (vec![insert("a", 2), increment("n"), Save], &["update session"]),
        (vec![insert("a", 3), increment("n"), remove("n")], &["update session"]),
        (vec![Cycle, insert("a", 4)], &["rename session", "create moved"]),
        (vec![Cycle, login("ada"), insert("a", 5)], &["rename session", "create moved"]),
        (vec![Clear], &["update session"]),
        (vec![insert("a", 6), login("ada"), Destroy], &["update ended", "delete"]),
    ] {
        let before = site.probe.writes();
        let answer = visitor.visit(steps.clone()).await;
        assert_eq!((answer.status, answer.cookies().len()), (200, 1), "{steps:?}");
        assert_eq!(site.probe.written()[before..], *written, "{steps:?}");
    }
}

pub(crate) async fn all_extractors_of_a_request_share_session_and_commit(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let answer = visitor.get("/twice").script([insert("a", 1)]).second([get("a"), insert("b", 2)]).send().await;
    visitor.keep(&answer);
    assert_eq!((answer.body.as_str(), answer.cookies().len(), site.probe.calls()), ("1", 1, 1));
    assert_eq!(visitor.visit([Entries]).await.body, r#"[["a",1],["b",2]]"#);
}

pub(crate) async fn an_optional_session_is_there_for_those_who_have_one(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    let before = visitor.visit_at("/optional", [insert("a", 1)]).await;
    let head = ["200", "content-length: 4", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(before.lines(), [&head[..], &["none"]].concat());
    visitor.visit([insert("a", 1)]).await;
    assert_eq!(visitor.visit_at("/optional", [get("a")]).await.body, "1");
    let stale = visitor.clone();
    visitor.visit([Destroy]).await;
    assert_eq!(stale.get("/optional").send().await.body, "none");
}

pub(crate) async fn clearing_empties_the_session_and_keeps_it_and_its_user(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1), login("ada")]).await;
    let cookies = visitor.cookies();
    visitor.visit([Clear]).await;
    assert_eq!((visitor.cookies(), site.sessions().await), (cookies, 1));
    assert_eq!(visitor.visit([Entries, Principal]).await.body, r#"[] "ada""#);
}

pub(crate) async fn a_new_id_opens_the_session_and_the_old_one_opens_nothing(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let old = visitor.clone();
    let answer = visitor.visit([Cycle, get("a")]).await;
    let head = ["200", "cache-control: no-store", "content-length: 1", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", "1"]].concat());
    assert_ne!(visitor.cookies(), old.cookies());
    assert_eq!((visitor.sees("a").await, old.sees("a").await), ("1".to_owned(), "null".to_owned()));
    assert_eq!(site.records().await, ["moved", "session"]);
}

pub(crate) async fn a_login_keeps_anonymous_values_and_drops_another_users(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("cart", 3)]).await;
    visitor.visit([login("ada")]).await;
    assert_eq!(visitor.visit([Principal, get("cart")]).await.body, "\"ada\" 3");
    visitor.visit([login("ada")]).await;
    assert_eq!(visitor.sees("cart").await, "3");
    visitor.visit([login("bob")]).await;
    assert_eq!(visitor.visit([Principal, get("cart")]).await.body, "\"bob\" null");
    assert_eq!(site.sessions().await, 1);
}

pub(crate) async fn a_logout_ends_the_session_and_removes_the_cookie(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1), login("ada")]).await;
    let stolen = visitor.clone();
    let answer = visitor.visit([Destroy, get("a")]).await;
    let head = ["200", "cache-control: no-store", "content-length: 4", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[REMOVAL, "vary: Cookie", "null"]].concat());
    assert_eq!((stolen.sees("a").await, site.records().await), ("null".to_owned(), vec![]));
}

pub(crate) async fn after_a_logout_a_request_may_begin_a_fresh_session(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1), login("ada")]).await;
    let stolen = visitor.clone();
    let answer = visitor.visit([Destroy, insert("b", 2), login("eve"), get("a"), Principal]).await;
    let head = ["200", "cache-control: no-store", "content-length: 10", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", "null \"eve\""]].concat());
    assert_eq!((stolen.sees("b").await, site.sessions().await), ("null".to_owned(), 1));
    assert_eq!(visitor.visit([get("a"), get("b"), Principal]).await.body, "null 2 \"eve\"");
}

pub(crate) async fn a_server_error_keeps_the_logout_and_not_what_came_after(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([login("ada")]).await;
    let answer = visitor.visit([Destroy, login("eve"), status(500)]).await;
    let head = ["500", "cache-control: no-store", "content-length: 0", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[REMOVAL, "vary: Cookie", ""]].concat());
    assert_eq!(site.sessions().await, 0);
}

pub(crate) async fn a_logout_without_a_session_removes_a_cookie_only_if_one_came(world: World) {
    let site = world.open().await;
    let head = ["200", "content-length: 0", "content-type: text/plain"];
    let answer = site.get("/visit").script([Destroy]).send().await;
    assert_eq!(answer.lines(), [&head[..], &["vary: Cookie", ""]].concat());
    let answer = site.get("/visit").cookie("sessionid=stale").script([Destroy]).send().await;
    let mut with_removal = [&head[..], &[REMOVAL, "vary: Cookie", ""]].concat();
    with_removal.insert(1, "cache-control: no-store");
    assert_eq!(answer.lines(), with_removal);
    assert_eq!(site.probe.calls(), 0);
}

pub(crate) async fn a_session_made_and_ended_by_one_request_sends_no_cookie(world: World) {
    let site = world.open().await;
    let answer = site.visitor().visit([insert("a", 1), Save, Destroy]).await;
    assert_eq!((answer.cookies().len(), site.sessions().await), (0, 0));
}

pub(crate) async fn a_server_error_drops_what_followed_the_last_save(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let cookies = visitor.cookies();
    let answer = visitor.visit([insert("a", 2), Save, insert("a", 3), login("ada"), status(500)]).await;
    let head = ["500", "cache-control: no-store", "content-length: 0", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", ""]].concat());
    assert_eq!(visitor.cookies(), cookies);
    assert_eq!(visitor.visit([get("a"), Principal]).await.body, "2 null");
    let answer = visitor.visit([insert("a", 4), status(503)]).await;
    assert_eq!((answer.status, answer.cookies().len(), visitor.sees("a").await), (503, 0, "2".to_owned()));
}

pub(crate) async fn a_request_that_took_too_long_drops_its_changes(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let answer = visitor.visit([insert("a", 2), login("ada"), status(408)]).await;
    assert_eq!((answer.status, answer.cookies().len()), (408, 0));
    assert_eq!(visitor.visit([get("a"), Principal]).await.body, "1 null");
}

pub(crate) async fn a_server_error_carries_a_new_id_that_was_saved(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let cookies = visitor.cookies();
    visitor.visit([Cycle, Save, status(500)]).await;
    assert_ne!(visitor.cookies(), cookies);
    assert_eq!(visitor.sees("a").await, "1");
}

pub(crate) async fn a_logout_is_carried_out_also_with_a_server_error(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let answer = visitor.visit([Destroy, status(500)]).await;
    let head = ["500", "cache-control: no-store", "content-length: 0", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[REMOVAL, "vary: Cookie", ""]].concat());
    assert_eq!(site.sessions().await, 0);
}

pub(crate) async fn answers_below_500_keep_what_was_changed(world: World) {
    let site = world.open().await;
    for code in [201, 204, 304, 404, 422, 499] {
        let mut visitor = site.visitor();
        let answer = visitor.visit([insert("a", 1), status(code)]).await;
        assert_eq!((answer.status, answer.cookies().len(), visitor.sees("a").await), (code, 1, "1".to_owned()));
    }
}

pub(crate) async fn an_application_may_keep_changes_with_a_server_error(world: World) {
    let site = world.users(|builder| builder.commit_on_server_error(true)).open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1), status(500)]).await;
    assert_eq!(visitor.sees("a").await, "1");
}

pub(crate) async fn discarded_changes_are_not_saved(world: World) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let writes = site.probe.writes();
    let answer = visitor.visit([insert("a", 2), login("ada"), Discard, get("a"), status(422)]).await;
    assert_eq!((answer.cookies().len(), answer.body.as_str(), site.probe.writes()), (0, "1", writes));
}
