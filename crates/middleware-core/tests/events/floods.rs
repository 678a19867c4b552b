//! Events that somebody can repeat at will have few lines in the log.

use std::time::Duration;

use nexios_middleware_core::{Clock, Event, SessionError};
use nexios_store_core::StoreErrorKind;
use nexios_store_testkit::hook::CallKind as Call;

use crate::log::Log;
use crate::probe::Trouble;
use crate::site::{Manner, Site, Visitor};

/// The log after 1 000 requests within ten seconds, and after one more.
async fn flood(site: &Site, visitor: &Visitor, event: Event) {
    let log = Log::new();
    for _ in 0..1000 {
        let _ = site.try_open(visitor).await;
        site.clock.advance(Duration::from_millis(9));
    }
    let lines = log.lines_of(event);
    assert_eq!(lines.iter().map(|line| line.repeated).collect::<Vec<_>>(), [None]);
    site.clock.advance(Duration::from_secs(1));
    let _ = site.try_open(visitor).await;
    let _ = site.try_open(visitor).await;
    let lines = log.lines_of(event);
    assert_eq!(lines.iter().map(|line| line.repeated).collect::<Vec<_>>(), [None, Some(999)]);
    let counters = site.manager.counters();
    assert_eq!((counters.of(event), counters.last(event)), (1002, Some(site.clock.now())));
    assert_eq!(site.heard().iter().filter(|heard| heard.event == event).count(), 1002, "observers hear of each");
    site.clock.advance(Duration::from_secs(10));
    let _ = site.try_open(visitor).await;
    assert_eq!(log.lines_of(event)[2].repeated, Some(1));
}

#[tokio::test]
async fn a_thousand_refused_cookies_have_one_line() {
    let site = Site::new(Manner::Listens);
    flood(&site, &Visitor::with_cookie("sessionid=forged"), Event::CookieRefused).await;
}

#[tokio::test]
async fn a_thousand_failed_loads_have_one_line() {
    let site = Site::new(Manner::Listens);
    let visitor = site.visitor().await;
    site.probe.make(Call::Load, Trouble::Fails);
    flood(&site, &visitor, Event::StoreFailed).await;
}

#[tokio::test]
async fn a_thousand_damaged_records_have_one_line() {
    let site = Site::new(Manner::Listens);
    let visitor = site.visitor().await;
    site.probe.make(Call::Load, Trouble::Answers(StoreErrorKind::Corrupt));
    flood(&site, &visitor, Event::RecordCorrupt).await;
}

/// No manager has a clock for it: it is that of the system.
#[test]
fn a_thousand_requests_without_a_layer_have_one_line() {
    let log = Log::new();
    for _ in 0..1000 {
        let _error = SessionError::missing_layer("no session layer is around this route");
    }
    assert!(log.lines().len() <= 1);
}

#[tokio::test]
async fn an_event_that_is_silent_silences_no_other() {
    let log = Log::new();
    let site = Site::new(Manner::Listens);
    let visitor = site.visitor().await;
    for _ in 0..2 {
        let _ = site.try_open(&Visitor::with_cookie("sessionid=forged")).await;
    }
    site.probe.make(Call::Load, Trouble::Fails);
    let _ = site.try_open(&visitor).await;
    assert_eq!((log.lines_of(Event::CookieRefused).len(), log.lines_of(Event::StoreFailed).len()), (1, 1));
}

#[tokio::test]
async fn each_manager_has_lines_of_its_own() {
    let log = Log::new();
    let site = Site::new(Manner::Listens);
    for site in [&site, &site.restarted(|builder| builder)] {
        let _ = site.try_open(&Visitor::with_cookie("sessionid=forged")).await;
    }
    assert_eq!(log.lines_of(Event::CookieRefused).len(), 2);
}

#[tokio::test]
async fn what_was_asked_for_in_full_has_a_line_each_time() {
    let log = Log::new();
    let site = Site::new(Manner::Listens);
    let mut visitor = site.visitor().await;
    for _ in 0..3 {
        site.visit(&mut visitor, |_| ()).await;
    }
    assert_eq!(log.lines_of(Event::SessionResumed).len(), 3);
}
