//! The lifetimes of sessions and of their cookies. The clock is an argument.
#![allow(clippy::unwrap_used)]

mod site;

use std::time::Duration;

use nexios_middleware_core::{Clock, Session, SessionErrorKind};
use site::{CallKind, Log, Site, Visitor};
use tracing::Level;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

async fn visitor(site: &Site) -> Visitor {
    site.visitor(|session| session.insert("a", &1).unwrap()).await
}

async fn is_alive(site: &Site, visitor: &Visitor) -> bool {
    visitor.sees::<u8>(site, "a").await.is_some()
}

#[tokio::test]
async fn an_idle_session_ends() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR));
    let visitor = visitor(&site).await;
    site.sleep(HOUR - Duration::from_millis(1));
    assert!(is_alive(&site, &visitor).await);
    site.sleep(Duration::from_millis(1));
    assert!(!is_alive(&site, &visitor).await);
}

#[tokio::test]
async fn reading_keeps_a_session_alive() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR));
    let mut visitor = visitor(&site).await;
    for _ in 0..10 {
        site.sleep(HOUR / 2);
        visitor.act(&site, |session| assert!(session.contains_key("a"))).await;
    }
    assert!(is_alive(&site, &visitor).await);
    assert_eq!((site.probe.count(CallKind::Touch), site.probe.count(CallKind::Update)), (10, 0));
}

#[tokio::test]
async fn touches_are_rationed() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR));
    let mut visitor = visitor(&site).await;
    for _ in 0..60 {
        site.sleep(MINUTE);
        let answer = visitor.act(&site, |_| {}).await;
        assert_eq!(answer.max_age().is_some_and(|max_age| max_age == 3600), answer.set_cookie.is_some());
    }
    assert_eq!(site.probe.count(CallKind::Touch), 10, "one each tenth of the idle timeout");
}

#[tokio::test]
async fn the_absolute_timeout_ends_a_session_however_much_it_is_used() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR).absolute_timeout(Some(HOUR * 2)));
    let mut visitor = visitor(&site).await;
    for _ in 0..11 {
        site.sleep(MINUTE * 10);
        visitor.act(&site, |session| session.insert("b", &1).unwrap()).await;
        assert!(is_alive(&site, &visitor).await);
    }
    site.sleep(MINUTE * 10);
    assert!(!is_alive(&site, &visitor).await);
}

#[tokio::test]
async fn a_login_restarts_the_absolute_timeout_and_a_cycle_does_not() {
    let site = Site::with(|builder| builder.absolute_timeout(Some(HOUR)));
    let (mut cycled, mut logged_in) = (visitor(&site).await, visitor(&site).await);
    site.sleep(MINUTE * 30);
    cycled.act(&site, Session::cycle_id).await;
    logged_in.act(&site, |session| session.login("ada").unwrap()).await;
    site.sleep(MINUTE * 30);
    assert!(!is_alive(&site, &cycled).await);
    assert!(is_alive(&site, &logged_in).await);
}

#[tokio::test]
async fn shortened_timeouts_act_on_existing_sessions_at_once() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR * 24));
    let visitor = visitor(&site).await;
    site.sleep(HOUR * 2);
    assert!(is_alive(&site, &visitor).await);
    let idle = site.restarted(|builder| builder.idle_timeout(HOUR));
    assert!(!is_alive(&idle, &visitor).await, "though nobody has looked at it since the change");
    let absolute = site.restarted(|builder| builder.idle_timeout(HOUR * 24).absolute_timeout(Some(HOUR)));
    assert!(!is_alive(&absolute, &visitor).await);
}

#[tokio::test]
async fn a_changed_idle_timeout_is_stored_at_the_next_visit() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR * 24));
    let mut visitor = visitor(&site).await;
    let site = site.restarted(|builder| builder.idle_timeout(HOUR));
    let answer = visitor.act(&site, |_| {}).await;
    assert_eq!((site.probe.count(CallKind::Update), answer.max_age()), (1, Some(3600)));
    visitor.act(&site, |_| {}).await;
    assert_eq!(site.probe.count(CallKind::Update), 1, "once");
}

#[tokio::test]
async fn the_cookie_lives_as_long_as_the_session() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR).absolute_timeout(Some(HOUR + MINUTE)));
    let mut visitor = Visitor::default();
    let answer = visitor.act(&site, |session| session.insert("a", &1).unwrap()).await;
    assert_eq!(answer.max_age(), Some(3600));
    site.sleep(MINUTE * 31);
    let answer = visitor.act(&site, |session| session.insert("a", &2).unwrap()).await;
    assert_eq!(answer.max_age(), Some(30 * 60), "the absolute timeout comes first");
}

#[tokio::test]
async fn a_browser_session_cookie_has_no_max_age_and_is_sent_once() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR).persistent(false));
    let mut visitor = Visitor::default();
    let answer = visitor.act(&site, |session| session.insert("a", &1).unwrap()).await;
    assert!(!answer.set_cookie.unwrap().contains("Max-Age"));
    site.sleep(MINUTE * 30);
    let answer = visitor.act(&site, |session| session.insert("a", &2).unwrap()).await;
    assert_eq!(answer.set_cookie, None);
}

#[tokio::test]
async fn a_session_chooses_for_itself_whether_to_be_remembered() {
    let site = Site::with(|builder| builder.persistent(false));
    let mut visitor = visitor(&site).await;
    let answer = visitor
        .act(&site, |session| {
            session.set_persistent(true).unwrap();
            session.set_idle_timeout(Some(HOUR * 24 * 30)).unwrap();
        })
        .await;
    assert_eq!(answer.max_age(), Some(30 * 24 * 3600));
    site.sleep(HOUR * 24 * 29);
    let answer = visitor.act(&site, |session| session.insert("a", &2).unwrap()).await;
    assert_eq!(answer.max_age(), Some(30 * 24 * 3600), "for good");
    let answer = visitor.act(&site, |session| session.set_persistent(false).unwrap()).await;
    assert!(answer.set_cookie.is_some() && answer.max_age().is_none(), "the browser is told to forget");
}

#[tokio::test]
async fn a_session_tells_its_own_choices_and_takes_them_back() {
    let site = Site::with(|builder| builder.persistent(false).idle_timeout(HOUR));
    let mut visitor = visitor(&site).await;
    visitor
        .act(&site, |session| {
            assert_eq!((session.persistent(), session.idle_timeout()), (None, None));
            session.set_persistent(true).unwrap();
            session.set_idle_timeout(Some(HOUR * 24)).unwrap();
            assert_eq!((session.persistent(), session.idle_timeout()), (Some(true), Some(HOUR * 24)));
        })
        .await;
    let answer = visitor
        .act(&site, |session| {
            assert_eq!((session.persistent(), session.idle_timeout()), (Some(true), Some(HOUR * 24)));
            session.set_persistent(None).unwrap();
            session.set_idle_timeout(None).unwrap();
            assert_eq!((session.persistent(), session.idle_timeout()), (None, None), "before the save too");
        })
        .await;
    assert!(answer.set_cookie.is_some() && answer.max_age().is_none(), "the settings decide again");
    let open = site.open(&visitor).await;
    assert_eq!((open.persistent(), open.idle_timeout()), (None, None));
    assert_eq!(open.expires_at(), Some(site.clock.now().saturating_add(HOUR)));
    let site = site.restarted(|builder| builder.persistent(true).idle_timeout(HOUR));
    assert_eq!(visitor.act(&site, |session| session.insert("b", &1).unwrap()).await.max_age(), Some(3600));
}

#[tokio::test]
async fn a_session_ends_at_its_deadline_however_much_it_is_used() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR * 4));
    let mut visitor = visitor(&site).await;
    let end = site.clock_now().saturating_add(HOUR * 5);
    let set = visitor.act(&site, |session| session.set_deadline(end).unwrap()).await;
    assert_eq!(set.max_age(), Some(4 * 3600));
    for _ in 0..4 {
        site.sleep(HOUR);
        visitor.act(&site, |session| session.login("ada").unwrap()).await;
    }
    let open = site.open(&visitor).await;
    assert_eq!((open.deadline(), open.expires_at()), (Some(end), Some(end)), "a login does not move it");
    assert_eq!(visitor.act(&site, |session| session.insert("a", &2).unwrap()).await.max_age(), Some(3600));
    site.sleep(HOUR);
    assert_eq!(visitor.sees::<u8>(&site, "a").await, None);
}

#[tokio::test]
async fn a_deadline_can_be_taken_back_and_must_be_in_the_future() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR * 4));
    let mut visitor = visitor(&site).await;
    let now = site.clock_now();
    visitor
        .act(&site, |session| {
            assert_eq!(session.set_deadline(now).unwrap_err().kind(), SessionErrorKind::InvalidValue);
            session.set_deadline(now.saturating_add(HOUR)).unwrap();
            assert_eq!(session.deadline(), Some(now.saturating_add(HOUR)), "before the save too");
        })
        .await;
    assert_eq!(site.open(&visitor).await.expires_at(), Some(now.saturating_add(HOUR)));
    visitor.act(&site, |session| session.set_deadline(None).unwrap()).await;
    let open = site.open(&visitor).await;
    assert_eq!((open.deadline(), open.expires_at()), (None, Some(now.saturating_add(HOUR * 4))));
}

#[tokio::test]
async fn a_session_that_is_not_saved_yet_can_choose_too() {
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    open.set_persistent(false).unwrap();
    open.set_idle_timeout(Some(HOUR)).unwrap();
    assert_eq!((open.persistent(), open.idle_timeout()), (Some(false), Some(HOUR)));
    open.discard();
    assert_eq!((open.persistent(), open.idle_timeout()), (None, None));
}

#[tokio::test]
async fn a_sessions_own_idle_timeout_has_the_bounds_of_the_settings() {
    let site = Site::new();
    let open = site.open(&Visitor::default()).await;
    for timeout in [Duration::ZERO, HOUR * 24 * 3651] {
        assert_eq!(open.set_idle_timeout(Some(timeout)).unwrap_err().kind(), SessionErrorKind::InvalidValue);
    }
    assert!(!open.is_modified());
}

#[tokio::test]
async fn a_session_tells_when_it_was_created_and_when_it_expires() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR));
    let open = site.open(&Visitor::default()).await;
    assert_eq!((open.created_at(), open.expires_at(), open.authenticated_at()), (None, None, None));
    let visitor = visitor(&site).await;
    let open = site.open(&visitor).await;
    assert_eq!(open.created_at(), Some(site.clock.now()));
    assert_eq!(open.expires_at(), Some(site.clock.now().saturating_add(HOUR)));
}

#[tokio::test]
async fn a_clock_set_back_a_little_does_not_shorten_a_session() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR).absolute_timeout(Some(HOUR * 2)));
    let mut visitor = visitor(&site).await;
    let now = site.clock.now();
    site.clock.set(now.saturating_sub(MINUTE * 4));
    visitor.act(&site, |session| session.insert("b", &1).unwrap()).await;
    assert!(is_alive(&site, &visitor).await);
    site.clock.set(now.saturating_add(HOUR * 2));
    assert!(!is_alive(&site, &visitor).await, "the absolute end stays where it was");
}

#[tokio::test]
async fn a_session_from_the_future_is_ignored_until_its_time_comes() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR).absolute_timeout(Some(HOUR * 2)));
    let visitor = visitor(&site).await;
    let now = site.clock.now();
    let log = Log::of_level(Level::WARN);
    site.clock.set(now.saturating_sub(HOUR * 24));
    assert!(!is_alive(&site, &visitor).await, "it would outlive its absolute timeout");
    assert!(log.text().contains("was the clock set back?"), "{}", log.text());
    assert_eq!(site.files(), [visitor.id()], "but is not removed");
    site.clock.set(now.saturating_add(MINUTE));
    assert!(is_alive(&site, &visitor).await);
}

#[tokio::test]
async fn a_timeout_with_fractions_of_a_millisecond_causes_no_write() {
    let site = Site::with(|builder| builder.idle_timeout(Duration::from_secs(100) / 3));
    let mut visitor = visitor(&site).await;
    visitor.act(&site, |_| {}).await;
    assert_eq!(site.probe.count(CallKind::Update), 0);
}

#[tokio::test]
async fn a_session_above_a_lowered_maximum_lives_on_and_cannot_grow() {
    let site = Site::with(|builder| builder.idle_timeout(HOUR));
    let mut visitor = site.visitor(|session| session.insert("a", &vec![1; 2000]).unwrap()).await;
    let size = nexios_settings::ByteSize::new(1000).unwrap();
    let smaller = site.restarted(|builder| builder.idle_timeout(HOUR * 2).max_size(size));
    for _ in 0..6 {
        visitor.act(&smaller, |session| assert!(session.contains_key("a"))).await;
        visitor.act(&smaller, Session::cycle_id).await;
        smaller.sleep(MINUTE * 90);
    }
    let open = smaller.open(&visitor).await;
    assert_eq!(open.insert("b", &vec![1; 100]).unwrap_err().kind(), SessionErrorKind::TooLarge);
    open.insert("a", &vec![1; 1900]).unwrap();
    assert_eq!(open.answer(&mut visitor, 200).await.failure, None);
}
