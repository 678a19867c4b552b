//! Calls of the store that go wrong.

use std::time::Duration;

use nexios_middleware_core::{AtLimit, Event, Session, SessionHandle};
use nexios_store_testkit::hook::CallKind as Call;

use super::{HOUR, StoreCall, limited};
use crate::probe::Trouble;
use crate::site::{ADA, HUSH, KEY, Manner, OTHER_KEY, Site, Visitor, keys};

pub const STORIES: &[StoreCall] = store_calls![
    a_load => []
    a_creation => [RequestFailed]
    an_update => [RequestFailed]
    a_rename => [RequestFailed]
    a_rename_for_a_login => [RequestFailed]
    a_deletion => [RequestFailed]
    a_load_after_a_conflict => [RequestFailed]
    a_touch => [RenewalFailed]
    an_update_for_another_key => [RenewalFailed]
    a_listing_for_a_logout_of_a_session_that_has_moved => [RequestFailed]
    a_listing_of_a_login_with_a_limit => [SessionCreated, LoggedIn]
    a_load_of_a_login_with_a_limit => [SessionCreated, LoggedIn]
    a_deletion_of_a_login_with_a_limit => [SessionCreated, LoggedIn]
    a_listing => []
    a_load_for_a_listing => []
    a_listing_for_a_revocation => []
    a_load_for_a_revocation => []
    a_deletion_for_a_revocation => []
    a_sweep => []
    a_sweep_in_the_background => [SweepFailed]
];

async fn a_load(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    site.probe.make(Call::Load, trouble);
    site.listen();
    assert!(site.try_open(&visitor).await.is_err());
    site
}

async fn a_creation(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    site.probe.make(Call::Create, trouble);
    let mut visitor = Visitor::default();
    assert_eq!(site.visit(&mut visitor, |session| session.insert("word", HUSH).unwrap()).await, 503);
    site
}

async fn an_update(manner: Manner, trouble: Trouble) -> Site {
    fail_to_save(manner, Call::Update, trouble, |session| session.insert("word", "other").unwrap()).await
}

async fn a_rename(manner: Manner, trouble: Trouble) -> Site {
    fail_to_save(manner, Call::Rename, trouble, Session::cycle_id).await
}

async fn a_rename_for_a_login(manner: Manner, trouble: Trouble) -> Site {
    fail_to_save(manner, Call::Rename, trouble, |session| session.login(ADA).unwrap()).await
}

async fn a_deletion(manner: Manner, trouble: Trouble) -> Site {
    fail_to_save(manner, Call::Delete, trouble, Session::destroy).await
}

/// A request whose handler does this, and whose save makes a call that runs into trouble.
async fn fail_to_save(manner: Manner, call: Call, trouble: Trouble, handler: impl FnOnce(&Session)) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let open = site.open(&visitor).await;
    site.probe.make(call, trouble);
    site.listen();
    handler(&open);
    assert_eq!(open.end(&mut visitor).await, 503);
    site
}

async fn a_load_after_a_conflict(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let slow = site.open(&visitor).await;
    site.visit(&mut visitor, |session| session.insert("word", "one").unwrap()).await;
    site.probe.make(Call::Load, trouble);
    site.listen();
    slow.insert("word", "other").unwrap();
    assert_eq!(slow.end(&mut visitor).await, 503);
    site
}

async fn a_touch(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    site.clock.advance(site.manager.settings().idle_timeout / 2);
    fail_to_renew(site, visitor, Call::Touch, trouble).await
}

async fn an_update_for_another_key(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    let visitor = site.user().await;
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    fail_to_renew(rotated, visitor, Call::Update, trouble).await
}

/// A request that only reads, and whose answer stands.
async fn fail_to_renew(site: Site, mut visitor: Visitor, call: Call, trouble: Trouble) -> Site {
    let open = site.open(&visitor).await;
    site.probe.make(call, trouble);
    site.listen();
    assert_eq!(open.end(&mut visitor).await, 200);
    site
}

async fn a_listing_for_a_logout_of_a_session_that_has_moved(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let slow = site.open(&visitor).await;
    let elsewhere = site.restarted(|builder| builder);
    elsewhere.visit(&mut visitor, Session::cycle_id).await;
    site.clock.advance(HOUR); // so that the old id no longer leads to the new one
    assert_eq!(site.manager.sweep().await.unwrap(), 1);
    site.probe.make(Call::SessionsOf, trouble);
    site.listen();
    slow.destroy();
    assert_eq!(slow.end(&mut visitor).await, 503);
    site
}

async fn a_listing_of_a_login_with_a_limit(manner: Manner, trouble: Trouble) -> Site {
    log_in_without_a_look(manner, Call::SessionsOf, trouble).await
}

async fn a_load_of_a_login_with_a_limit(manner: Manner, trouble: Trouble) -> Site {
    log_in_without_a_look(manner, Call::Load, trouble).await
}

async fn a_deletion_of_a_login_with_a_limit(manner: Manner, trouble: Trouble) -> Site {
    log_in_without_a_look(manner, Call::Delete, trouble).await
}

/// A user who has as many sessions as they may have, whose others cannot be counted or ended.
async fn log_in_without_a_look(manner: Manner, call: Call, trouble: Trouble) -> Site {
    let site = limited(manner, AtLimit::EndOldest);
    site.user().await;
    site.probe.make(call, trouble);
    site.listen();
    assert_eq!(site.visit(&mut Visitor::default(), |session| session.login(ADA).unwrap()).await, 200);
    site
}

async fn a_listing(manner: Manner, trouble: Trouble) -> Site {
    let site = user_in_trouble(manner, Call::SessionsOf, trouble).await;
    assert!(site.manager.sessions_of(ADA).await.is_err());
    site
}

async fn a_load_for_a_listing(manner: Manner, trouble: Trouble) -> Site {
    let site = user_in_trouble(manner, Call::Load, trouble).await;
    assert!(site.manager.sessions_of(ADA).await.is_err());
    site
}

async fn a_listing_for_a_revocation(manner: Manner, trouble: Trouble) -> Site {
    let site = user_in_trouble(manner, Call::SessionsOf, trouble).await;
    assert!(site.manager.revoke_all(ADA).await.is_err());
    site
}

async fn a_load_for_a_revocation(manner: Manner, trouble: Trouble) -> Site {
    let site = user_in_trouble(manner, Call::Load, trouble).await;
    assert!(site.manager.revoke_others(ADA, nobodys_handle()).await.is_err());
    site
}

async fn a_deletion_for_a_revocation(manner: Manner, trouble: Trouble) -> Site {
    let site = user_in_trouble(manner, Call::Delete, trouble).await;
    assert!(site.manager.revoke_all(ADA).await.is_err());
    site
}

async fn user_in_trouble(manner: Manner, call: Call, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    site.user().await;
    site.probe.make(call, trouble);
    site.listen();
    site
}

fn nobodys_handle() -> SessionHandle {
    "00000000000000000000000000000000".parse().unwrap()
}

async fn a_sweep(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::new(manner);
    site.probe.make(Call::DeleteExpired, trouble);
    assert!(site.manager.sweep().await.is_err());
    site
}

async fn a_sweep_in_the_background(manner: Manner, trouble: Trouble) -> Site {
    let site = Site::with(manner, |builder| builder.cleanup_interval(Some(HOUR)));
    site.probe.make(Call::DeleteExpired, trouble);
    let sweeper = site.manager.spawn_sweeper();
    while sweeper.counts().failed == 0 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    sweeper.stop().await;
    site
}
