//! Two kinds of sessions in one application.

use crate::site::*;

const ADMIN: &str = "set-cookie: admin=<id>; HttpOnly; SameSite=Lax; Path=/; Max-Age=1209600; \
                     Expires=Thu, 11 Jun 2026 20:26:40 GMT";

/// Opens a site with one layer inside the other, and a visitor who has both sessions.
async fn nested(world: World) -> (Site, Visitor) {
    let site = world.layout(Layout::Nested).open().await;
    let mut visitor = site.visitor();
    let answer = visitor.get("/both").script([insert("who", "user")]).second([insert("who", "admin")]).send().await;
    visitor.keep(&answer);
    (site, visitor)
}

fn reads(answer: &Answer) -> (u16, &str) {
    (answer.status, &answer.body)
}

pub(crate) async fn nested_layers_commit_once_each_and_send_both_cookies(world: World) {
    let site = world.layout(Layout::Nested).open().await;
    let mut visitor = site.visitor();
    let request = visitor.get("/both").script([insert("who", "user")]).second([insert("who", "admin")]);
    let answer = request.send().await;
    visitor.keep(&answer);
    let head = ["200", "cache-control: no-store", "content-length: 1", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, ADMIN, "vary: Cookie", " "]].concat());
    assert_eq!((site.probe.calls(), site.admin_probe.calls()), (1, 1));
    let answer = visitor.get("/both").script([get("who")]).second([get("who")]).send().await;
    assert_eq!((reads(&answer), answer.cookies().len()), ((200, "\"user\" \"admin\""), 0));
    assert_eq!((site.probe.writes(), site.admin_probe.writes()), (1, 1));
}

pub(crate) async fn of_nested_layers_only_the_one_with_a_change_writes(world: World) {
    let (site, visitor) = nested(world).await;
    let answer = visitor.get("/both").script([get("who")]).second([insert("who", "root")]).send().await;
    assert_eq!((answer.cookies().len(), answer.lines()[4].as_str()), (1, ADMIN));
    assert_eq!((site.probe.writes(), site.admin_probe.writes()), (1, 2));
    let (calls, admin_calls) = (site.probe.calls(), site.admin_probe.calls());
    visitor.get("/visit").script([get("who")]).send().await;
    assert_eq!((site.probe.calls(), site.admin_probe.calls()), (calls + 1, admin_calls), "who is not asked for rests");
}

pub(crate) async fn logging_out_of_one_session_leaves_the_other(world: World) {
    let (site, mut visitor) = nested(world).await;
    let answer = visitor.get("/both").script([get("who")]).second([Destroy]).send().await;
    visitor.keep(&answer);
    assert_eq!(answer.cookies(), [ADMIN_REMOVAL]);
    let answer = visitor.get("/both").script([get("who")]).second([get("who")]).send().await;
    assert_eq!(reads(&answer), (200, "\"user\" null"));
    let answer = visitor.get("/both").script([Destroy]).second([Destroy]).send().await;
    assert_eq!(answer.cookies().len(), 1, "the admin's cookie is gone already");
    assert_eq!(site.sessions().await, 0);
}

const ADMIN_REMOVAL: &str = "admin=; HttpOnly; SameSite=Lax; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT";

pub(crate) async fn layers_side_by_side_know_nothing_of_each_other(world: World) {
    let site = world.layout(Layout::SideBySide).open().await;
    let mut visitor = site.visitor();
    let user = visitor.visit_at("/users/visit", [insert("who", "user")]).await;
    let admin = visitor.visit_at("/admins/admin", [insert("who", "admin")]).await;
    assert_eq!((user.cookies().len(), admin.cookies().len()), (1, 1));
    assert_eq!(admin.lines()[4], ADMIN);
    assert_eq!(visitor.visit_at("/users/visit", [get("who")]).await.body, "\"user\"");
    assert_eq!(visitor.visit_at("/users/nested/deep/visit", [get("who")]).await.body, "\"user\"");
    assert_eq!(visitor.visit_at("/admins/admin", [get("who")]).await.body, "\"admin\"");
    assert_eq!((site.probe.writes(), site.admin_probe.writes()), (1, 1));
    for path in ["/users/admin", "/admins/visit"] {
        let answer = visitor.visit_at(path, [insert("who", "nobody")]).await;
        assert_eq!(answer.lines(), ["500", "content-length: 0", ""], "{path}: there is no such layer");
    }
    visitor.visit_at("/users/visit", [Destroy]).await;
    assert_eq!(visitor.visit_at("/admins/admin", [get("who")]).await.body, "\"admin\"");
}

pub(crate) async fn the_cookie_of_one_kind_opens_no_session_of_the_other(world: World) {
    let (site, visitor) = nested(world).await;
    let swapped = visitor.cookies().replace("sessionid=", "x=").replace("admin=", "sessionid=").replace("x=", "admin=");
    let (calls, admin_calls) = (site.probe.calls(), site.admin_probe.calls());
    let answer = site.get("/both").cookie(swapped).script([get("who")]).second([get("who")]).send().await;
    assert_eq!(reads(&answer), (200, "null null"));
    assert_eq!((site.probe.calls(), site.admin_probe.calls()), (calls, admin_calls));
}

pub(crate) async fn an_inner_sessions_cookie_survives_the_outer_ones_failure(world: World) {
    let site = world.layout(Layout::Nested).open().await;
    let mut visitor = site.visitor();
    site.admin_probe.make(CallKind::Create, Trouble::Fails);
    let answer = visitor.get("/both").script([insert("who", "user")]).second([insert("who", "admin")]).send().await;
    visitor.keep(&answer);
    let head = ["503", "cache-control: no-store", "content-length: 0", "retry-after: <soon>"];
    assert_eq!(
        answer.lines(),
        [&head[..], &[COOKIE, "vary: Cookie", ""]].concat(),
        "the store has it, so must the visitor"
    );
    assert_eq!(visitor.sees("who").await, "\"user\"");
}

pub(crate) async fn an_inner_sessions_failure_rolls_back_the_outer_one(world: World) {
    let (site, visitor) = nested(world).await;
    site.probe.make(CallKind::Update, Trouble::Fails);
    let answer = visitor.get("/both").script([insert("who", "x")]).second([insert("who", "y")]).send().await;
    assert_eq!(answer.lines(), ["503", "content-length: 0", "retry-after: <soon>", "vary: Cookie", ""]);
    assert_eq!(site.admin_probe.writes(), 1);
}
