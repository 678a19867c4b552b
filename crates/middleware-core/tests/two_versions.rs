//! An older and a newer version of this library share the sessions of one store, as they do during a deploy.
#![allow(clippy::unwrap_used)]

mod site;

use bytes::Bytes;
use nexios_middleware_core::{Clock, Event, SessionErrorKind};
use nexios_store_core::{SessionId, SessionStore, Stored};
use site::{CallKind, Site, Visitor};

/// Extensions that a newer version has written, and this one does not know: a tag, a length, the bytes.
const MAY_BE_IGNORED: &[u8] = b"\x07\x00\x0a\x00\x00\x00of a later";
const MUST_BE_UNDERSTOOD: &[u8] = b"\x07\x80\x0a\x00\x00\x00of a later";

/// The bytes for version and kind, after which the extensions come with their length.
const HEAD_LEN: usize = 2;

async fn stored(site: &Site, visitor: &Visitor) -> (SessionId, Stored) {
    let id = SessionId::parse(visitor.id()).unwrap();
    (id, site.store.load(&id, site.clock.now()).await.unwrap().unwrap())
}

/// Writes the visitor's record as a newer version might.
async fn written_by_newer(site: &Site, visitor: &Visitor, change: impl FnOnce(&mut Vec<u8>)) {
    let (id, mut stored) = stored(site, visitor).await;
    let mut payload = stored.record.payload.to_vec();
    change(&mut payload);
    stored.record.payload = payload.into();
    let _ = site.store.update(&id, stored.revision, &stored.record, site.clock.now()).await.unwrap();
}

fn extend(payload: &mut Vec<u8>, extension: &[u8]) {
    assert_eq!(payload[HEAD_LEN..][..8], [0; 8], "there are no extensions yet");
    payload[HEAD_LEN] = u8::try_from(extension.len()).unwrap();
    payload.splice(HEAD_LEN + 8..HEAD_LEN + 8, extension.iter().copied());
}

async fn logged_in(site: &Site) -> Visitor {
    let mut visitor = Visitor::default();
    let login = async |session: &nexios_middleware_core::Session| {
        session.insert("cart", &["tea"]).unwrap();
        session.login("ada").unwrap();
        200
    };
    visitor.visit(site, login).await;
    visitor
}

fn extension_of(payload: &Bytes) -> &[u8] {
    let len = usize::from(payload[HEAD_LEN]);
    &payload[HEAD_LEN + 8..][..len]
}

#[tokio::test]
async fn what_a_newer_version_has_added_is_carried_over_unchanged() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    written_by_newer(&site, &visitor, |payload| extend(payload, MAY_BE_IGNORED)).await;
    assert_eq!(visitor.sees::<[String; 1]>(&site, "cart").await, Some(["tea".to_owned()]));

    let update = async |session: &nexios_middleware_core::Session| {
        session.insert("seen", &true).unwrap();
        session.set_device("laptop").unwrap();
        200
    };
    visitor.visit(&site, update).await;
    assert_eq!(extension_of(&stored(&site, &visitor).await.1.record.payload), MAY_BE_IGNORED, "by an update");

    let before = visitor.id();
    let cycle = async |session: &nexios_middleware_core::Session| {
        session.login("ada").unwrap();
        200
    };
    visitor.visit(&site, cycle).await;
    assert_ne!(visitor.id(), before);
    assert_eq!(extension_of(&stored(&site, &visitor).await.1.record.payload), MAY_BE_IGNORED, "by a rename");

    let merged = site.open(&visitor).await;
    merged.insert("a", &1).unwrap();
    let mut other = visitor.clone();
    other.visit(&site, async |session| session.insert("b", &2).map_or(500, |()| 200)).await;
    merged.answer(&mut visitor, 200).await;
    assert_eq!(extension_of(&stored(&site, &visitor).await.1.record.payload), MAY_BE_IGNORED, "by a merge");
    assert_eq!((visitor.sees::<u8>(&site, "a").await, visitor.sees::<u8>(&site, "b").await), (Some(1), Some(2)));
}

#[tokio::test]
async fn an_extension_counts_towards_the_maximum_size() {
    let site = Site::with(|builder| builder.max_size(nexios_settings::ByteSize::new(300).unwrap()));
    let mut visitor = logged_in(&site).await;
    let fits = "x".repeat(60);
    visitor.visit(&site, async |session| session.insert("text", &fits).map_or(500, |()| 200)).await;
    assert_eq!(visitor.sees::<String>(&site, "text").await.as_ref(), Some(&fits));
    visitor.visit(&site, async |session| u16::from(session.remove("text")) + 199).await;

    let large = [&b"\x07\x00\x80\x00\x00\x00"[..], &[7; 128]].concat();
    written_by_newer(&site, &visitor, |payload| extend(payload, &large)).await;
    let session = site.open(&visitor).await;
    let refused = session.insert("text", &fits).unwrap_err();
    assert_eq!(refused.kind(), SessionErrorKind::TooLarge);
}

#[tokio::test]
async fn the_next_user_does_not_get_what_was_added_for_the_former() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    written_by_newer(&site, &visitor, |payload| extend(payload, MAY_BE_IGNORED)).await;
    visitor.visit(&site, async |session| session.login("bob").map_or(500, |()| 200)).await;
    assert_eq!(extension_of(&stored(&site, &visitor).await.1.record.payload), b"");
}

#[tokio::test]
async fn what_must_be_understood_is_left_to_the_newer_version() {
    for change in [
        |payload: &mut Vec<u8>| extend(payload, MUST_BE_UNDERSTOOD),
        |payload: &mut Vec<u8>| payload[1] = 9, // a kind of payload of a later version
        |payload: &mut Vec<u8>| payload[0] = 0x82, // a later version of all
    ] {
        let site = Site::new();
        let visitor = logged_in(&site).await;
        written_by_newer(&site, &visitor, change).await;
        let before = stored(&site, &visitor).await.1;
        let updates = site.probe.count(CallKind::Update);

        let error = site.try_open(&visitor).await.err().unwrap();
        assert_eq!((error.kind(), error.status()), (SessionErrorKind::Unsupported, 503));
        assert_eq!(site.manager.counters().of(Event::RecordUnsupported), 1);
        let after = stored(&site, &visitor).await.1;
        assert_eq!((after.record.payload, after.revision), (before.record.payload, before.revision));
        assert_eq!((site.probe.count(CallKind::SetAside), site.probe.count(CallKind::Update)), (0, updates));
        assert_eq!(site.manager.revoke_all("ada").await.unwrap(), 1, "a revocation ends it all the same");
    }
}
