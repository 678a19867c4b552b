//! The log shows fingerprints, and no id, key or value.
#![allow(clippy::unwrap_used)]

mod site;

use nexios_middleware_core::Session;
use site::{CallKind, KEY, Log, Site, Trouble, Visitor};
use tracing::Level;

#[tokio::test]
async fn no_event_shows_an_id_a_cookie_or_a_value() {
    let log = Log::of_level(Level::TRACE);
    let mut secrets = vec![KEY.to_owned(), "hush".to_owned(), "ada@example.org".to_owned()];

    let (site, mut visitor) = (Site::new(), Visitor::default());
    visitor.act(&site, |session| session.insert("word", "hush").unwrap()).await;
    secrets.push(visitor.id());
    visitor.act(&site, |session| session.login("ada@example.org").unwrap()).await;
    secrets.push(visitor.id());
    let slow = site.open(&visitor).await;
    slow.insert("slow", "hush").unwrap();
    visitor.clone().act(&site, |session| session.insert("other", "hush").unwrap()).await;
    slow.answer(&mut visitor, 200).await; // merged
    site.probe.make(CallKind::Update, Trouble::Fails);
    visitor.act(&site, |session| session.insert("other", "hush").unwrap()).await;
    site.probe.heal();
    let gone = site.open(&visitor).await;
    gone.insert("gone", "hush").unwrap();
    let stale = visitor.clone();
    visitor.act(&site, Session::destroy).await;
    gone.answer(&mut visitor, 200).await;
    stale.sees::<u8>(&site, "word").await; // unknown
    let corrupt = site.visitor(|session| session.insert("word", "hush").unwrap()).await;
    secrets.push(corrupt.id());
    std::fs::write(site.file(&corrupt.id()), [b'x'; 4096]).unwrap();
    corrupt.sees::<u8>(&site, "word").await;

    let log = log.text();
    for event in [
        "session_created",
        "session_resumed",
        "session_cycled",
        "logged_in",
        "changes_merged",
        "store_failed",
        "request_failed",
        "session_destroyed",
        "changes_dropped",
        "session_unknown",
        "record_corrupt",
    ] {
        assert!(log.contains(event), "no event {event:?} in:\n{log}");
    }
    for secret in secrets {
        assert!(!log.contains(&secret), "{secret:?} is in:\n{log}");
    }
}
