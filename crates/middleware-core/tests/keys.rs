//! Keys are rotated without logging anybody out.
#![allow(clippy::unwrap_used)]

mod site;

use std::time::Duration;

use nexios_middleware_core::Event;
use site::{CallKind, KEY, Log, OTHER_KEY, Site, Trouble, Visitor, head_of, keys, pair};
use tracing::Level;

async fn visitor(site: &Site) -> Visitor {
    site.visitor(|session| {
        session.login("ada").unwrap();
        session.insert("a", &1).unwrap();
    })
    .await
}

#[tokio::test]
async fn an_old_keys_cookie_is_reissued_once_the_record_is_rewritten() {
    let site = Site::new();
    let mut visitor = visitor(&site).await;
    let old_cookie = visitor.cookies.clone();
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));

    let updates = site.probe.count(CallKind::Update);
    let answer = visitor.act(&rotated, |session| assert!(session.contains_key("a"))).await;
    assert!(answer.set_cookie.is_some());
    assert_ne!(visitor.cookies, old_cookie);
    assert_eq!(site.probe.count(CallKind::Update), updates + 1);
    visitor.act(&rotated, |_| {}).await;
    assert_eq!(site.probe.count(CallKind::Update), updates + 1, "once");

    let retired = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY])));
    assert_eq!(visitor.sees::<u8>(&retired, "a").await, Some(1), "the principal's tag was renewed as well");
}

#[tokio::test]
async fn a_cookie_is_not_reissued_if_the_record_could_not_be_written() {
    let site = Site::new();
    let mut visitor = visitor(&site).await;
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    site.probe.make(CallKind::Update, Trouble::Fails);
    let answer = visitor.act(&rotated, |_| {}).await;
    assert_eq!((answer.set_cookie, answer.failure), (None, None), "an event, and the answer stands");
    site.probe.heal();
    assert!(visitor.act(&rotated, |_| {}).await.set_cookie.is_some(), "the next request tries again");
}

#[tokio::test]
async fn a_removed_key_opens_nothing_and_its_records_stay() {
    let site = Site::new();
    let visitor = visitor(&site).await;
    let other = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY])));
    let calls = site.probe.total();
    assert_eq!(visitor.sees::<u8>(&other, "a").await, None);
    assert_eq!(site.probe.total(), calls, "nothing is even looked up");
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(1), "the key has come back");
}

#[tokio::test]
async fn the_operator_hears_when_a_retired_key_was_last_used() {
    let site = Site::new();
    let (mut one, mut other) = (visitor(&site).await, visitor(&site).await);
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    assert_eq!(rotated.manager.counters().last(Event::RetiredKeyUsed), None);

    let log = Log::of_level(Level::INFO);
    let last_used = || log.text().matches("a retired key of the ring was used").count();
    one.act(&rotated, |_| {}).await;
    other.act(&rotated, |_| {}).await;
    assert_eq!(last_used(), 1, "not for each visitor");
    let counters = rotated.manager.counters();
    assert_eq!((counters.of(Event::RetiredKeyUsed), counters.last(Event::RetiredKeyUsed)), (2, Some(site.clock_now())));

    site.sleep(Duration::from_secs(60));
    one.act(&rotated, |_| {}).await;
    assert_eq!(last_used(), 1, "the visitor has a cookie of the first key");
    for told in [2, 2, 3] {
        rotated.manager.request([cookie_of(&site).await]).signed_cookies().get("theme").unwrap();
        assert_eq!(last_used(), told, "once a minute for as long as it lasts");
        site.sleep(Duration::from_secs(30));
    }
    site.clock.set(site.clock_now().saturating_sub(Duration::from_secs(30)));
    assert_eq!(rotated.manager.counters().last(Event::RetiredKeyUsed), Some(site.clock_now()));
}

/// Returns a signed cookie that the site has set.
async fn cookie_of(site: &Site) -> String {
    let request = site.manager.request([""; 0]);
    request.signed_cookies().set("theme", "dark").unwrap();
    pair(&head_of(&request).await)
}

#[tokio::test]
async fn a_cookie_of_another_name_opens_nothing() {
    let site = Site::new();
    let visitor = visitor(&site).await;
    let config = nexios_cookie_config::CookieConfig::builder().name("admin").build().unwrap();
    let admin = site.restarted(|builder| builder.cookie(config));
    let renamed = Visitor::with_cookie(visitor.cookies[0].replace("sessionid=", "admin="));
    assert_eq!(renamed.sees::<u8>(&admin, "a").await, None, "the signature is bound to the name");
}

/// Two applications have one key and one store.
#[tokio::test]
async fn applications_with_names_accept_nothing_of_each_other() {
    let site = Site::new();
    let named = |name: &str| keys(&[KEY]).for_application(name).unwrap();
    let (shop, forum) =
        (site.restarted(|builder| builder.keys(named("shop"))), site.restarted(|builder| builder.keys(named("forum"))));
    let mut visitor = Visitor::default();
    visitor.act(&shop, |session| session.login("ada").unwrap()).await;
    let at = async |site: &Site| site.open(&visitor).await.principal();
    assert_eq!((at(&shop).await.as_deref(), at(&forum).await, at(&site).await), (Some("ada"), None, None));

    assert_eq!(forum.manager.revoke_all("ada").await.unwrap(), 0, "nor do they end each other's sessions");
    assert_eq!(forum.manager.sessions_of("ada").await.unwrap(), []);
    assert_eq!(at(&shop).await.as_deref(), Some("ada"));

    let cookie = cookie_of(&shop).await;
    let theme = |site: &Site| site.manager.request([&cookie]).signed_cookies().get("theme");
    assert!(theme(&shop).is_ok() && theme(&forum).is_err() && theme(&site).is_err());

    let kept = |name| site.restarted_client_side(|builder| builder.keys(named(name)));
    let visitor = kept("shop").visitor(|session| session.insert("a", &1).unwrap()).await;
    assert_eq!(visitor.sees::<u8>(&kept("shop"), "a").await, Some(1));
    assert_eq!(visitor.sees::<u8>(&kept("forum"), "a").await, None);
}

#[tokio::test]
async fn a_record_with_an_unknown_principal_tag_is_left_in_place() {
    let site = Site::new();
    let visitor = visitor(&site).await;
    // The cookie verifies, but no key of the ring made the tag, because somebody has changed the record in the store.
    let path = site.file(&visitor.id());
    let original = std::fs::read(&path).unwrap();
    let id = nexios_store_core::SessionId::parse(visitor.id()).unwrap();
    use nexios_store_core::{PrincipalTag, SessionStore};
    let now = nexios_middleware_core::Clock::now(&*site.clock);
    let mut stored = site.store.load(&id, now).await.unwrap().unwrap();
    stored.record.principal = Some(PrincipalTag::from_bytes([7; 32]));
    let _ = site.store.update(&id, stored.revision, &stored.record, now).await.unwrap();

    assert_eq!(visitor.sees::<u8>(&site, "a").await, None);
    assert_eq!((site.probe.count(CallKind::SetAside), site.manager.counters().of(Event::TagOfUnknownKey)), (0, 1));
    assert_eq!(std::fs::read(&path).unwrap().len(), original.len());
}
