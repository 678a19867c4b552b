//! The lifetimes of sessions.

use std::time::Duration;

use crate::site::*;

const MINUTE: Duration = Duration::from_secs(60);

/// Opens a site with an idle timeout of half an hour.
async fn open(world: World) -> Site {
    world.users(|builder| builder.idle_timeout(30 * MINUTE)).open().await
}

pub(crate) async fn a_session_that_is_not_used_ends(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    assert_eq!(visitor.visit([insert("a", 1)]).await.max_age(), Some(1800));
    site.sleep(30 * MINUTE - Duration::from_millis(1));
    assert_eq!(visitor.get("/plain").send().await.status, 200, "which is no use of the session");
    assert_eq!(visitor.sees("a").await, "1");
    site.sleep(30 * MINUTE);
    let answer = visitor.visit([get("a")]).await;
    assert_eq!((answer.body.as_str(), answer.cookies().len()), ("null", 0));
}

pub(crate) async fn reading_keeps_a_session_alive_and_renews_its_cookie(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    for round in 1..=5 {
        site.sleep(20 * MINUTE);
        let answer = visitor.visit([get("a")]).await;
        assert_eq!(
            (answer.body.as_str(), answer.max_age(), site.probe.count(CallKind::Touch)),
            ("1", Some(1800), round)
        );
        assert_eq!(answer.all("cache-control"), ["no-store"]);
    }
}

pub(crate) async fn touches_are_rationed(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    site.sleep(3 * MINUTE - Duration::from_millis(1));
    let answer = visitor.visit([get("a")]).await;
    assert_eq!((answer.cookies().len(), site.probe.writes()), (0, 1));
    site.sleep(Duration::from_millis(1));
    let answer = visitor.visit([get("a")]).await;
    assert_eq!((answer.cookies().len(), site.probe.count(CallKind::Touch)), (1, 1));
}

pub(crate) async fn a_slow_read_does_not_undo_what_another_request_chose(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    site.sleep(3 * MINUTE);
    let slow = visitor.spawn_visit([get("a"), wait("slow")]);
    site.gates.arrivals("slow", 1).await;
    let forget_me = visitor.visit([persistent(false)]).await;
    assert_eq!(forget_me.cookies().len(), 1, "a cookie of the browser's session");
    site.gates.open("slow", 1);
    let answer = slow.await.unwrap();
    assert_eq!((answer.status, answer.cookies().len()), (200, 0), "none that outlives the browser");
    assert_eq!(visitor.sees("a").await, "1");
}

pub(crate) async fn a_logout_ends_a_session_that_seems_to_have_expired(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1), login("ada")]).await;
    let copy = visitor.clone();
    site.sleep(30 * MINUTE);
    let answer = visitor.visit([Destroy]).await;
    assert_eq!((answer.status, answer.cookies().len(), site.sessions().await), (200, 1, 0));
    site.set_back(30 * MINUTE);
    assert_eq!(copy.sees("a").await, "null", "the clock is right again");
}

pub(crate) async fn an_expired_session_is_not_brought_back_by_a_write(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let expired = visitor.cookies();
    site.sleep(30 * MINUTE);
    let answer = visitor.visit([insert("b", 2), Entries]).await;
    assert_eq!(answer.body, r#"[["b",2]]"#);
    assert_ne!(visitor.cookies(), expired);
    assert_eq!(site.sessions().await, 1);
}

pub(crate) async fn a_session_that_expires_during_a_request_stays_ended(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    let slow = visitor.spawn_visit([insert("a", 2), wait("slow")]);
    site.gates.arrivals("slow", 1).await;
    site.sleep(31 * MINUTE);
    site.gates.open("slow", 1);
    let answer = slow.await.unwrap();
    assert_eq!((answer.status, answer.cookies().len(), site.sessions().await), (200, 0, 0));
}

pub(crate) async fn the_absolute_timeout_runs_from_the_latest_login(world: World) {
    let day = |builder: nexios_middleware_core::SessionManagerBuilder| {
        builder.idle_timeout(30 * MINUTE).absolute_timeout(Some(60 * MINUTE))
    };
    let site = world.users(day).open().await;
    let mut visitor = site.visitor();
    visitor.visit([insert("a", 1)]).await;
    site.sleep(25 * MINUTE);
    visitor.visit([get("a")]).await;
    site.sleep(25 * MINUTE);
    let answer = visitor.visit([insert("a", 2), Cycle]).await;
    assert_eq!(answer.max_age(), Some(600), "the cookie lives as long as the session");
    visitor.visit([login("ada")]).await;
    site.sleep(25 * MINUTE);
    assert_eq!(visitor.visit([get("a")]).await.body, "2");
    site.sleep(25 * MINUTE);
    assert_eq!(visitor.visit([get("a")]).await.max_age(), Some(600));
    site.sleep(10 * MINUTE);
    assert_eq!(visitor.visit([get("a"), Principal]).await.body, "null null");
}

pub(crate) async fn a_shortened_timeout_acts_at_once(world: World) {
    let site = world.open().await;
    let [mut early, mut late] = [site.visitor(), site.visitor()];
    early.visit([insert("a", 1)]).await;
    late.visit([insert("a", 2)]).await;
    let stricter = open(site.world()).await;
    let [mut early, mut late] = [early.at(&stricter), late.at(&stricter)];
    site.sleep(29 * MINUTE);
    let answer = early.visit([get("a")]).await;
    assert_eq!((answer.body.as_str(), answer.max_age()), ("1", Some(1800)));
    site.sleep(MINUTE);
    assert_eq!(late.visit([get("a")]).await.body, "null", "although the store has it for two weeks");
    assert_eq!(early.visit([get("a")]).await.body, "1");
}

pub(crate) async fn a_session_may_have_an_idle_timeout_of_its_own(world: World) {
    let site = open(world).await;
    let mut visitor = site.visitor();
    let answer = visitor.visit([insert("a", 1), idle_seconds(90)]).await;
    assert_eq!(answer.max_age(), Some(90));
    site.sleep(Duration::from_secs(90));
    assert_eq!(visitor.sees("a").await, "null");
}
