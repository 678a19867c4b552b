//! The wait for the end of a session, in a stream that would outlive it.
#![allow(clippy::unwrap_used, clippy::panic)]

mod site;

use std::sync::Arc;
use std::time::Duration;

use nexios_middleware_core::{ManualClock, Session, SessionErrorKind, SessionManager};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::Hooked;
use site::{CallKind, KEY, OTHER_KEY, Probe, Trouble, keys};
use tokio::time::Instant;

const HOUR: Duration = Duration::from_secs(3600);

/// Two processes on one store, of which the first has an open stream.
struct Company {
    here: SessionManager,
    elsewhere: SessionManager,
    clock: Arc<ManualClock>,
    probe: Arc<Probe>,
}

impl Company {
    fn new() -> Self {
        let (store, clock, probe) = (Arc::new(MemoryStore::new()), Arc::default(), Arc::<Probe>::default());
        let manager = || {
            let store = Hooked::new(Arc::clone(&store), probe.clone());
            SessionManager::builder(store).keys(keys(&[KEY, OTHER_KEY])).clock(Arc::clone(&clock)).build().unwrap()
        };
        Self { here: manager(), elsewhere: manager(), clock, probe }
    }
}

/// Makes a whole request, and returns its session and the cookie that the visitor has then.
async fn visit(manager: &SessionManager, cookie: &str, act: impl FnOnce(&Session)) -> (Session, String) {
    let request = manager.request([cookie]);
    let session = request.session().await.unwrap();
    act(&session);
    let mut head = nexios_middleware_core::PlainHead::new(200);
    assert!(request.end(200).await.apply(&mut head).is_none());
    let set = head.value(nexios_middleware_core::Header::SetCookie);
    let cookie = set.map_or(cookie, |line| line.split(';').next().unwrap()).to_owned();
    (session, cookie)
}

async fn user(manager: &SessionManager) -> (Session, String) {
    visit(manager, "", |session| session.login("ada").unwrap()).await
}

/// Returns how long the wait for the end has taken, or `None` if it takes longer than an hour.
async fn wait(stream: &Session) -> Option<Duration> {
    let before = Instant::now();
    tokio::time::timeout(HOUR, stream.ended()).await.ok().map(|()| before.elapsed())
}

/// Lets this be done a second after the wait has begun.
async fn wait_while(stream: &Session, act: impl Future<Output = ()>) -> Option<Duration> {
    let act = async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        act.await;
    };
    let (waited, ()) = tokio::join!(wait(stream), act);
    waited.map(|waited| waited - Duration::from_secs(1))
}

#[tokio::test(start_paused = true)]
async fn a_logout_here_is_heard_of_at_once() {
    let company = Company::new();
    let (stream, cookie) = user(&company.here).await;
    let logout = async { drop(visit(&company.here, &cookie, Session::destroy).await) };
    assert_eq!(wait_while(&stream, logout).await, Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn a_logout_elsewhere_is_heard_of_within_five_seconds() {
    let company = Company::new();
    let (stream, cookie) = user(&company.here).await;
    let logout = async { drop(visit(&company.elsewhere, &cookie, Session::destroy).await) };
    let waited = wait_while(&stream, logout).await.unwrap();
    assert!(waited < Duration::from_secs(5), "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn a_revocation_is_an_end() {
    let company = Company::new();
    let (stream, _) = user(&company.here).await;
    let revocation = async { assert_eq!(company.here.revoke_all("ada").await.unwrap(), 1) };
    assert_eq!(wait_while(&stream, revocation).await, Some(Duration::ZERO));
    let (stream, _) = user(&company.here).await;
    let revocation = async { assert_eq!(company.elsewhere.revoke_all("ada").await.unwrap(), 1) };
    assert!(wait_while(&stream, revocation).await.unwrap() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn a_new_id_is_no_end_and_the_wait_goes_on_under_it() {
    let company = Company::new();
    for elsewhere in [false, true] {
        let (stream, cookie) = user(&company.here).await;
        let manager = if elsewhere { &company.elsewhere } else { &company.here };
        let (_, cycled) = visit(manager, &cookie, Session::cycle_id).await;
        assert_ne!(cycled, cookie);
        assert_eq!(wait(&stream).await, None, "elsewhere: {elsewhere}");
        let logout = async { drop(visit(manager, &cycled, Session::destroy).await) };
        assert!(wait_while(&stream, logout).await.unwrap() < Duration::from_secs(5), "elsewhere: {elsewhere}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_login_as_somebody_else_is_an_end() {
    let company = Company::new();
    let (stream, cookie) = user(&company.here).await;
    let login = async { drop(visit(&company.here, &cookie, |session| session.login("eve").unwrap()).await) };
    assert_eq!(wait_while(&stream, login).await, Some(Duration::ZERO));
}

#[tokio::test(start_paused = true)]
async fn the_expiry_is_an_end_and_waiting_does_not_move_it() {
    let company = Company::new();
    let (stream, _) = user(&company.here).await;
    assert_eq!(wait(&stream).await, None);
    assert_eq!([CallKind::Touch, CallKind::Update].map(|call| company.probe.count(call)), [0, 0]);
    let expiry = async { company.clock.advance(HOUR * 24 * 14) };
    assert!(wait_while(&stream, expiry).await.unwrap() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn an_outage_is_no_end() {
    let company = Company::new();
    let (stream, cookie) = user(&company.here).await;
    company.probe.make(CallKind::Load, Trouble::Fails);
    assert_eq!(wait(&stream).await, None);
    company.probe.heal();
    let logout = async { drop(visit(&company.elsewhere, &cookie, Session::destroy).await) };
    assert!(wait_while(&stream, logout).await.unwrap() < Duration::from_secs(5));
}

#[tokio::test(start_paused = true)]
async fn what_has_ended_before_is_no_wait() {
    let company = Company::new();
    let (stream, cookie) = user(&company.here).await;
    visit(&company.elsewhere, &cookie, Session::destroy).await;
    assert_eq!(wait(&stream).await, Some(Duration::ZERO));

    let (stream, _) = user(&company.here).await;
    let logout = async {
        stream.destroy();
        stream.save().await.unwrap();
    };
    assert!(wait_while(&stream, logout).await.unwrap() < Duration::from_secs(5), "by a clone of the same session");
}

#[tokio::test(start_paused = true)]
async fn after_the_end_a_change_is_refused_and_a_save_says_so() {
    let company = Company::new();
    let (stream, cookie) = user(&company.here).await;
    visit(&company.elsewhere, &cookie, Session::destroy).await;
    assert!(stream.save().await.is_ok(), "it is not known yet");
    stream.ended().await;
    assert_eq!(stream.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
    assert_eq!(stream.insert("a", &1).unwrap_err().kind(), SessionErrorKind::Ended);
    assert!(stream.principal().is_none());
}

#[tokio::test(start_paused = true)]
async fn a_stranger_has_nothing_that_could_end() {
    let company = Company::new();
    let (stream, _) = visit(&company.here, "", |_| ()).await;
    assert_eq!(wait(&stream).await, None);
    assert_eq!(company.probe.total(), 0);
}
