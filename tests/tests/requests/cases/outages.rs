//! The answers that visitors get when something does not work.

use std::time::Duration;

use nexios_middleware_core::OnOutage;

use crate::site::*;

const UNAVAILABLE: [&str; 5] = ["503", "content-length: 0", "retry-after: <soon>", "vary: Cookie", ""];

/// Opens a site, with a visitor who has a session in which `a` is 1.
async fn open(world: World) -> (Site, Visitor) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    (site, visitor)
}

pub(crate) async fn an_outage_is_an_empty_503_and_leaves_the_cookie(world: World) {
    let (site, visitor) = open(world).await;
    let writes = site.probe.writes();
    site.probe.make(CallKind::Load, Trouble::Fails);
    for path in ["/visit", "/optional", "/twice", "/nested/deep/visit"] {
        let answer = visitor.get(path).script([get("a"), insert("a", 2)]).second([Destroy]).send().await;
        assert_eq!(answer.lines(), UNAVAILABLE, "{path}");
    }
    assert_eq!(visitor.get("/plain").send().await.body, "hello", "who needs no session is served");
    site.probe.heal();
    assert_eq!((visitor.sees("a").await, site.probe.writes()), ("1".to_owned(), writes));
}

pub(crate) async fn an_outage_may_be_an_empty_session_that_takes_no_changes(world: World) {
    let site = world.users(|builder| builder.on_outage(OnOutage::EmptyReadOnly)).open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    site.probe.make(CallKind::Load, Trouble::Fails);
    let answer = visitor.get("/visit").script([get("a"), IsReadOnly, attempt(insert("a", 2)), Cycle]).send().await;
    let head = ["200", "content-length: 23", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(answer.lines(), [&head[..], &["null true \"Unavailable\""]].concat());
    assert_eq!(visitor.get("/visit").script([insert("a", 2)]).send().await.lines(), UNAVAILABLE);
    assert_eq!(visitor.get("/visit").script([Destroy]).send().await.lines(), UNAVAILABLE, "a logout is no success");
    site.probe.heal();
    assert_eq!(visitor.visit([get("a"), IsReadOnly]).await.body, "1 false");
}

pub(crate) async fn a_failed_save_takes_the_place_of_the_answer(world: World) {
    let (site, visitor) = open(world).await;
    for (call, steps) in [
        (CallKind::Update, vec![insert("a", 2)]),
        (CallKind::Rename, vec![Cycle]),
        (CallKind::Rename, vec![login("ada")]),
    ] {
        site.probe.make(call, Trouble::Fails);
        let own = [header("x-own", "1"), header("cache-control", "private"), status(404)];
        let answer = visitor.get("/visit").script(steps.clone().into_iter().chain(own)).send().await;
        let expected =
            ["503", "cache-control: private", "content-length: 0", "retry-after: <soon>", "vary: Cookie", ""];
        assert_eq!(answer.lines(), expected, "{steps:?}");
        site.probe.heal();
        assert_eq!(
            visitor.get("/visit").script([get("a"), Principal]).send().await.body,
            "1 null",
            "{steps:?}: the session is as it was"
        );
    }
    site.probe.make(CallKind::Create, Trouble::Fails);
    assert_eq!(site.visitor().visit([insert("a", 2)]).await.lines(), UNAVAILABLE);
}

pub(crate) async fn a_failed_delete_is_a_503_and_the_session_has_ended(world: World) {
    let (site, mut visitor) = open(world).await;
    site.probe.make(CallKind::Delete, Trouble::Fails);
    assert_eq!(visitor.visit([Destroy]).await.lines(), UNAVAILABLE, "the record is still there");
    assert_eq!((visitor.sees("a").await, site.records().await), ("null".to_owned(), vec!["ended"]));
    site.probe.heal();
    assert_eq!(visitor.visit([Destroy]).await.lines()[4], REMOVAL, "the logout can be tried again");
    assert_eq!(site.records().await, [""; 0]);
}

pub(crate) async fn a_logout_works_where_nothing_can_be_written(world: World) {
    let (site, mut visitor) = open(world).await;
    for call in [CallKind::Create, CallKind::Update, CallKind::Rename] {
        site.probe.make(call, Trouble::Fails);
    }
    assert_eq!(visitor.visit([Destroy]).await.lines()[4], REMOVAL);
    assert_eq!(site.records().await, [""; 0]);
}

pub(crate) async fn a_login_stands_where_its_old_id_cannot_be_kept(world: World) {
    let (site, mut visitor) = open(world).await;
    site.probe.make(CallKind::Create, Trouble::Fails);
    assert_eq!(visitor.visit([login("ada")]).await.lines()[4], COOKIE);
    assert_eq!(visitor.visit([get("a"), Principal]).await.body, "1 \"ada\"");
    assert_eq!(site.records().await, ["session"]);
}

pub(crate) async fn a_record_of_a_newer_format_is_a_503_and_is_left_alone(world: World) {
    let (site, visitor) = open(world).await;
    site.probe.make(CallKind::Load, Trouble::IsNewer);
    let answer = visitor.get("/visit").script([insert("a", 2)]).send().await;
    assert_eq!((answer.lines(), site.probe.writes()), (UNAVAILABLE.map(str::to_owned).to_vec(), 1));
    site.probe.heal();
    assert_eq!(visitor.sees("a").await, "1");
}

pub(crate) async fn a_visitor_whose_record_is_corrupt_gets_a_fresh_session(world: World) {
    let (site, mut visitor) = open(world).await;
    let cookies = visitor.cookies();
    site.probe.make(CallKind::Load, Trouble::IsCorrupt);
    let answer = visitor.visit([get("a"), insert("a", 2)]).await;
    let head = ["200", "cache-control: no-store", "content-length: 4", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", "null"]].concat());
    assert_ne!(visitor.cookies(), cookies);
    site.probe.heal();
    assert_eq!(visitor.sees("a").await, "2");
}

pub(crate) async fn a_failed_touch_does_not_fail_the_request(world: World) {
    let (site, mut visitor) = open(world).await;
    site.sleep(Duration::from_secs(7 * 24 * 60 * 60));
    site.probe.make(CallKind::Touch, Trouble::Fails);
    let answer = visitor.visit([get("a")]).await;
    let head = ["200", "content-length: 1", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(
        (answer.lines(), site.probe.count(CallKind::Touch)),
        ([&head[..], &["1"]].concat().into_iter().map(str::to_owned).collect(), 1)
    );
}

pub(crate) async fn an_update_whose_answer_is_lost_is_a_503_and_not_repeated(world: World) {
    let (site, visitor) = open(world).await;
    site.probe.make(CallKind::Update, Trouble::LosesTheAnswer);
    let answer = visitor.get("/visit").script([increment("a"), attempt(Save), attempt(Save)]).send().await;
    assert_eq!((answer.lines(), site.probe.count(CallKind::Update)), (UNAVAILABLE.map(str::to_owned).to_vec(), 1));
    site.probe.heal();
    assert_eq!(visitor.sees("a").await, "2");
}

pub(crate) async fn a_handler_may_answer_for_itself_where_a_save_has_failed(world: World) {
    let (site, visitor) = open(world).await;
    site.probe.make(CallKind::Update, Trouble::Fails);
    let answer = visitor.get("/visit").script([insert("a", 2), attempt(Save), Discard, status(409)]).send().await;
    assert_eq!((answer.status, answer.body.as_str(), answer.cookies().len()), (409, "\"Unavailable\"", 0));
    site.probe.heal();
    assert_eq!(visitor.sees("a").await, "1");
}

pub(crate) async fn a_store_that_hangs_is_given_up(world: World) {
    let (site, visitor) = open(world).await;
    let site = site.world().users(|builder| builder.store_timeout(Duration::from_secs(1))).open().await;
    let visitor = visitor.at(&site);
    for (call, steps) in [(CallKind::Load, vec![get("a")]), (CallKind::Update, vec![insert("a", 2)])] {
        site.probe.make(call, Trouble::WaitsBefore);
        assert_eq!(visitor.get("/visit").script(steps).send().await.lines(), UNAVAILABLE, "{call:?}");
        site.probe.heal();
    }
    assert_eq!(visitor.sees("a").await, "1");
}

pub(crate) async fn an_application_without_a_layer_answers_with_an_empty_500(world: World) {
    let site = world.layout(Layout::Bare).open().await;
    for path in ["/visit", "/optional", "/admin", "/signed", "/stream", "/nested/deep/visit"] {
        let answer = site.get(path).cookie("sessionid=x").send().await;
        assert_eq!(answer.lines(), ["500", "content-length: 0", ""], "{path}");
    }
    assert_eq!(site.get("/plain").send().await.status, 200);
}

pub(crate) async fn a_value_of_another_type_is_an_empty_500_and_rolls_back(world: World) {
    let (_site, mut visitor) = open(world).await;
    let answer = visitor.visit([insert("t", "text"), Save, insert("a", 2), get("a"), get_number("t")]).await;
    let head = ["500", "cache-control: no-store", "content-length: 0"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", ""]].concat());
    assert_eq!(visitor.visit([Entries]).await.body, r#"[["a",1],["t","text"]]"#);
}
