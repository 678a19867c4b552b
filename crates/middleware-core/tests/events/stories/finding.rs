//! Stories of requests that look for their session.

use nexios_middleware_core::{Clock, Event, OnOutage, Session};
use nexios_store_testkit::hook::CallKind as Call;

use super::{HOUR, Row};
use crate::probe::Trouble;
use crate::site::{ADA, KEY, Manner, OTHER_KEY, Site, Visitor, keys};

pub const STORIES: &[Row] = stories![
    a_visitor_without_a_cookie => []
    a_cookie_of_another_key => [CookieRefused]
    a_cookie_of_the_wrong_length => [CookieRefused]
    several_bad_cookies_in_one_request => [CookieRefused]
    a_bad_cookie_beside_a_good_one => [SessionResumed]
    a_bad_cookie_where_visitors_keep_sessions => [CookieRefused]
    a_client_side_cookie_of_another_key => [CookieRefused]
    an_unknown_session => [SessionUnknown]
    the_id_that_a_session_had_before_a_login => [FormerIdUsed]
    a_session_that_a_shorter_timeout_has_ended => [SessionExpired]
    a_client_side_session_that_has_expired => [SessionExpired]
    a_session_from_the_future => [SessionFromFuture]
    a_client_side_session_from_the_future => [SessionFromFuture]
    a_session_that_is_asked_for_twice => [SessionResumed]
    a_client_side_session_that_is_asked_for_twice => [SessionResumed]
    an_outage_that_is_served_read_only => [StoreFailed, ServedReadOnly]
    an_outage_of_time_that_is_served_read_only => [StoreTimedOut, ServedReadOnly]
    a_logout_in_an_outage => [StoreFailed, ServedReadOnly, RequestFailed]
    a_retired_key_of_cookie_and_tag => [SessionResumed, RetiredKeyUsed]
    a_retired_key_of_the_tag_alone => [SessionResumed, RetiredKeyUsed]
    a_retired_key_where_visitors_keep_sessions => [SessionResumed, RetiredKeyUsed]
];

async fn a_visitor_without_a_cookie(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.visit(&mut Visitor::with_cookie("theme=dark"), |_| ()).await;
    site
}

async fn a_cookie_of_another_key(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY]))).visitor().await;
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_cookie_of_the_wrong_length(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.visit(&mut Visitor::with_cookie("sessionid=1"), |_| ()).await;
    site
}

async fn several_bad_cookies_in_one_request(manner: Manner) -> Site {
    let site = Site::new(manner);
    let other = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY]))).visitor().await;
    let cookies = format!("sessionid=1; {}; sessionid=", other.cookie);
    site.visit(&mut Visitor::with_cookie(cookies), |_| ()).await;
    site
}

async fn a_bad_cookie_beside_a_good_one(manner: Manner) -> Site {
    let site = Site::new(manner);
    let visitor = site.visitor().await;
    site.listen();
    site.visit(&mut Visitor::with_cookie(format!("sessionid=1; {}", visitor.cookie)), |_| ()).await;
    site
}

async fn a_bad_cookie_where_visitors_keep_sessions(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    let site = site.client_side(|builder| builder);
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_client_side_cookie_of_another_key(manner: Manner) -> Site {
    let site = Site::new(manner).client_side(|builder| builder);
    let mut visitor = site.client_side(|builder| builder.keys(keys(&[OTHER_KEY]))).visitor().await;
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn an_unknown_session(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    let mut copy = visitor.clone();
    site.visit(&mut visitor, Session::destroy).await;
    site.listen();
    site.visit(&mut copy, |_| ()).await;
    site
}

async fn the_id_that_a_session_had_before_a_login(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    let mut late = visitor.clone();
    site.visit(&mut visitor, |session| session.login(ADA).unwrap()).await;
    site.listen();
    site.visit(&mut late, |_| ()).await;
    site
}

async fn a_session_that_a_shorter_timeout_has_ended(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    let site = site.restarted(|builder| builder.idle_timeout(HOUR));
    site.clock.advance(HOUR);
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_client_side_session_that_has_expired(manner: Manner) -> Site {
    let site = Site::new(manner).client_side(|builder| builder.idle_timeout(HOUR));
    let mut visitor = site.user().await;
    site.clock.advance(HOUR);
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_client_side_session_from_the_future(manner: Manner) -> Site {
    let site = Site::new(manner).client_side(|builder| builder);
    site.clock.advance(HOUR);
    let mut visitor = site.user().await;
    site.clock.set(site.clock.now().saturating_sub(HOUR));
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_session_from_the_future(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.clock.advance(HOUR);
    let mut visitor = site.visitor().await;
    site.clock.set(site.clock.now().saturating_sub(HOUR));
    site.listen();
    site.visit(&mut visitor, |_| ()).await;
    site
}

async fn a_session_that_is_asked_for_twice(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.visitor().await;
    site.listen();
    let open = site.open(&visitor).await;
    assert!(open.request.existing_session().await.unwrap().is_some());
    open.end(&mut visitor).await;
    site
}

async fn a_client_side_session_that_is_asked_for_twice(manner: Manner) -> Site {
    let site = Site::new(manner).client_side(|builder| builder);
    let mut visitor = site.visitor().await;
    site.listen();
    let open = site.open(&visitor).await;
    assert!(open.request.existing_session().await.unwrap().is_some());
    open.end(&mut visitor).await;
    site
}

async fn an_outage_that_is_served_read_only(manner: Manner) -> Site {
    serve_read_only(manner, Trouble::Fails, |_| ()).await
}

async fn an_outage_of_time_that_is_served_read_only(manner: Manner) -> Site {
    serve_read_only(manner, Trouble::Hangs, |_| ()).await
}

async fn a_logout_in_an_outage(manner: Manner) -> Site {
    serve_read_only(manner, Trouble::Fails, Session::destroy).await
}

async fn serve_read_only(manner: Manner, trouble: Trouble, handler: impl FnOnce(&Session)) -> Site {
    let site = Site::with(manner, |builder| builder.on_outage(OnOutage::EmptyReadOnly));
    let mut visitor = site.user().await;
    site.probe.make(Call::Load, trouble);
    site.listen();
    site.visit(&mut visitor, handler).await;
    site
}

async fn a_retired_key_of_cookie_and_tag(manner: Manner) -> Site {
    let site = Site::new(manner);
    let mut visitor = site.user().await;
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    rotated.visit(&mut visitor, |_| ()).await;
    rotated
}

async fn a_retired_key_of_the_tag_alone(manner: Manner) -> Site {
    let site = Site::new(manner);
    site.user().await;
    let old_tag = site.heard()[0].principal;
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    let mut visitor = rotated.user().await;
    rotated.tamper(&visitor, |stored| stored.record.principal = old_tag).await;
    rotated.listen();
    rotated.visit(&mut visitor, |_| ()).await;
    rotated
}

async fn a_retired_key_where_visitors_keep_sessions(manner: Manner) -> Site {
    let site = Site::new(manner).client_side(|builder| builder);
    let mut visitor = site.user().await;
    let rotated = site.client_side(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    rotated.visit(&mut visitor, |_| ()).await;
    rotated
}
