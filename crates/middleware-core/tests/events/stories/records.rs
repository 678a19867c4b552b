//! Records that cannot be read.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use nexios_middleware_core::{Clock, Event, PrincipalTag, SessionErrorKind};
use nexios_signer::Purpose;
use nexios_store_core::StoreErrorKind;
use nexios_store_testkit::hook::CallKind as Call;

use super::{HOUR, Row};
use crate::probe::Trouble;
use crate::site::{ADA, KEY, Manner, Site, Visitor, keys};

pub const STORIES: &[Row] = stories![
    a_damaged_record => [RecordCorrupt]
    a_record_that_no_key_opens => [SealOfUnknownKey]
    a_write_over_a_record_that_no_key_opens => [SealOfUnknownKey, RequestFailed]
    a_damaged_record_that_cannot_be_set_aside => [RecordCorrupt, RecordNotSetAside]
    a_damaged_record_that_is_not_set_aside_in_time => [RecordCorrupt, StoreTimedOut]
    a_write_over_a_damaged_record => [RecordCorrupt, RequestFailed]
    a_payload_that_is_cut => [PayloadUnreadable]
    a_client_side_payload_that_is_cut => [PayloadUnreadable]
    a_user_without_a_tag => [PayloadUnreadable]
    a_tag_that_no_key_has_made => [TagOfUnknownKey]
    a_record_of_a_newer_format => [RecordUnsupported]
    a_payload_of_a_newer_format => [RecordUnsupported]
    a_client_side_session_of_a_newer_format => [RecordUnsupported]
    a_write_over_a_record_of_a_newer_format => [RecordUnsupported, RequestFailed]
    a_damaged_record_among_those_of_a_user => [SessionUnlisted]
    a_cut_payload_among_those_of_a_user => [SessionUnlisted]
];

async fn a_damaged_record(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    site.probe.make(Call::Load, Trouble::Answers(StoreErrorKind::Corrupt));
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_record_that_no_key_opens(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    site.probe.make(Call::Load, Trouble::Answers(StoreErrorKind::NoKey));
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_write_over_a_record_that_no_key_opens(manner: Manner) -> Site {
    write_over(manner, Trouble::Answers(StoreErrorKind::NoKey)).await
}

async fn a_damaged_record_that_cannot_be_set_aside(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    site.probe.make(Call::Load, Trouble::Answers(StoreErrorKind::Corrupt));
    site.probe.make(Call::SetAside, Trouble::Fails);
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_damaged_record_that_is_not_set_aside_in_time(manner: Manner) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    site.probe.make(Call::Load, Trouble::Answers(StoreErrorKind::Corrupt));
    site.probe.make(Call::SetAside, Trouble::Hangs);
    site.listen();
    assert!(site.try_open(&visitor).await.is_err());
    site
}

async fn a_write_over_a_damaged_record(manner: Manner) -> Site {
    write_over(manner, Trouble::Answers(StoreErrorKind::Corrupt)).await
}

async fn a_payload_that_is_cut(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    site.tamper(&visitor, |stored| stored.record.payload.truncate(40)).await;
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_user_without_a_tag(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    site.tamper(&visitor, |stored| stored.record.principal = None).await;
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_tag_that_no_key_has_made(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    site.tamper(&visitor, |stored| stored.record.principal = Some(PrincipalTag::from_bytes([7; 32]))).await;
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_record_of_a_newer_format(manner: Manner) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    site.probe.make(Call::Load, Trouble::Answers(StoreErrorKind::Unsupported));
    site.listen();
    assert_eq!(site.try_open(&visitor).await.err().unwrap().kind(), SessionErrorKind::Unsupported);
    site
}

async fn a_payload_of_a_newer_format(manner: Manner) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    site.tamper(&visitor, |stored| stored.record.payload = vec![255; 80].into()).await;
    site.listen();
    assert_eq!(site.try_open(&visitor).await.err().unwrap().kind(), SessionErrorKind::Unsupported);
    site
}

async fn a_client_side_payload_that_is_cut(manner: Manner) -> Site {
    let site = Site::new(manner).client_side(|builder| builder);
    site.visit(&mut sealed(&site, &[0; 40]), |_| ()).await;
    site
}

async fn a_cut_payload_among_those_of_a_user(manner: Manner) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    site.tamper(&visitor, |stored| stored.record.payload.truncate(40)).await;
    site.listen();
    assert_eq!(site.manager.sessions_of(ADA).await.unwrap(), []);
    site
}

/// A visitor who keeps this payload.
fn sealed(site: &Site, payload: &[u8]) -> Visitor {
    let times = [site.clock.now(), site.clock.now().saturating_add(HOUR)];
    let plaintext = [&times.map(|time| time.as_unix_millis().to_be_bytes()).concat()[..], payload].concat();
    let sealer = keys(&[KEY]).sealer(Purpose::new("nexios sealed session"));
    let value = URL_SAFE_NO_PAD.encode(sealer.seal(b"sessionid", &plaintext).unwrap());
    Visitor::with_cookie(format!("sessionid={value}"))
}

async fn a_client_side_session_of_a_newer_format(manner: Manner) -> Site {
    let site = Site::new(manner).client_side(|builder| builder);
    let visitor = sealed(&site, &[255; 80]);
    assert_eq!(site.try_open(&visitor).await.err().unwrap().kind(), SessionErrorKind::Unsupported);
    site
}

async fn a_write_over_a_record_of_a_newer_format(manner: Manner) -> Site {
    write_over(manner, Trouble::Answers(StoreErrorKind::Unsupported)).await
}

async fn write_over(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let open = site.open(&visitor).await;
    site.probe.make(Call::Update, trouble);
    site.listen();
    open.insert("word", "other").unwrap();
    assert_eq!(open.end(&mut visitor).await, 503);
    site
}

async fn a_damaged_record_among_those_of_a_user(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.user().await;
    site.probe.make(Call::Load, Trouble::Answers(StoreErrorKind::Corrupt));
    site.listen();
    assert_eq!(site.manager.sessions_of(ADA).await.unwrap(), []);
    site
}
