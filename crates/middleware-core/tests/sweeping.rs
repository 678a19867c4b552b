//! Expired sessions are removed, in the background or at once.
#![allow(clippy::unwrap_used)]

mod site;

use std::time::Duration;

use site::{CallKind, Site, Trouble};

const HOUR: Duration = Duration::from_secs(3600);

async fn make_sessions(site: &Site, count: usize) {
    for _ in 0..count {
        site.visitor(|session| session.insert("a", &1).unwrap()).await;
    }
}

#[tokio::test]
async fn a_sweep_removes_what_has_expired_and_says_how_much() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR));
    make_sessions(&site, 3).await;
    site.sleep(HOUR / 2);
    make_sessions(&site, 2).await;
    site.sleep(HOUR / 2);
    assert_eq!(site.manager.sweep().await.unwrap(), 3);
    assert_eq!((site.files().len(), site.manager.sweep().await.unwrap()), (2, 0));
}

#[tokio::test]
async fn a_sweep_goes_in_bounded_steps() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR));
    make_sessions(&site, 900).await;
    site.sleep(HOUR);
    assert_eq!(site.manager.sweep().await.unwrap(), 900);
    assert!(site.probe.count(CallKind::DeleteExpired) >= 2);
}

#[tokio::test(start_paused = true)]
async fn the_sweeper_works_in_the_background_and_goes_on_after_errors() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR).cleanup_interval(Some(HOUR)));
    make_sessions(&site, 3).await;
    site.sleep(HOUR);
    site.probe.make(CallKind::DeleteExpired, Trouble::Fails);
    let sweeper = site.manager.spawn_sweeper();

    // The first sweep comes within one interval.
    tokio::time::sleep(HOUR + Duration::from_secs(1)).await;
    assert_eq!((sweeper.counts().completed, sweeper.counts().removed), (0, 0));
    assert!(sweeper.counts().failed >= 1);
    assert_eq!(site.files().len(), 3);

    site.probe.heal();
    while sweeper.counts().completed == 0 {
        tokio::time::sleep(HOUR / 4).await;
    }
    assert_eq!((sweeper.counts().removed, site.files().len()), (3, 0));
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_stops_when_dropped() {
    let site = Site::with(|builder| builder.cleanup_interval(Some(HOUR)));
    drop(site.manager.spawn_sweeper());
    tokio::time::sleep(HOUR * 3).await;
    assert_eq!(site.probe.count(CallKind::DeleteExpired), 0);
}

#[tokio::test(start_paused = true)]
async fn a_sweeper_without_an_interval_does_nothing() {
    let site = Site::with(|builder| builder.cleanup_interval(None));
    let sweeper = site.manager.spawn_sweeper();
    tokio::time::sleep(HOUR * 24).await;
    assert_eq!(site.probe.count(CallKind::DeleteExpired), 0);
    sweeper.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_does_not_end_the_sweeping() {
    let site = Site::with(|builder| builder.cleanup_interval(Some(HOUR)));
    site.probe.make(CallKind::DeleteExpired, Trouble::Hangs);
    let sweeper = site.manager.spawn_sweeper();
    while sweeper.counts().failed < 2 {
        tokio::time::sleep(HOUR / 4).await;
    }
    site.probe.heal();
    while sweeper.counts().completed == 0 {
        tokio::time::sleep(HOUR / 4).await;
    }
}
