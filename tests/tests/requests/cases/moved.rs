//! Requests with the cookie that their visitor had until a login, or until a new id.

use std::time::Duration;

use nexios_middleware_core::Event;
use tokio::task::JoinHandle;

use crate::site::*;

/// Opens a site, with a visitor who has a session in which `a` is 1.
async fn open(world: World) -> (Site, Visitor) {
    let site = world.open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    (site, visitor)
}

/// Sends a request, which waits at the gate `store` before its session is loaded.
async fn send(site: &Site, visitor: &Visitor, steps: impl IntoIterator<Item = Step>) -> JoinHandle<Answer> {
    site.probe.make(CallKind::Load, Trouble::WaitsBefore);
    let request = visitor.spawn_visit(steps);
    site.gates.arrivals("store", 1).await;
    site.probe.heal();
    request
}

/// Lets a request that was sent go on.
async fn serve(site: &Site, request: JoinHandle<Answer>) -> Answer {
    site.gates.open("store", 1);
    request.await.unwrap()
}

pub(crate) async fn a_request_on_its_way_takes_no_login_away(world: World) {
    let (site, mut visitor) = open(world).await;
    let late = send(&site, &visitor, [insert("seen", true), get("a"), Principal]).await;
    visitor.visit([login("ada")]).await;
    let (cookies, writes) = (visitor.cookies(), site.probe.writes());
    let answer = serve(&site, late).await;
    visitor.keep(&answer);

    let head = ["200", "content-length: 9", "content-type: text/plain", "vary: Cookie"];
    assert_eq!(answer.lines(), [&head[..], &["null null"]].concat(), "an empty session, and no cookie");
    assert_eq!((visitor.cookies(), site.probe.writes()), (cookies, writes));
    assert_eq!(site.records().await, ["moved", "session"]);
    assert_eq!(visitor.visit([Principal, Entries]).await.body, r#""ada" [["a",1]]"#);
    let counters = site.users.counters();
    assert_eq!((counters.of(Event::FormerIdUsed), counters.of(Event::ChangesDropped)), (1, 1));
}

pub(crate) async fn a_save_on_its_way_is_answered_with_a_conflict(world: World) {
    let (site, mut visitor) = open(world).await;
    let late = send(&site, &visitor, [insert("seen", true), Save]).await;
    visitor.visit([login("ada")]).await;
    assert_eq!(serve(&site, late).await.lines(), ["409", "content-length: 0", "vary: Cookie", ""]);
    assert_eq!(visitor.visit([Principal]).await.body, "\"ada\"");
}

pub(crate) async fn a_login_on_its_way_makes_a_session_of_its_own(world: World) {
    let (site, mut ada) = open(world).await;
    let mut eve = ada.clone();
    let late = send(&site, &eve, [insert("cart", 3), login("eve")]).await;
    ada.visit([login("ada")]).await;
    let answer = serve(&site, late).await;
    eve.keep(&answer);

    let head = ["200", "cache-control: no-store", "content-length: 0", "content-type: text/plain"];
    assert_eq!(answer.lines(), [&head[..], &[COOKIE, "vary: Cookie", ""]].concat());
    assert_eq!(eve.visit([Principal, Entries]).await.body, r#""eve" [["cart",3]]"#, "and nothing from before");
    assert_eq!(ada.visit([Principal, Entries]).await.body, r#""ada" [["a",1]]"#);
    assert_eq!(site.records().await, ["moved", "session", "session"]);
}

pub(crate) async fn a_logout_with_the_old_id_ends_the_session_under_the_new_one(world: World) {
    let site = world.open().await;
    for user in [None, Some("ada")] {
        let mut visitor = site.visitor();
        visitor.visit([insert("a", 1)].into_iter().chain(user.map(login))).await;
        let logout = send(&site, &visitor, [Destroy]).await;
        visitor.visit([Cycle]).await;
        visitor.visit([Cycle]).await;
        assert_eq!(visitor.sees("a").await, "1");
        let answer = serve(&site, logout).await;

        let head = ["200", "cache-control: no-store", "content-length: 0", "content-type: text/plain"];
        assert_eq!(answer.lines(), [&head[..], &[REMOVAL, "vary: Cookie", ""]].concat(), "{user:?}");
        assert_eq!((visitor.visit([get("a"), Principal]).await.body, site.sessions().await), ("null null".into(), 0));
    }
}

/// The logout has loaded the session under its old id already.
pub(crate) async fn a_logout_that_began_before_a_new_id_ends_the_session(world: World) {
    let (site, mut visitor) = open(world).await;
    let logout = visitor.spawn_visit([Destroy, wait("slow")]);
    site.gates.arrivals("slow", 1).await;
    visitor.visit([Cycle]).await;
    site.gates.open("slow", 1);
    assert_eq!(logout.await.unwrap().lines()[4], REMOVAL);
    assert_eq!((visitor.sees("a").await, site.records().await), ("null".to_owned(), vec!["moved"]));
}

/// A planted id must not be enough to end the session that a login has made of it.
pub(crate) async fn a_logout_with_the_id_from_before_a_login_ends_nothing(world: World) {
    let (site, attacker) = open(world).await;
    let mut victim = attacker.clone();
    victim.visit([login("ada")]).await;
    let answer = attacker.clone().visit([Destroy]).await;
    assert_eq!(answer.lines()[4], REMOVAL);
    assert_eq!(victim.visit([Principal, get("a")]).await.body, "\"ada\" 1");
    assert_eq!(site.records().await, ["moved", "session"]);
}

pub(crate) async fn after_a_minute_the_old_id_is_an_unknown_one(world: World) {
    let (site, mut visitor) = open(world).await;
    let mut late = visitor.clone();
    visitor.visit([login("ada")]).await;
    site.sleep(Duration::from_millis(59_999));
    assert_eq!(late.visit([insert("b", 2)]).await.cookies().len(), 0);
    assert_eq!(site.records().await, ["moved", "session"]);
    site.sleep(Duration::from_millis(1));
    assert_eq!(site.records().await, ["session"]);

    let old = late.cookies();
    assert_eq!(late.visit([insert("b", 2)]).await.status, 200);
    assert_ne!(late.cookies(), old);
    assert_eq!(late.visit([Principal, Entries]).await.body, r#"null [["b",2]]"#);
    assert_eq!(visitor.visit([Principal, Entries]).await.body, r#""ada" [["a",1]]"#);
    assert_eq!(site.records().await, ["session", "session"]);
    let counters = site.users.counters();
    assert_eq!((counters.of(Event::FormerIdUsed), counters.of(Event::SessionUnknown)), (1, 1));
}
