//! A user never has more sessions at the same time than the limit allows.
#![allow(clippy::unwrap_used)]

mod site;

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use nexios_middleware_core::{AtLimit, Event, Session, SessionError, SessionErrorKind, SessionManager};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::Hooked;
use site::{CallKind, KEY, NoIndex, Site, Trouble, Visitor, Yields, keys};

fn two() -> NonZeroUsize {
    NonZeroUsize::new(2).unwrap()
}

fn site(at_limit: AtLimit) -> Site {
    Site::with(|builder| builder.max_per_user(Some(two())).at_limit(at_limit))
}

async fn login(site: &Site, visitor: &mut Visitor, user: &str) -> Option<u16> {
    visitor.act(site, |session| session.login(user).unwrap()).await.failure
}

#[tokio::test]
async fn a_login_beyond_the_limit_is_refused_and_loses_nothing() {
    let site = site(AtLimit::Refuse);
    let mut visitors = [const { Visitor { cookies: Vec::new() } }; 3];
    visitors[2].act(&site, |session| session.insert("cart", &3).unwrap()).await;
    assert_eq!(login(&site, &mut visitors[0], "ada").await, None);
    assert_eq!(login(&site, &mut visitors[1], "ada").await, None);
    assert_eq!(login(&site, &mut visitors[2], "ada").await, Some(409));
    assert_eq!(visitors[2].sees(&site, "cart").await, Some(3), "the anonymous session goes on");
    assert_eq!(site.open(&visitors[2]).await.principal(), None);

    assert_eq!(login(&site, &mut visitors[2], "bob").await, None, "another user has a limit of their own");
    assert_eq!(login(&site, &mut visitors[1], "ada").await, None, "a further login of a session makes no further one");
    visitors[0].act(&site, Session::destroy).await;
    assert_eq!(login(&site, &mut Visitor::default(), "ada").await, None, "there is room again");
}

#[tokio::test]
async fn a_handler_can_act_on_the_refusal() {
    let site = site(AtLimit::Refuse);
    for _ in 0..2 {
        login(&site, &mut Visitor::default(), "ada").await;
    }
    let session = site.open(&Visitor::default()).await;
    session.login("ada").unwrap();
    let error: SessionError = session.save().await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::TooManySessions);
    assert!(!error.to_string().contains("ada"));
    session.discard();
    session.insert("message", "too many").unwrap();
    session.save().await.unwrap();
}

#[tokio::test]
async fn the_session_with_the_oldest_login_ends() {
    let site = site(AtLimit::EndOldest);
    let mut visitors = [const { Visitor { cookies: Vec::new() } }; 3];
    for visitor in &mut visitors[..2] {
        login(&site, visitor, "ada").await;
        site.sleep(Duration::from_secs(1));
    }
    // Using a session does not make its login younger. Another login does.
    assert_eq!(login(&site, &mut visitors[0], "ada").await, None);
    site.sleep(Duration::from_secs(1));
    assert_eq!(login(&site, &mut visitors[2], "ada").await, None);
    let mut logged_in = Vec::new();
    for visitor in &visitors {
        logged_in.push(site.open(visitor).await.principal().is_some());
    }
    assert_eq!(logged_in, [true, false, true]);
}

/// A user who has proven who they are is not turned away, and keeps the cart, whatever becomes of the count.
#[tokio::test]
async fn a_look_that_fails_keeps_the_login() {
    for at_limit in [AtLimit::EndOldest, AtLimit::Refuse] {
        for call in [CallKind::SessionsOf, CallKind::Load] {
            let site = site(at_limit);
            for _ in 0..2 {
                login(&site, &mut Visitor::default(), "ada").await;
            }
            let mut visitor = site.visitor(|session| session.insert("cart", &3).unwrap()).await;
            let open = site.open(&visitor).await;
            site.probe.make(call, Trouble::Fails);
            open.login("ada").unwrap();
            assert_eq!(open.answer(&mut visitor, 200).await.failure, None, "{at_limit:?}, {call:?}");
            site.probe.heal();
            assert_eq!(visitor.sees(&site, "cart").await, Some(3), "{at_limit:?}, {call:?}");
            assert_eq!(site.open(&visitor).await.principal().as_deref(), Some("ada"));
            assert!(site.manager.counters().of(Event::StoreFailed) > 0, "{at_limit:?}, {call:?}");
        }
    }
}

/// The second look of a refusal comes after the login. If it cannot see anything, the login stands.
#[tokio::test]
async fn a_second_look_that_fails_keeps_the_login() {
    let site = site(AtLimit::Refuse);
    let mut visitor = site.visitor(|session| session.insert("cart", &3).unwrap()).await;
    let open = site.open(&visitor).await;
    site.probe.make_after(CallKind::Rename, CallKind::SessionsOf, Trouble::Fails);
    open.login("ada").unwrap();
    assert_eq!(open.answer(&mut visitor, 200).await.failure, None);
    site.probe.heal();
    assert_eq!(visitor.sees(&site, "cart").await, Some(3));
}

/// Another process has let somebody in after the first look.
#[tokio::test]
async fn a_visitor_who_was_refused_late_can_begin_anew() {
    let site = site(AtLimit::Refuse);
    login(&site, &mut Visitor::default(), "ada").await;
    let mut visitor = site.visitor(|session| session.insert("cart", &3).unwrap()).await;
    let open = site.open(&visitor).await;
    site.probe.make_after(CallKind::SessionsOf, CallKind::Rename, Trouble::Hangs);
    open.login("ada").unwrap();
    let saving = open.session.clone();
    let saving = tokio::spawn(async move { saving.save().await });
    while site.probe.count(CallKind::Rename) == 0 {
        tokio::task::yield_now().await;
    }
    login(&site.restarted(|builder| builder), &mut Visitor::default(), "ada").await;
    site.probe.resume();
    assert_eq!(saving.await.unwrap().unwrap_err().kind(), SessionErrorKind::TooManySessions);

    visitor.act(&site, |session| session.insert("cart", &4).unwrap()).await;
    assert_eq!(visitor.sees(&site, "cart").await, Some(4));
    assert_eq!(site.manager.sessions_of("ada").await.unwrap().len(), 2);
}

#[tokio::test]
async fn one_that_cannot_be_ended_does_not_save_the_others() {
    let site = site(AtLimit::EndOldest);
    for _ in 0..2 {
        login(&site, &mut Visitor::default(), "ada").await;
        site.sleep(Duration::from_secs(1));
    }
    let one = site.restarted(|builder| builder.max_per_user(Some(NonZeroUsize::MIN)));
    site.probe.make_once(CallKind::Delete, Trouble::Fails);
    let mut visitor = Visitor::default();
    assert_eq!(login(&one, &mut visitor, "ada").await, None);
    assert_eq!(one.manager.sessions_of("ada").await.unwrap().len(), 1);
    assert_eq!(one.open(&visitor).await.principal().as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_login_within_the_limit_loads_no_other_session() {
    let site = Site::new();
    for _ in 0..199 {
        login(&site, &mut Visitor::default(), "ada").await;
    }
    let before = [CallKind::Load, CallKind::SessionsOf].map(|call| site.probe.count(call));
    login(&site, &mut Visitor::default(), "ada").await;
    let after = [CallKind::Load, CallKind::SessionsOf].map(|call| site.probe.count(call));
    assert_eq!(after, [before[0], before[1] + 1]);
}

#[tokio::test]
async fn two_hundred_sessions_are_the_default() {
    let site = Site::new();
    let mut first = Visitor::default();
    login(&site, &mut first, "ada").await;
    site.sleep(Duration::from_secs(1));
    for _ in 0..199 {
        login(&site, &mut Visitor::default(), "ada").await;
    }
    assert!(site.open(&first).await.principal().is_some());
    let before = site.probe.count(CallKind::Load);
    login(&site, &mut Visitor::default(), "ada").await;
    assert_eq!(site.probe.count(CallKind::Load) - before, 200);
    assert!(site.open(&first).await.principal().is_none());
    assert_eq!(site.manager.sessions_of("ada").await.unwrap().len(), 200);

    let unlimited = site.restarted(|builder| builder.max_per_user(None));
    login(&unlimited, &mut Visitor::default(), "ada").await;
    assert_eq!(site.manager.sessions_of("ada").await.unwrap().len(), 201);
}

#[tokio::test]
async fn a_limit_needs_a_store_with_an_index() {
    let builder = SessionManager::builder(Hooked::new(MemoryStore::new(), NoIndex)).keys(keys(&[KEY]));
    let error = builder.max_per_user(Some(two())).at_limit(AtLimit::Refuse).build().unwrap_err();
    assert!(error.to_string().contains("max_per_user") && error.to_string().contains("index"), "{error}");
    Site::without_index(); // by default there is a limit only where it can be kept
}

/// Lets one user log in `logins` times at once, through `managers` managers on one store. Returns how many logins
/// succeeded, and how many sessions there are afterwards.
async fn race(managers: usize, logins: usize, at_limit: AtLimit) -> (usize, usize) {
    let inner = Arc::new(MemoryStore::new());
    // All logins reach each store call before any of them goes further, unless something holds them back.
    let build = || {
        let store = Hooked::new(inner.clone(), Yields);
        SessionManager::builder(store).keys(keys(&[KEY])).max_per_user(Some(two())).at_limit(at_limit).build().unwrap()
    };
    let managers: Vec<_> = (0..managers).map(|_| build()).collect();
    let mut tasks = Vec::new();
    for n in 0..logins {
        let session = managers[n % managers.len()].request([""; 0]).session().await.unwrap();
        session.login("ada").unwrap();
        tasks.push(tokio::spawn(async move { session.save().await }));
    }
    let mut let_in = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => let_in += 1,
            Err(error) => assert_eq!(error.kind(), SessionErrorKind::TooManySessions),
        }
    }
    (let_in, managers[0].sessions_of("ada").await.unwrap().len())
}

#[tokio::test]
async fn parallel_logins_fill_the_limit_exactly() {
    assert_eq!(race(1, 8, AtLimit::Refuse).await, (2, 2));
    assert_eq!(race(1, 8, AtLimit::EndOldest).await, (8, 2));
}

#[tokio::test]
async fn two_processes_together_keep_the_limit() {
    let (let_in, sessions) = race(2, 8, AtLimit::Refuse).await;
    assert!(let_in == sessions && sessions <= 2, "{let_in} were let in and {sessions} are there");
    let (_, sessions) = race(2, 8, AtLimit::EndOldest).await;
    assert!(sessions <= 2, "{sessions} are there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_keep_the_limit_on_several_threads() {
    for _ in 0..20 {
        let (let_in, sessions) = race(2, 8, AtLimit::Refuse).await;
        assert!(let_in == sessions && sessions <= 2, "{let_in} were let in and {sessions} are there");
        let (_, sessions) = race(2, 8, AtLimit::EndOldest).await;
        assert!(sessions <= 2, "{sessions} are there");
    }
}
