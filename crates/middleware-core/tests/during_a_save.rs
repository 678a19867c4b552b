//! Decisions that a request makes while one of its saves is under way: the later decision holds, however the save ends.
//!
//! The decision is made within the store's call, so the interleaving is certain.
#![allow(clippy::unwrap_used)]

mod site;

use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use nexios_middleware_core::{
    Header, PlainHead, RequestSession, Session, SessionError, SessionErrorKind, SessionManager,
};
use nexios_store_core::{Result, StoreError, async_trait};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::{Call, Hook, Hooked};
use site::{CallKind, KEY, keys};

type Work = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// Does something within the next call of one kind, before the store does its part. If that fails, the call fails.
#[derive(Default)]
struct Meanwhile(Mutex<Option<(CallKind, Work)>>);

impl Meanwhile {
    fn within(&self, call: CallKind, work: impl Future<Output = Result<()>> + Send + 'static) {
        *self.0.lock().unwrap() = Some((call, Box::pin(work)));
    }

    fn take(&self, call: CallKind) -> Option<Work> {
        let mut slot = self.0.lock().unwrap();
        if slot.as_ref().is_some_and(|(kind, _)| *kind == call) { slot.take().map(|(_, work)| work) } else { None }
    }

    fn is_done(&self) -> bool {
        self.0.lock().unwrap().is_none()
    }
}

#[async_trait]
impl Hook for Meanwhile {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        match self.take(call.kind()) {
            Some(work) => work.await,
            None => Ok(()),
        }
    }
}

fn fails() -> Result<()> {
    Err(StoreError::backend("told to fail"))
}

struct Company {
    manager: SessionManager,
    meanwhile: Arc<Meanwhile>,
}

impl Company {
    fn new() -> Self {
        let meanwhile = Arc::new(Meanwhile::default());
        let store = Hooked::new(MemoryStore::new(), meanwhile.clone());
        let manager = SessionManager::builder(store).keys(keys(&[KEY])).build().unwrap();
        Self { manager, meanwhile }
    }

    async fn open(&self, cookie: &str) -> (RequestSession, Session) {
        let request = self.manager.request([cookie]);
        let session = request.session().await.unwrap();
        (request, session)
    }

    /// Returns the cookie of a new session of this user.
    async fn user(&self, user: &str) -> String {
        let (request, session) = self.open("").await;
        session.login(user).unwrap();
        session.insert("a", &1).unwrap();
        answer(&request).await.unwrap()
    }

    async fn sessions_of(&self, user: &str) -> usize {
        self.manager.sessions_of(user).await.unwrap().len()
    }
}

/// Answers the request, and returns the cookie that the visitor has then, `None` if the answer says nothing of it.
async fn answer(request: &RequestSession) -> Option<String> {
    let mut head = PlainHead::new(200);
    let end = request.end(head.status).await;
    assert!(end.failure().is_none(), "{end:?}");
    assert!(end.apply(&mut head).is_none());
    head.value(Header::SetCookie).map(|line| line.split(';').next().unwrap().to_owned())
}

/// Returns the status that takes the place of the answer.
async fn failure(request: &RequestSession) -> Option<u16> {
    request.end(200).await.failure().map(SessionError::status)
}

const REMOVED: &str = "sessionid=";

#[tokio::test]
async fn a_logout_during_a_save_that_fails_stays_a_logout() {
    let company = Company::new();
    let (request, session) = company.open("").await;
    session.login("ada").unwrap();
    session.insert("cart", &3).unwrap();
    let clone = session.clone();
    company.meanwhile.within(CallKind::Create, async move {
        clone.destroy();
        fails()
    });
    assert_eq!(session.save().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    assert_eq!(answer(&request).await, None, "nobody is logged in by the answer to a logout");
    assert_eq!(company.sessions_of("ada").await, 0);
}

#[tokio::test]
async fn what_comes_after_a_logout_during_a_save_is_kept_if_it_fails() {
    let company = Company::new();
    let (request, session) = company.open("").await;
    session.login("ada").unwrap();
    session.insert("cart", &3).unwrap();
    let clone = session.clone();
    company.meanwhile.within(CallKind::Create, async move {
        clone.destroy();
        clone.insert("notice", "bye").unwrap();
        fails()
    });
    session.save().await.unwrap_err();
    let cookie = answer(&request).await.unwrap();
    let (_, after) = company.open(&cookie).await;
    assert_eq!((after.principal(), after.len(), after.get("notice").unwrap()), (None, 1, Some("bye".to_owned())));
}

#[tokio::test]
async fn changes_discarded_during_a_save_that_fails_do_not_come_back() {
    let company = Company::new();
    let (request, session) = company.open("").await;
    session.login("ada").unwrap();
    session.insert("cart", &3).unwrap();
    let clone = session.clone();
    company.meanwhile.within(CallKind::Create, async move {
        clone.discard();
        fails()
    });
    session.save().await.unwrap_err();
    assert_eq!((session.principal(), session.len()), (None, 0));
    assert_eq!(answer(&request).await, None);
    assert_eq!(company.sessions_of("ada").await, 0);
}

/// Another request of the visitor gives the session a new id.
async fn cycle(manager: SessionManager, cookie: String) -> String {
    let request = manager.request([&cookie]);
    request.session().await.unwrap().cycle_id();
    answer(&request).await.unwrap()
}

#[tokio::test]
async fn a_logout_during_a_save_that_comes_too_late_is_carried_out() {
    let company = Company::new();
    let cookie = company.user("ada").await;
    let (request, session) = company.open(&cookie).await;
    session.insert("a", &2).unwrap();
    let (clone, manager) = (session.clone(), company.manager.clone());
    company.meanwhile.within(CallKind::Update, async move {
        cycle(manager, cookie).await;
        clone.destroy();
        Ok(())
    });
    assert_eq!(session.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
    assert_eq!(answer(&request).await.as_deref(), Some(REMOVED));
    assert_eq!(company.sessions_of("ada").await, 0, "the logout follows the session to its new id");
}

#[tokio::test]
async fn a_login_during_a_save_that_comes_too_late_begins_a_session() {
    let company = Company::new();
    let cookie = company.user("ada").await;
    let (request, session) = company.open(&cookie).await;
    session.insert("a", &2).unwrap();
    let (clone, manager) = (session.clone(), company.manager.clone());
    company.meanwhile.within(CallKind::Update, async move {
        manager.revoke_all("ada").await.unwrap();
        clone.login("ada").unwrap();
        Ok(())
    });
    assert_eq!(session.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
    let cookie = answer(&request).await.unwrap();
    let (_, after) = company.open(&cookie).await;
    assert_eq!((after.principal().as_deref(), after.len()), (Some("ada"), 0), "nothing of the session that was ended");
}

#[tokio::test]
async fn a_logout_after_a_save_that_came_too_late_follows_the_session() {
    let company = Company::new();
    let cookie = company.user("ada").await;
    let (request, session) = company.open(&cookie).await;
    session.insert("a", &2).unwrap();
    let manager = company.manager.clone();
    company.meanwhile.within(CallKind::Update, async move {
        cycle(manager, cookie).await;
        Ok(())
    });
    assert_eq!(session.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
    assert!(company.meanwhile.is_done());
    session.destroy();
    assert_eq!(answer(&request).await.as_deref(), Some(REMOVED));
    assert_eq!(company.sessions_of("ada").await, 0);
}

#[tokio::test(start_paused = true)]
async fn a_save_that_is_not_polled_does_not_hold_up_the_end() {
    let company = Company::new();
    let cookie = company.user("ada").await;
    let (request, session) = company.open(&cookie).await;
    session.insert("a", &2).unwrap();
    let clone = session.clone();
    company.meanwhile.within(CallKind::Update, std::future::pending());
    let mut forgotten = Box::pin(clone.save());
    assert!(forgotten.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());

    let end = request.end(200).await;
    assert_eq!(end.failure().unwrap().kind(), SessionErrorKind::Interrupted);
    assert!(company.meanwhile.is_done());
}

#[tokio::test]
async fn a_value_taken_during_a_save_that_finds_nothing_is_refused() {
    let company = Company::new();
    let cookie = company.user("ada").await;
    let (request, session) = company.open(&cookie).await;
    let (logout, other) = company.open(&cookie).await;
    session.insert("b", &2).unwrap();
    let clone = session.clone();
    company.meanwhile.within(CallKind::Update, async move {
        assert_eq!(clone.take_once::<u8>("a").unwrap(), Some(1));
        other.destroy();
        assert_eq!(answer(&logout).await.as_deref(), Some(REMOVED));
        Ok(())
    });
    assert_eq!(session.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
    assert!(company.meanwhile.is_done() && session.is_empty());
    assert_eq!(failure(&request).await, Some(409), "the first save has not told of what was taken during it");
}

#[tokio::test]
async fn a_value_taken_during_a_save_is_compared_with_what_it_merged() {
    for (left, expected) in [(1, None), (2, Some(409))] {
        let company = Company::new();
        let cookie = company.user("ada").await;
        let (request, session) = company.open(&cookie).await;
        let (faster, other) = company.open(&cookie).await;
        session.insert("b", &2).unwrap();
        let clone = session.clone();
        company.meanwhile.within(CallKind::Update, async move {
            assert_eq!(clone.take_once::<u8>("a").unwrap(), Some(1));
            other.insert("a", &left).unwrap();
            assert!(answer(&faster).await.is_some());
            Ok(())
        });
        session.save().await.unwrap();
        assert_eq!(failure(&request).await, expected, "another request has left {left}");
    }
}

#[tokio::test]
async fn a_value_taken_during_a_save_that_fails_is_taken_by_the_next() {
    let company = Company::new();
    let (request, session) = company.open("").await;
    session.update("a", |_: Option<u8>| 1).unwrap();
    session.insert("b", &2).unwrap();
    let clone = session.clone();
    company.meanwhile.within(CallKind::Create, async move {
        assert_eq!(clone.take_once::<u8>("a").unwrap(), Some(1));
        fails()
    });
    assert_eq!(session.save().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    let cookie = answer(&request).await.unwrap();
    assert_eq!(company.open(&cookie).await.1.keys(), ["b"]);
}
