//! A second look at the session within a request.
#![allow(clippy::unwrap_used, clippy::panic)]

mod site;

use std::time::Duration;

use nexios_middleware_core::{Event, Session, SessionErrorKind};
use site::{CallKind, Site, Trouble, Visitor};

#[tokio::test]
async fn a_reload_shows_what_another_request_has_saved() {
    let (site, mut visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    visitor.clone().act(&site, |session| session.insert("paid", &true).unwrap()).await;
    assert_eq!(open.get::<bool>("paid").unwrap(), None);
    open.reload().await.unwrap();
    assert_eq!((open.get("paid").unwrap(), open.get("a").unwrap()), (Some(true), Some(1)));
    assert!(!open.is_modified());
    let answer = open.answer(&mut visitor, 200).await;
    assert_eq!((answer.failure, answer.set_cookie), (None, None), "it writes nothing");
}

#[tokio::test]
async fn a_reload_keeps_what_the_request_has_changed() {
    let (site, mut visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    open.update("a", |a: Option<i64>| a.unwrap_or(0) + 1).unwrap();
    open.insert("mine", &true).unwrap();
    visitor.clone().act(&site, |session| session.insert("a", &10).unwrap()).await;
    open.reload().await.unwrap();
    assert_eq!((open.get("a").unwrap(), open.get("mine").unwrap()), (Some(11), Some(true)));
    open.answer(&mut visitor, 200).await;
    assert_eq!(visitor.sees::<i64>(&site, "a").await, Some(11), "once, not twice");
}

/// The save that follows does not meet a conflict that the reload has solved.
#[tokio::test]
async fn after_a_reload_a_save_is_one_write() {
    let (site, visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    visitor.clone().act(&site, |session| session.insert("b", &1).unwrap()).await;
    open.reload().await.unwrap();
    open.insert("a", &2).unwrap();
    let (loads, updates) = (site.probe.count(CallKind::Load), site.probe.count(CallKind::Update));
    open.save().await.unwrap();
    assert_eq!((site.probe.count(CallKind::Load), site.probe.count(CallKind::Update)), (loads, updates + 1));
}

#[tokio::test]
async fn a_reload_of_a_session_that_has_ended_says_so() {
    type End = fn(&Session);
    for (end, event) in [(Session::destroy as End, 1), (Session::cycle_id, 2)] {
        let (site, mut visitor) = Site::with_visitor().await;
        let open = site.open(&visitor).await;
        open.insert("b", &1).unwrap();
        visitor.act(&site, end).await;
        assert_eq!(open.reload().await.unwrap_err().kind(), SessionErrorKind::Gone, "{event}");
        assert!(open.is_empty() && open.handle().is_none());
        assert_eq!(open.insert("b", &1).unwrap_err().kind(), SessionErrorKind::Ended);
        assert_eq!(open.reload().await.unwrap_err().kind(), SessionErrorKind::Gone);
        assert_eq!(open.answer(&mut visitor, 200).await.set_cookie, None);
        assert_eq!(site.manager.counters().of(Event::ChangesDropped), 1);
    }
}

#[tokio::test]
async fn a_reload_of_what_has_expired_says_so() {
    let (site, visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    site.sleep(Duration::from_secs(15 * 24 * 3600));
    assert_eq!(open.reload().await.unwrap_err().kind(), SessionErrorKind::Gone);
}

#[tokio::test]
async fn a_session_that_was_not_saved_yet_stays_as_it_is() {
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    open.insert("a", &1).unwrap();
    open.reload().await.unwrap();
    assert_eq!((open.get("a").unwrap(), site.probe.total()), (Some(1), 0));
    let kept = Site::client_side(|builder| builder);
    let visitor = kept.visitor(|session| session.insert("a", &1).unwrap()).await;
    let open = kept.open(&visitor).await;
    open.reload().await.unwrap();
    assert_eq!(open.get("a").unwrap(), Some(1));
}

#[tokio::test]
async fn a_reload_that_fails_changes_nothing() {
    let (site, visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    open.insert("b", &1).unwrap();
    site.probe.make(CallKind::Load, Trouble::Fails);
    assert_eq!(open.reload().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    assert_eq!(site.manager.counters().of(Event::StoreFailed), 1);
    site.probe.heal();
    assert_eq!((open.get("a").unwrap(), open.get("b").unwrap()), (Some(1), Some(1)));

    open.try_update("a", |a: Option<i64>| if a == Some(1) { Ok(Some(2)) } else { Err("it is not 1") }).unwrap();
    visitor.clone().act(&site, |session| session.insert("a", &10).unwrap()).await;
    assert_eq!(open.reload().await.unwrap_err().kind(), SessionErrorKind::Refused);
    assert_eq!(open.get("a").unwrap(), Some(2), "as before");
}
