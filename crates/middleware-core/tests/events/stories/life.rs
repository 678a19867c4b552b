//! From the first value of a session to its end.

use std::time::Duration;

use nexios_cookie_config::CookieConfig;
use nexios_middleware_core::{AtLimit, Event, Session, SessionErrorKind};
use nexios_store_testkit::hook::CallKind;

use super::answers::answer;
use super::{HOUR, Row, changed_in_vain, limited};
use crate::probe::Trouble;
use crate::site::{ADA, HUSH, Manner, Site, Visitor};

pub const STORIES: &[Row] = stories![
    a_first_value => [SessionCreated]
    a_first_value_where_visitors_keep_sessions => [SessionCreated]
    a_first_value_that_is_saved_by_the_handler => [SessionCreated]
    a_change => []
    a_request_that_is_dropped => []
    a_new_id => [SessionCycled]
    a_login_without_a_session => [SessionCreated, LoggedIn]
    a_login_with_a_session => [SessionCycled, LoggedIn]
    a_login_where_visitors_keep_sessions => [SessionCycled, LoggedIn]
    a_logout => [SessionDestroyed]
    a_logout_where_visitors_keep_sessions => [SessionDestroyed]
    a_logout_without_a_session => []
    a_logout_of_a_session_that_has_moved => [SessionDestroyed]
    a_logout_that_comes_second => []
    a_login_into_a_session_that_was_ended => [SessionCreated, LoggedIn]
    the_end_of_one_session_of_a_user => [SessionsRevoked]
    the_end_of_all_sessions_of_a_user => [SessionsRevoked]
    the_end_of_some_of_the_sessions_of_a_user => [SessionsRevoked, StoreFailed]
    a_login_that_ends_the_oldest_session => [SessionCreated, LoggedIn, SessionsRevoked]
    parallel_changes => [ChangesMerged]
    changes_of_a_session_that_another_request_has_ended => [ChangesDropped]
    a_change_after_the_head => [ChangesNeverSaved]
    a_new_id_after_the_head => [ChangesNeverSaved]
    a_pass_of_the_sweeper => [Swept]
    a_cookie_over_plain_http => [CookieInsecure]
];

async fn a_first_value(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.visitor().await;
    site
}

async fn a_first_value_where_visitors_keep_sessions(manner: Manner) -> Site {
    let site = Site::new(manner).client_side(|builder| builder);
    site.visitor().await;
    site
}

async fn a_first_value_that_is_saved_by_the_handler(manner: Manner) -> Site {
    let site = Site::new(manner);
    let open = site.open(&Visitor::default()).await;
    open.insert("word", HUSH).unwrap();
    open.save().await.unwrap();
    open.end(&mut Visitor::default()).await;
    site
}

async fn a_change(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    let open = site.open(&visitor).await;
    site.listen();
    open.insert("word", "other").unwrap();
    open.end(&mut visitor).await;
    site
}

async fn a_request_that_is_dropped(manner: Manner) -> Site {
    let site = Site::new(manner);
    let open = site.open(&Visitor::default()).await;
    open.insert("word", HUSH).unwrap();
    site.ears.forget();
    site
}

async fn a_new_id(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    let open = site.open(&visitor).await;
    site.listen();
    open.cycle_id();
    open.end(&mut visitor).await;
    site
}

async fn a_login_without_a_session(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.user().await;
    site
}

async fn a_login_with_a_session(manner: Manner) -> Site {
    log_in_with_a_session(Site::new(manner)).await
}

async fn a_login_where_visitors_keep_sessions(manner: Manner) -> Site {
    log_in_with_a_session(Site::new(manner).client_side(|builder| builder)).await
}

async fn log_in_with_a_session(site: Site) -> Site {
    let mut visitor = site.visitor().await;
    let open = site.open(&visitor).await;
    site.listen();
    open.login(ADA).unwrap();
    open.end(&mut visitor).await;
    site
}

async fn a_logout(manner: Manner) -> Site {
    log_out(Site::new(manner)).await
}

async fn a_logout_where_visitors_keep_sessions(manner: Manner) -> Site {
    log_out(Site::new(manner).client_side(|builder| builder)).await
}

async fn log_out(site: Site) -> Site {
    let mut visitor = site.user().await;
    let open = site.open(&visitor).await;
    site.listen();
    open.destroy();
    open.end(&mut visitor).await;
    site
}

async fn a_logout_without_a_session(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.visit(&mut Visitor::default(), Session::destroy).await;
    site
}

async fn a_logout_of_a_session_that_has_moved(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let slow = site.open(&visitor).await;
    site.visit(&mut visitor, Session::cycle_id).await;
    site.listen();
    slow.destroy();
    slow.end(&mut visitor).await;
    site
}

async fn a_logout_that_comes_second(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let slow = site.open(&visitor).await;
    site.visit(&mut visitor, Session::destroy).await;
    site.listen();
    slow.destroy();
    slow.end(&mut visitor).await;
    site
}

async fn a_login_into_a_session_that_was_ended(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let slow = site.open(&visitor).await;
    site.visit(&mut visitor, Session::destroy).await;
    site.listen();
    slow.login(ADA).unwrap();
    slow.end(&mut visitor).await;
    site
}

async fn the_end_of_one_session_of_a_user(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.user().await;
    site.user().await;
    let handle = site.manager.sessions_of(ADA).await.unwrap()[0].handle;
    site.listen();
    assert!(site.manager.revoke(ADA, handle).await.unwrap());
    site
}

async fn the_end_of_all_sessions_of_a_user(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.user().await;
    site.user().await;
    site.listen();
    assert_eq!(site.manager.revoke_all(ADA).await.unwrap(), 2);
    assert_eq!(site.heard()[0].count, Some(2));
    site
}

async fn the_end_of_some_of_the_sessions_of_a_user(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.user().await;
    site.user().await;
    site.probe.make_once(CallKind::Delete, Trouble::Fails);
    site.listen();
    assert!(site.manager.revoke_all(ADA).await.is_err());
    assert_eq!(site.heard()[1].count, Some(1));
    site
}

async fn a_login_that_ends_the_oldest_session(manner: Manner) -> Site {
    let site = limited(manner, AtLimit::EndOldest);
    site.user().await;
    site.listen();
    site.user().await;
    assert_eq!(site.heard()[0].count, Some(1));
    site
}

async fn parallel_changes(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let (one, other) = (site.open(&visitor).await, site.open(&visitor).await);
    site.listen();
    for open in [one, other] {
        open.update("count", |count: Option<u32>| count.unwrap_or(0) + 1).unwrap();
        assert_eq!(open.end(&mut visitor).await, 200);
    }
    site
}

async fn changes_of_a_session_that_another_request_has_ended(manner: Manner) -> Site {
    let site = Site::new(manner);
    let slow = changed_in_vain(&site).await;
    answer(&slow).await;
    site
}

async fn a_change_after_the_head(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    let open = site.open(&visitor).await;
    open.end(&mut visitor).await;
    site.listen();
    open.insert("word", "other").unwrap();
    site.ears.forget();
    assert!(site.heard().is_empty(), "it may be saved still");
    drop(open);
    site
}

async fn a_new_id_after_the_head(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    let open = site.open(&visitor).await;
    open.end(&mut visitor).await;
    site.listen();
    open.cycle_id();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::HeadSent);
    site.ears.forget();
    site
}

async fn a_pass_of_the_sweeper(manner: Manner) -> Site {
    let site = Site::with(manner, |builder| builder.idle_timeout(HOUR).cleanup_interval(Some(HOUR)));
    site.visitor().await;
    site.visitor().await;
    site.clock.advance(HOUR);
    site.listen();
    let sweeper = site.manager.spawn_sweeper();
    while sweeper.counts().completed == 0 {
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    sweeper.stop().await;
    assert_eq!(site.heard()[0].count, Some(2));
    site
}

async fn a_cookie_over_plain_http(manner: Manner) -> Site {
    Site::with(manner, |builder| builder.cookie(CookieConfig::default()))
}
