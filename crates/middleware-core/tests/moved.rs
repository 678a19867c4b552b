//! Requests that come with the id that their session had a moment ago.
#![allow(clippy::unwrap_used, clippy::panic)]

mod site;

use std::time::Duration;

use nexios_middleware_core::{Event, Session, SessionErrorKind};
use site::{CallKind, Site, Trouble, Visitor};

const MINUTE: Duration = Duration::from_secs(60);

/// Makes a site, a visitor who has just logged in into an anonymous session, and a copy of the visitor from before.
async fn logged_in() -> (Site, Visitor, Visitor) {
    let (site, mut visitor) = Site::with_visitor().await;
    let late = visitor.clone();
    visitor.act(&site, |session| session.login("ada").unwrap()).await;
    (site, visitor, late)
}

async fn is_logged_in(site: &Site, visitor: &Visitor) -> bool {
    site.open(visitor).await.principal().is_some()
}

#[tokio::test]
async fn a_request_on_its_way_takes_no_login_away() {
    let (site, visitor, mut late) = logged_in().await;
    let files = site.files();
    let answer = late.act(&site, |session| session.insert("seen", &true).unwrap()).await;

    assert_eq!((answer.failure, answer.set_cookie), (None, None));
    assert_eq!(site.files(), files, "and it costs no record");
    assert!(is_logged_in(&site, &visitor).await);
    let counters = site.manager.counters();
    assert_eq!((counters.of(Event::FormerIdUsed), counters.of(Event::ChangesDropped)), (1, 1));
    assert_eq!(counters.of(Event::SessionUnknown), 0);
}

#[tokio::test]
async fn a_request_on_its_way_sees_an_empty_session() {
    let (site, _, late) = logged_in().await;
    let open = site.open(&late).await;
    assert!(open.is_empty() && open.principal().is_none() && open.handle().is_none());
    assert_eq!(open.get::<u8>("a").unwrap(), None);
    assert!(site.manager.request(late.cookies.iter()).existing_session().await.unwrap().is_none());
}

#[tokio::test]
async fn a_save_on_its_way_says_that_the_session_is_gone() {
    let (site, _, mut late) = logged_in().await;
    let open = site.open(&late).await;
    open.insert("seen", &true).unwrap();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
    assert_eq!(open.insert("seen", &true).unwrap_err().kind(), SessionErrorKind::Ended);
    assert_eq!(open.answer(&mut late, 200).await.set_cookie, None);
}

#[tokio::test]
async fn a_login_of_its_own_makes_a_session() {
    let (site, visitor, mut late) = logged_in().await;
    let answer = late
        .act(&site, |session| {
            session.insert("cart", "tea").unwrap();
            session.login("eve").unwrap();
        })
        .await;
    assert!(answer.set_cookie.is_some());
    assert_eq!(site.open(&late).await.principal().as_deref(), Some("eve"));
    assert_eq!(late.sees::<String>(&site, "cart").await.as_deref(), Some("tea"));
    assert_eq!(late.sees::<u8>(&site, "a").await, None, "nothing of the session that has moved");
    assert_eq!(site.open(&visitor).await.principal().as_deref(), Some("ada"));
}

#[tokio::test]
async fn another_cookie_of_the_request_opens_its_session() {
    let (site, visitor, late) = logged_in().await;
    let both = Visitor::with_cookie(format!("{}; {}", late.cookies[0], visitor.cookies[0]));
    assert!(is_logged_in(&site, &both).await);
}

#[tokio::test]
async fn after_a_minute_the_old_id_is_not_known() {
    let (site, _, late) = logged_in().await;
    site.sleep(MINUTE - Duration::from_millis(1));
    assert_eq!(late.clone().act(&site, |session| session.insert("b", &1).unwrap()).await.set_cookie, None);
    site.sleep(Duration::from_millis(1));
    assert!(late.clone().act(&site, |session| session.insert("b", &1).unwrap()).await.set_cookie.is_some());
    assert_eq!(site.manager.counters().of(Event::SessionUnknown), 1);
}

#[tokio::test]
async fn the_old_id_is_swept_like_a_session() {
    let (site, visitor, late) = logged_in().await;
    assert_eq!(site.files().len(), 2);
    site.sleep(MINUTE);
    assert_eq!(site.manager.sweep().await.unwrap(), 1);
    assert_eq!(site.files(), [visitor.id()]);
    assert_ne!(late.id(), visitor.id());
}

#[tokio::test]
async fn the_old_id_is_no_session_of_the_user() {
    let (site, mut visitor, _) = logged_in().await;
    visitor.act(&site, Session::cycle_id).await;
    assert_eq!(site.manager.sessions_of("ada").await.unwrap().len(), 1);
    assert_eq!(site.manager.revoke_all("ada").await.unwrap(), 1);
}

#[tokio::test]
async fn a_login_stands_where_its_old_id_cannot_be_kept() {
    let (site, mut visitor) = Site::with_visitor().await;
    site.probe.make(CallKind::Create, Trouble::Fails);
    let answer = visitor.act(&site, |session| session.login("ada").unwrap()).await;
    assert_eq!(answer.failure, None);
    assert!(is_logged_in(&site, &visitor).await);
    assert_eq!(site.manager.counters().of(Event::StoreFailed), 1);
}

#[tokio::test(start_paused = true)]
async fn a_login_stands_where_the_word_of_its_move_hangs() {
    let (site, mut visitor) = Site::with_visitor().await;
    site.probe.make(CallKind::Create, Trouble::Hangs);
    let answer = visitor.act(&site, |session| session.login("ada").unwrap()).await;
    assert_eq!(answer.failure, None);
    assert!(is_logged_in(&site, &visitor).await);
    assert_eq!(site.manager.counters().of(Event::StoreTimedOut), 1);
}

/// A planted id must not be enough to end the session that the login has made of it.
#[tokio::test]
async fn a_logout_under_the_id_of_before_the_login_ends_nothing() {
    let (site, visitor, mut late) = logged_in().await;
    let answer = late.act(&site, Session::destroy).await;
    assert!(answer.removes_cookie());
    assert!(is_logged_in(&site, &visitor).await);
}

#[tokio::test]
async fn a_logout_under_a_cycled_id_ends_the_session() {
    let site = Site::new();
    for user in [None, Some("ada")] {
        let mut visitor = site.visitor(|session| session.insert("a", &1).unwrap()).await;
        if let Some(user) = user {
            visitor.act(&site, |session| session.login(user).unwrap()).await;
        }
        let mut late = visitor.clone();
        visitor.act(&site, Session::cycle_id).await;
        visitor.act(&site, Session::cycle_id).await;

        assert!(late.act(&site, Session::destroy).await.removes_cookie());
        assert_eq!(visitor.sees::<u8>(&site, "a").await, None, "{user:?}");
        assert!(!is_logged_in(&site, &visitor).await, "{user:?}");
    }
}

/// The cycle comes between the load of the logout and its end. The old id has a record by then, but not the session's.
#[tokio::test]
async fn a_logout_that_began_before_a_cycle_ends_the_session() {
    for has_index in [true, false] {
        let site = if has_index { Site::new() } else { Site::without_index() };
        let mut visitor = site.visitor(|session| session.insert("a", &1).unwrap()).await;
        let logout = site.open(&visitor).await;
        let mut cycled = visitor.clone();
        cycled.act(&site, Session::cycle_id).await;

        logout.destroy();
        assert!(logout.answer(&mut visitor, 200).await.removes_cookie());
        assert_eq!(cycled.sees::<u8>(&site, "a").await, None, "with an index: {has_index}");
    }
}

#[tokio::test]
async fn a_logout_works_where_nothing_can_be_written() {
    let (site, mut visitor) = Site::with_visitor().await;
    let copy = visitor.clone();
    site.probe.make(CallKind::Update, Trouble::Fails);
    let answer = visitor.act(&site, Session::destroy).await;
    assert_eq!((answer.failure, answer.removes_cookie()), (None, true));
    assert_eq!(copy.sees::<u8>(&site, "a").await, None);
    assert_eq!(site.files(), [""; 0]);
}

/// The process has died, or the store has failed, between the two calls of a logout.
#[tokio::test]
async fn a_logout_that_came_half_way_leaves_no_session() {
    let (site, mut visitor) = Site::with_visitor().await;
    let mut late = visitor.clone();
    site.probe.make(CallKind::Delete, Trouble::Fails);
    assert_eq!(visitor.act(&site, Session::destroy).await.failure, Some(503));
    site.probe.heal();
    let answer = late.act(&site, |session| session.insert("a", &2).unwrap()).await;
    assert!(answer.set_cookie.is_some(), "the visitor begins anew");
    assert!(visitor.act(&site, Session::destroy).await.removes_cookie(), "and the logout can be tried again");
    assert_eq!(site.files(), [late.id()]);
}
