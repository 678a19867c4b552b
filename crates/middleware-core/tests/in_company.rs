//! No request, process, clock or setting undoes what another one did.
#![allow(clippy::unwrap_used, clippy::panic)]

mod site;

use std::fs;
use std::path::Path;
use std::time::Duration;

use nexios_middleware_core::{Event, Session, SessionErrorKind, SessionManager};
use nexios_store_core::StoreErrorKind;
use nexios_store_testkit::hook::Hooked;
use site::{Answer, CallKind, KEY, Site, Trouble, Visitor, Yields, keys};

const HOUR: Duration = Duration::from_secs(3600);

async fn log_in(session: &Session) -> u16 {
    session.login("ada").unwrap();
    session.insert("cart", "tea").unwrap();
    200
}

async fn log_out(session: &Session) -> u16 {
    session.destroy();
    200
}

async fn logged_in(site: &Site) -> Visitor {
    let mut visitor = Visitor::default();
    visitor.visit(site, log_in).await;
    visitor
}

/// Returns whether a copy of the visitor's cookie opens a session.
async fn is_logged_in(site: &Site, copy: &Visitor) -> bool {
    site.open(copy).await.principal().is_some()
}

fn is_carried_out(answer: &Answer) -> bool {
    answer.failure.is_none() && answer.removes_cookie()
}

#[tokio::test]
async fn a_logout_ends_what_a_fast_clock_takes_for_expired() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    let copy = visitor.clone();
    let before = site.clock_now();

    site.sleep(HOUR * 24 * 30);
    assert!(is_carried_out(&visitor.visit(&site, log_out).await));
    site.clock.set(before);
    assert!(!is_logged_in(&site, &copy).await, "the clock is right again");
    assert_eq!(site.files(), [""; 0]);
}

#[tokio::test]
async fn a_logout_ends_what_a_slow_clock_takes_for_the_future() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    let copy = visitor.clone();
    let before = site.clock_now();

    site.clock.set(before.saturating_sub(HOUR * 24));
    assert!(is_carried_out(&visitor.visit(&site, log_out).await));
    site.clock.set(before);
    assert!(!is_logged_in(&site, &copy).await);
}

#[tokio::test]
async fn a_logout_ends_what_a_lowered_timeout_hides() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    let copy = visitor.clone();

    site.sleep(HOUR);
    let lowered = site.restarted(|builder| builder.idle_timeout(HOUR / 2));
    assert!(!is_logged_in(&lowered, &copy).await);
    assert!(is_carried_out(&visitor.visit(&lowered, log_out).await));
    assert!(!is_logged_in(&site.restarted(|builder| builder), &copy).await, "the setting is back");
}

#[tokio::test]
async fn a_logout_ends_the_session_of_every_cookie_that_came() {
    let site = Site::new();
    let (one, other, stranger) = (logged_in(&site).await, logged_in(&site).await, logged_in(&site).await);
    let mut both = Visitor::with_cookie(format!("{}; {}", one.cookies[0], other.cookies[0]));
    assert!(is_carried_out(&both.visit(&site, log_out).await));
    assert!(!is_logged_in(&site, &one).await && !is_logged_in(&site, &other).await);
    assert!(is_logged_in(&site, &stranger).await);
    assert_eq!(site.manager.counters().of(Event::SessionDestroyed), 2);
}

#[tokio::test]
async fn a_logout_that_misses_one_of_its_cookies_says_so() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    site.sleep(HOUR * 24 * 30);
    site.probe.make(CallKind::Delete, Trouble::Fails);
    let answer = visitor.visit(&site, log_out).await;
    assert_eq!((answer.failure, answer.set_cookie), (Some(503), None));
    site.probe.heal();
    assert!(is_carried_out(&visitor.visit(&site, log_out).await), "and can be tried again");
    assert_eq!(site.files(), [""; 0]);
}

#[tokio::test]
async fn a_revocation_ends_what_seems_expired_or_from_the_future() {
    for (forward, back) in [(HOUR * 24 * 30, Duration::ZERO), (Duration::ZERO, HOUR * 24)] {
        let site = Site::new();
        let visitor = logged_in(&site).await;
        let before = site.clock_now();
        site.clock.set(before.saturating_add(forward).saturating_sub(back));
        assert_eq!(site.manager.revoke_all("ada").await.unwrap(), 1);
        site.clock.set(before);
        assert!(!is_logged_in(&site, &visitor).await);
    }
}

#[tokio::test]
async fn a_revocation_spares_the_current_session_if_it_seems_expired() {
    let site = Site::new();
    let (current, other) = (logged_in(&site).await, logged_in(&site).await);
    let handle = site.open(&current).await.handle().unwrap();
    let before = site.clock_now();
    site.sleep(HOUR * 24 * 30);
    assert_eq!(site.manager.revoke_others("ada", handle).await.unwrap(), 1);
    site.clock.set(before);
    assert!(is_logged_in(&site, &current).await && !is_logged_in(&site, &other).await);
}

#[tokio::test]
async fn a_revocation_goes_on_past_what_fails_and_says_so() {
    let site = Site::new();
    let mut visitors = Vec::new();
    for _ in 0..5 {
        visitors.push(logged_in(&site).await);
    }
    site.probe.make_once(CallKind::Delete, Trouble::Fails);
    let error = site.manager.revoke_all("ada").await.unwrap_err();
    let revocation = error.revocation().unwrap();
    assert_eq!((error.kind(), revocation.ended, revocation.failed), (SessionErrorKind::Incomplete, 4, 1));
    assert_eq!((error.status(), site.files().len()), (503, 1));
    assert_eq!(site.manager.revoke_all("ada").await.unwrap(), 1, "the rest, the next time");
}

/// A process that lacks a key, say, does not know whether the session is among those that it cannot read.
#[tokio::test]
async fn a_revocation_that_may_have_missed_the_session_says_so() {
    let site = Site::new();
    let (one, other) = (logged_in(&site).await, logged_in(&site).await);
    let handle = site.open(&one).await.handle().unwrap();
    site.probe.make(CallKind::Load, Trouble::Answers(StoreErrorKind::NoKey));
    let error = site.manager.revoke("ada", handle).await.unwrap_err();
    let revocation = error.revocation().unwrap();
    assert_eq!((error.kind(), revocation.ended, revocation.failed), (SessionErrorKind::Incomplete, 0, 2));
    site.probe.heal();

    site.probe.make_once(CallKind::Load, Trouble::Answers(StoreErrorKind::NoKey));
    let is_ended = site.manager.revoke("ada", handle).await;
    assert!(is_ended.is_err() || is_ended.unwrap(), "if it was read and ended, the others do not matter");
    assert!(is_logged_in(&site, &other).await);
}

#[tokio::test]
async fn an_unreadable_record_is_ended_by_a_revocation_of_the_others() {
    let site = Site::new();
    let (current, _other) = (logged_in(&site).await, logged_in(&site).await);
    let handle = site.open(&current).await.handle().unwrap();
    site.probe.make(CallKind::Load, Trouble::Answers(StoreErrorKind::Corrupt));
    assert_eq!(site.manager.revoke_others("ada", handle).await.unwrap(), 2, "whose they are cannot be read");
}

#[tokio::test]
async fn a_revocation_runs_to_its_end_though_its_request_is_gone() {
    let site = Site::new();
    for _ in 0..20 {
        logged_in(&site).await;
    }
    let store = Hooked::new(site.store.clone(), Yields);
    let manager = SessionManager::builder(store).keys(keys(&[KEY])).clock(site.clock.clone()).build().unwrap();
    let mut revocation = Box::pin(manager.revoke_all("ada"));
    // The client goes away after the first pause.
    let is_done =
        std::future::poll_fn(|context| std::task::Poll::Ready(revocation.as_mut().poll(context).is_ready())).await;
    assert!(!is_done && site.files().len() == 20, "it has only begun");
    drop(revocation);
    while manager.counters().of(Event::SessionsRevoked) == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(site.files(), [""; 0]);
}

#[tokio::test]
async fn ended_sessions_of_other_paths_hide_no_good_one() {
    let site = Site::new();
    let mut cookies = Vec::new();
    for _ in 0..15 {
        let mut visitor = logged_in(&site).await;
        cookies.push(visitor.cookies[0].clone());
        visitor.visit(&site, log_out).await;
    }
    cookies.push(logged_in(&site).await.cookies[0].clone());
    assert!(is_logged_in(&site, &Visitor::with_cookie(cookies.join("; "))).await);
}

#[tokio::test]
async fn worthless_values_hide_no_session_in_a_cookie() {
    let site = Site::client_side(|builder| builder);
    let good = logged_in(&site).await.cookies[0].clone();
    for worthless in ["x".to_owned(), "A".repeat(40), "x".repeat(5000), String::new()] {
        let header = vec![format!("sessionid={worthless}"); 40].join("; ") + "; " + &good;
        assert!(is_logged_in(&site, &Visitor::with_cookie(header)).await, "{} bytes", worthless.len());
    }
}

#[tokio::test]
async fn settings_of_a_session_that_holds_nothing_are_no_lost_change() {
    let site = Site::new();
    let answer = Visitor::default()
        .visit(&site, async |session| {
            session.set_persistent(true).unwrap();
            session.set_device("laptop").unwrap();
            200
        })
        .await;
    assert_eq!((answer.set_cookie, site.files().len()), (None, 0));
    assert_eq!(site.manager.counters().of(Event::ChangesNeverSaved), 0);
}

#[tokio::test]
async fn a_slow_page_that_only_reads_does_not_undo_a_shorter_life() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    site.sleep(HOUR * 24 * 3);
    let slow = site.open(&visitor).await;
    let shorten = async |session: &Session| {
        session.set_idle_timeout(Some(HOUR / 12)).unwrap();
        200
    };
    visitor.visit(&site, shorten).await;

    let answer = slow.answer(&mut visitor.clone(), 200).await;
    assert_eq!((answer.failure, answer.set_cookie, site.probe.count(CallKind::Touch)), (None, None, 1));
    site.sleep(HOUR / 10);
    assert!(!is_logged_in(&site, &visitor).await, "six minutes later");
}

#[tokio::test]
async fn a_slow_page_that_only_reads_does_not_undo_a_forget_me() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    site.sleep(HOUR * 24 * 3);
    let slow = site.open(&visitor).await;
    let forget_me = async |session: &Session| session.set_persistent(false).map_or(500, |()| 200);
    let answer = visitor.visit(&site, forget_me).await;
    assert_eq!((answer.set_cookie.is_some(), answer.max_age()), (true, None), "a cookie of the browser's session");

    let answer = slow.answer(&mut visitor.clone(), 200).await;
    assert_eq!(answer.set_cookie, None, "which would outlive the browser");
    assert!(is_logged_in(&site, &visitor).await);
}

/// Makes a copy of a directory as backup tools do that save room: with hard links to its files.
fn hard_link_all(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let link = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            hard_link_all(&entry.path(), &link);
        } else {
            fs::hard_link(entry.path(), link).unwrap();
        }
    }
}

/// Makes a request whose handler takes the session. If it gets none, the error is the answer, as with the adapters.
async fn request(site: &Site, visitor: &mut Visitor, handler: impl AsyncFnOnce(&Session) -> u16) -> (u16, Answer) {
    let request = site.manager.request(visitor.cookies.iter());
    let status = match request.session().await {
        Ok(session) => handler(&session).await,
        Err(error) => {
            assert_eq!(error.kind(), SessionErrorKind::Unavailable, "{error}");
            error.status()
        }
    };
    let answer = Answer::of(&request, visitor, status).await;
    (answer.failure.unwrap_or(status), answer)
}

#[tokio::test]
async fn a_hard_linked_copy_makes_no_session_look_absent() {
    let site = Site::new();
    let mut visitor = logged_in(&site).await;
    let cookies = visitor.cookies.clone();
    let copy = site.dir.path().join("copy");
    hard_link_all(&site.sessions(), &copy);

    let (status, answer) = request(&site, &mut visitor, async |_| 200).await;
    assert_eq!((status, answer.set_cookie), (503, None));
    assert_eq!(visitor.cookies, cookies);
    let counters = site.manager.counters();
    assert_eq!((counters.of(Event::StoreFailed), counters.of(Event::RecordCorrupt)), (1, 0));

    fs::remove_dir_all(copy).unwrap();
    assert!(is_logged_in(&site, &visitor).await);
}

#[tokio::test]
async fn a_logout_beside_a_hard_linked_copy_says_so() {
    let site = Site::new();
    let (mut visitor, mut early) = (logged_in(&site).await, logged_in(&site).await);
    let (cookies, files) = (visitor.cookies.clone(), site.files());
    let open = site.open(&early).await;
    let copy = site.dir.path().join("copy");
    hard_link_all(&site.sessions(), &copy);

    let log_out_a_user = async |session: &Session| {
        if session.principal().is_some() {
            session.destroy();
        }
        200
    };
    let (status, answer) = request(&site, &mut visitor, log_out_a_user).await;
    assert_eq!((status, answer.set_cookie), (503, None));
    open.session.destroy();
    let answer = open.answer(&mut early, 200).await;
    assert_eq!((answer.failure, answer.set_cookie), (Some(503), None), "it was loaded before the copy was made");
    assert_eq!((visitor.cookies.clone(), site.files()), (cookies, files));

    fs::remove_dir_all(copy).unwrap();
    for mut visitor in [visitor, early] {
        let before = visitor.clone();
        assert!(is_logged_in(&site, &before).await, "nobody was told anything else");
        assert!(is_carried_out(&visitor.visit(&site, log_out).await));
        assert!(!is_logged_in(&site, &before).await);
    }
    assert_eq!(site.files(), [""; 0]);
}

#[tokio::test]
async fn a_revocation_beside_a_hard_linked_copy_says_so() {
    let site = Site::new();
    let (one, other) = (logged_in(&site).await, logged_in(&site).await);
    let handle = site.open(&one).await.handle().unwrap();
    let copy = site.dir.path().join("copy");
    hard_link_all(&site.sessions(), &copy);

    assert_eq!(site.manager.sessions_of("ada").await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    for error in [
        site.manager.revoke_all("ada").await.unwrap_err(),
        site.manager.revoke_others("ada", handle).await.unwrap_err(),
    ] {
        let revocation = error.revocation().unwrap();
        assert_eq!((error.kind(), revocation.ended, revocation.failed), (SessionErrorKind::Incomplete, 0, 2));
    }
    assert_eq!(site.files().len(), 2);

    fs::remove_dir_all(copy).unwrap();
    assert_eq!(site.manager.sessions_of("ada").await.unwrap().len(), 2);
    assert_eq!(site.manager.revoke_all("ada").await.unwrap(), 2);
    assert!(!is_logged_in(&site, &one).await && !is_logged_in(&site, &other).await);
}

#[tokio::test]
async fn a_revocation_goes_on_past_a_hard_linked_record() {
    let site = Site::new();
    let (linked, other) = (logged_in(&site).await, logged_in(&site).await);
    let link = site.dir.path().join("link");
    fs::hard_link(site.file(&linked.id()), &link).unwrap();
    let error = site.manager.revoke_all("ada").await.unwrap_err();
    let revocation = error.revocation().unwrap();
    assert_eq!((error.kind(), revocation.ended, revocation.failed), (SessionErrorKind::Incomplete, 1, 1));
    assert!(!is_logged_in(&site, &other).await);

    fs::remove_file(link).unwrap();
    assert_eq!(site.manager.revoke_all("ada").await.unwrap(), 1);
    assert!(!is_logged_in(&site, &linked).await);
}
