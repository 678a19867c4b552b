//! A login changes the id, and keeps the values of different users apart.
#![allow(clippy::unwrap_used)]

mod site;

use std::time::Duration;

use nexios_middleware_core::Session;
use site::{CallKind, Site, Visitor};

#[tokio::test]
async fn a_login_changes_the_id_and_keeps_anonymous_values() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    visitor.act(&site, |session| session.insert("cart", &3).unwrap()).await;
    let planted = visitor.clone();
    visitor.act(&site, |session| session.login("ada").unwrap()).await;

    assert_ne!(visitor.id(), planted.id());
    assert_eq!(site.session_files().await, [visitor.id()], "the old id has no session");
    assert_eq!(planted.sees::<i64>(&site, "cart").await, None, "a planted cookie is worth nothing");
    let session = site.open(&visitor).await;
    assert_eq!((session.get("cart").unwrap(), session.principal().as_deref()), (Some(3), Some("ada")));
}

#[tokio::test]
async fn a_login_without_a_session_makes_one() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let answer = visitor.act(&site, |session| session.login("ada").unwrap()).await;
    assert!(answer.set_cookie.is_some());
    assert_eq!(site.open(&visitor).await.principal().as_deref(), Some("ada"));
}

#[tokio::test]
async fn the_same_users_values_are_kept_and_another_users_dropped() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    visitor
        .act(&site, |session| {
            session.login("ada").unwrap();
            session.insert("cart", &3).unwrap();
        })
        .await;
    visitor.act(&site, |session| session.login("ada").unwrap()).await;
    assert_eq!(visitor.sees::<i64>(&site, "cart").await, Some(3));

    visitor
        .act(&site, |session| {
            session.login("bob").unwrap();
            assert!(session.is_empty(), "dropped at once");
            session.insert("new", &1).unwrap();
        })
        .await;
    let session = site.open(&visitor).await;
    assert_eq!((session.keys(), session.principal().as_deref()), (vec!["new".to_owned()], Some("bob")));
}

#[tokio::test]
async fn what_others_wrote_into_another_users_session_is_dropped_too() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    visitor.act(&site, |session| session.login("ada").unwrap()).await;
    let switching = site.open(&visitor).await;
    switching.login("bob").unwrap();
    visitor.clone().act(&site, |session| session.insert("adas", &1).unwrap()).await;
    switching.answer(&mut visitor, 200).await;
    assert!(site.open(&visitor).await.is_empty());
}

#[tokio::test]
async fn clearing_keeps_the_session_and_its_user() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    visitor
        .act(&site, |session| {
            session.login("ada").unwrap();
            session.insert("a", &1).unwrap();
        })
        .await;
    let id = visitor.id();
    visitor.act(&site, Session::clear).await;
    let session = site.open(&visitor).await;
    assert_eq!((session.is_empty(), session.principal().as_deref(), visitor.id()), (true, Some("ada"), id));
}

#[tokio::test]
async fn a_login_renews_the_authentication_time_and_a_cycle_does_not() {
    let (site, mut visitor) = Site::with_visitor().await;
    let created = site.open(&visitor).await.created_at().unwrap();

    site.sleep(Duration::from_secs(60));
    visitor.act(&site, |session| session.login("ada").unwrap()).await;
    let session = site.open(&visitor).await;
    let authenticated = session.authenticated_at().unwrap();
    assert_eq!(session.created_at(), Some(created), "the session is the old one");
    assert_eq!(authenticated.saturating_duration_since(created), Duration::from_secs(60));

    site.sleep(Duration::from_secs(60));
    visitor.act(&site, Session::cycle_id).await;
    let session = site.open(&visitor).await;
    assert_eq!((session.created_at(), session.authenticated_at()), (Some(created), Some(authenticated)));
}

#[tokio::test]
async fn the_principals_name_is_only_in_the_payload() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    visitor.act(&site, |session| session.login("ada@example.org").unwrap()).await;
    let file = std::fs::read(site.file(&visitor.id())).unwrap();
    let header = &file[..96];
    assert!(!header.windows(3).any(|window| window == b"ada"));
    assert_ne!(&header[56..88], [0; 32], "but its tag is");
    assert_eq!(site.probe.count(CallKind::Create), 1);
}

#[tokio::test]
async fn a_pending_login_is_known_at_once() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    visitor
        .act(&site, |session| {
            session.login("ada").unwrap();
            assert_eq!(session.principal().as_deref(), Some("ada"));
            session.insert("adas", "hush").unwrap();
            session.login("bob").unwrap();
        })
        .await;
    let session = site.open(&visitor).await;
    assert_eq!((session.principal().as_deref(), session.is_empty()), (Some("bob"), true));
}

#[tokio::test]
async fn another_users_choices_are_not_inherited() {
    let (site, mut visitor) = (Site::with(|builder| builder.persistent(false)), Visitor::default());
    visitor
        .act(&site, |session| {
            session.login("ada").unwrap();
            session.set_persistent(true).unwrap();
            session.set_idle_timeout(Some(Duration::from_secs(60))).unwrap();
        })
        .await;
    let created = site.open(&visitor).await.created_at();
    site.sleep(Duration::from_secs(30));
    let answer = visitor.act(&site, |session| session.login("bob").unwrap()).await;
    assert_eq!(answer.max_age(), None);
    site.sleep(Duration::from_secs(120));
    let session = site.open(&visitor).await;
    assert_eq!(session.principal().as_deref(), Some("bob"));
    assert_ne!(session.created_at(), created, "it is another session");
}
