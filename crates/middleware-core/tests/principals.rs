//! The sessions of a user are listed and revoked, whatever else happens to them, and without a scan.
#![allow(clippy::unwrap_used)]

mod site;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use nexios_middleware_core::{Session, SessionErrorKind, SessionHandle, SessionManager};
use nexios_settings::ByteSize;
use nexios_store_core::*;
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::{Call, Hook, Hooked, Outcome};
use site::{CallKind, KEY, NoIndex, OTHER_KEY, Site, Trouble, Visitor, head_of, keys, pair};

async fn logged_in(site: &Site, user: &str) -> Visitor {
    site.visitor(|session| session.login(user).unwrap()).await
}

async fn handle(site: &Site, visitor: &Visitor) -> SessionHandle {
    site.open(visitor).await.handle().unwrap()
}

async fn is_logged_in(site: &Site, visitor: &Visitor) -> bool {
    site.open(visitor).await.principal().is_some()
}

#[tokio::test]
async fn a_users_sessions_are_listed_with_device_and_times() {
    let site = Site::new();
    let start = site.clock_now();
    let mut laptop = logged_in(&site, "ada").await;
    let phone = logged_in(&site, "ada").await;
    let _bobs = logged_in(&site, "bob").await;
    site.sleep(Duration::from_secs(3600));
    laptop.act(&site, |session| session.set_device("Firefox on Linux").unwrap()).await;

    let sessions = site.manager.sessions_of("ada").await.unwrap();
    assert_eq!(
        sessions.iter().map(|s| s.handle).collect::<Vec<_>>(),
        [handle(&site, &laptop).await, handle(&site, &phone).await]
    );
    let current = site.open(&laptop).await;
    assert_eq!(sessions.iter().map(|s| s.is_current(&current.session)).collect::<Vec<_>>(), [true, false]);
    assert_eq!(sessions[0].device.as_deref(), Some("Firefox on Linux"));
    assert_eq!(sessions[1].device, None);
    let hour_later = start.saturating_add(Duration::from_secs(3600));
    assert_eq!((sessions[0].created_at, sessions[0].last_seen), (start, hour_later));
    assert_eq!((sessions[1].created_at, sessions[1].last_seen), (start, start));
    assert_eq!(sessions[0].expires_at, current.expires_at().unwrap());
    assert_eq!(site.manager.sessions_of("eve").await.unwrap(), []);
}

#[tokio::test]
async fn handle_and_device_survive_a_cycle_but_not_another_user() {
    let site = Site::new();
    let mut visitor = logged_in(&site, "ada").await;
    visitor.act(&site, |session| session.set_device("phone").unwrap()).await;
    let first = handle(&site, &visitor).await;
    visitor.act(&site, Session::cycle_id).await;
    let session = site.open(&visitor).await;
    assert_eq!((session.handle(), session.device().as_deref()), (Some(first), Some("phone")));
    session.login("bob").unwrap();
    assert_eq!((session.handle(), session.device()), (None, None), "known at once");
    session.answer(&mut visitor, 200).await;
    assert_ne!(handle(&site, &visitor).await, first);
    assert_eq!(site.open(&visitor).await.device(), None);
}

#[tokio::test]
async fn a_device_counts_towards_the_sessions_size() {
    let site = Site::with(|builder| builder.max_size(ByteSize::new(1024).unwrap()));
    let visitor = logged_in(&site, "ada").await;
    let session = site.open(&visitor).await;
    assert_eq!(session.set_device(&"x".repeat(1024)).unwrap_err().kind(), SessionErrorKind::TooLarge);
    session.set_device(&"x".repeat(512)).unwrap();
    assert_eq!(session.insert("a", &"x".repeat(512)).unwrap_err().kind(), SessionErrorKind::TooLarge);
}

#[tokio::test]
async fn one_session_is_revoked_and_the_others_stay() {
    let site = Site::new();
    let (one, other, bobs) =
        (logged_in(&site, "ada").await, logged_in(&site, "ada").await, logged_in(&site, "bob").await);
    let bobs_handle = handle(&site, &bobs).await;
    assert!(!site.manager.revoke("ada", bobs_handle).await.unwrap(), "it is not hers");
    let handle = handle(&site, &one).await;
    assert!(site.manager.revoke("ada", handle).await.unwrap());
    assert!(!site.manager.revoke("ada", handle).await.unwrap(), "once");
    assert!(!is_logged_in(&site, &one).await);
    assert!(is_logged_in(&site, &other).await && is_logged_in(&site, &bobs).await);
}

#[tokio::test]
async fn all_sessions_of_a_user_end_at_once() {
    let site = Site::new();
    let (one, other, bobs) =
        (logged_in(&site, "ada").await, logged_in(&site, "ada").await, logged_in(&site, "bob").await);
    assert_eq!(site.manager.revoke_all("ada").await.unwrap(), 2);
    assert!(!is_logged_in(&site, &one).await && !is_logged_in(&site, &other).await);
    assert!(is_logged_in(&site, &bobs).await);
    assert_eq!(site.files(), [bobs.id()]);
}

#[tokio::test]
async fn all_sessions_but_the_current_one_end() {
    let site = Site::new();
    let (current, other) = (logged_in(&site, "ada").await, logged_in(&site, "ada").await);
    let current_handle = handle(&site, &current).await;
    assert_eq!(site.manager.revoke_others("ada", current_handle).await.unwrap(), 1);
    assert!(is_logged_in(&site, &current).await && !is_logged_in(&site, &other).await);
    assert_eq!(site.manager.sessions_of("ada").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_revocation_is_not_undone_by_a_slower_request() {
    let site = Site::new();
    let mut visitor = logged_in(&site, "ada").await;
    let (writing, cycling) = (site.open(&visitor).await, site.open(&visitor).await);
    writing.insert("a", &1).unwrap();
    cycling.cycle_id();
    site.manager.revoke_all("ada").await.unwrap();
    for slow in [writing, cycling] {
        let answer = slow.answer(&mut visitor, 200).await;
        assert_eq!((answer.set_cookie, answer.failure), (None, None));
    }
    assert!(site.files().is_empty() && !is_logged_in(&site, &visitor).await);
}

#[tokio::test]
async fn sessions_are_found_under_every_key_of_the_ring() {
    let site = Site::new();
    let _before = logged_in(&site, "ada").await;
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    let _after = logged_in(&rotated, "ada").await;
    assert_eq!(rotated.manager.sessions_of("ada").await.unwrap().len(), 2);
    assert_eq!(rotated.manager.revoke_all("ada").await.unwrap(), 2);
    assert!(site.files().is_empty());
}

#[tokio::test]
async fn an_expired_session_is_not_listed() {
    let site = Site::new();
    logged_in(&site, "ada").await;
    let shorter = site.restarted(|builder| builder.idle_timeout(Duration::from_secs(60)));
    site.sleep(Duration::from_secs(61));
    assert_eq!(shorter.manager.sessions_of("ada").await.unwrap(), [], "by today's settings");
    assert_eq!(site.manager.sessions_of("ada").await.unwrap().len(), 1);
    site.sleep(Duration::from_secs(15 * 24 * 3600));
    assert_eq!(site.manager.sessions_of("ada").await.unwrap(), []);
}

#[tokio::test]
async fn an_outage_is_an_error_and_never_an_empty_list() {
    let site = Site::with(|builder| builder.store_timeout(Duration::from_secs(1)));
    let visitor = logged_in(&site, "ada").await;
    let handle = handle(&site, &visitor).await;
    tokio::time::pause();
    for (call, trouble) in [(CallKind::Load, Trouble::Fails), (CallKind::Load, Trouble::Hangs)] {
        site.probe.make(call, trouble);
        let error = site.manager.sessions_of("ada").await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Unavailable, "{call:?} {trouble:?}");
        for error in [
            site.manager.revoke("ada", handle).await.map(drop).unwrap_err(),
            site.manager.revoke_others("ada", handle).await.map(drop).unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.status()), (SessionErrorKind::Incomplete, 503), "{call:?} {trouble:?}");
        }
    }
    site.probe.heal();
    site.probe.make(CallKind::Delete, Trouble::Fails);
    let error = site.manager.revoke_all("ada").await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Incomplete);
}

#[tokio::test]
async fn an_unreadable_record_is_not_listed_and_ends_with_the_others() {
    for kind in [StoreErrorKind::Corrupt, StoreErrorKind::Unsupported, StoreErrorKind::NoKey] {
        let site = Site::new();
        let unreadable = logged_in(&site, "ada").await;
        let other = "00000000000000000000000000000000".parse().unwrap();
        site.probe.make(CallKind::Load, Trouble::Answers(kind));
        assert_eq!(site.manager.sessions_of("ada").await.unwrap(), [], "{kind:?}");
        let error = site.manager.revoke("ada", other).await.unwrap_err();
        assert_eq!(error.kind(), SessionErrorKind::Incomplete, "{kind:?}: it may be that one");
        assert_eq!(site.files(), [unreadable.id()], "{kind:?}");
        assert_eq!(site.manager.revoke_others("ada", other).await.unwrap(), 1, "{kind:?}");
        assert!(site.files().is_empty(), "{kind:?}");
    }
}

#[tokio::test]
async fn last_seen_is_the_login_where_the_absolute_timeout_decides() {
    let site = Site::with(|builder| builder.absolute_timeout(Some(Duration::from_secs(3600))));
    let login = site.clock_now();
    logged_in(&site, "ada").await;
    assert_eq!(site.manager.sessions_of("ada").await.unwrap()[0].last_seen, login);
}

/// Renames a session each time that somebody loads or deletes it, just before the call and just after it, as long as
/// there are moves left.
struct Restless {
    inner: Arc<MemoryStore>,
    moves_left: Arc<AtomicUsize>,
}

impl Restless {
    async fn may_move(&self, call: &Call<'_>) -> Result<()> {
        let (Call::Load { id, .. } | Call::Delete { id, .. }) = call else { return Ok(()) };
        let now = Timestamp::UNIX_EPOCH;
        if let Some(stored) = self.inner.load(id, now).await?
            && self.moves_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
        {
            let new = SessionId::generate().unwrap();
            let renamed = self.inner.rename(id, stored.revision, &new, &stored.record, now).await?;
            assert!(matches!(renamed, RenameOutcome::Renamed(_)));
        }
        Ok(())
    }
}

#[async_trait]
impl Hook for Restless {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        self.may_move(call).await
    }

    async fn after(&self, call: &Call<'_>, _: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        self.may_move(call).await
    }
}

/// Makes a manager over a store in which `ada` has one session. Set the counter to let the session move that often.
async fn restless() -> (Arc<AtomicUsize>, SessionManager, SessionHandle) {
    let (inner, moves_left) = (Arc::new(MemoryStore::new()), Arc::new(AtomicUsize::new(0)));
    let store = Hooked::new(inner.clone(), Restless { inner, moves_left: moves_left.clone() });
    let manager = SessionManager::builder(store).keys(keys(&[KEY])).build().unwrap();
    let session = manager.request([""; 0]).session().await.unwrap();
    session.login("ada").unwrap();
    session.save().await.unwrap();
    let handle = session.handle().unwrap();
    (moves_left, manager, handle)
}

#[tokio::test]
async fn a_session_that_is_renamed_during_a_revocation_is_revoked() {
    let other = "00000000000000000000000000000000".parse().unwrap();
    for moves in 1..=7 {
        for which in ["one", "all", "others"] {
            let (moves_left, manager, handle) = restless().await;
            moves_left.store(moves, Ordering::Relaxed);
            let revoked = match which {
                "one" => usize::from(manager.revoke("ada", handle).await.unwrap()),
                "all" => manager.revoke_all("ada").await.unwrap(),
                _ => manager.revoke_others("ada", other).await.unwrap(),
            };
            assert_eq!(revoked, 1, "{which}, {moves}");
            moves_left.store(0, Ordering::Relaxed);
            assert_eq!(manager.sessions_of("ada").await.unwrap(), [], "{which}, {moves}");
        }
    }
}

#[tokio::test]
async fn a_session_that_is_renamed_during_a_listing_is_listed_once() {
    for moves in 1..=7 {
        let (moves_left, manager, handle) = restless().await;
        moves_left.store(moves, Ordering::Relaxed);
        let sessions = manager.sessions_of("ada").await.unwrap();
        assert_eq!(sessions.iter().map(|s| s.handle).collect::<Vec<_>>(), [handle], "{moves}");
    }
}

/// A request that is saved just before or just after a look-up in the index.
struct SlowRequest {
    session: Mutex<Option<Session>>,
    moments_left: AtomicUsize,
}

impl SlowRequest {
    async fn may_save(&self, call: &Call<'_>) {
        let one_less = |left: usize| left.checked_sub(1);
        if call.kind() == CallKind::SessionsOf
            && self.moments_left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_err()
        {
            let session = self.session.lock().unwrap().take();
            if let Some(session) = session {
                session.save().await.unwrap();
            }
        }
    }
}

#[async_trait]
impl Hook for SlowRequest {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        self.may_save(call).await;
        Ok(())
    }

    async fn after(&self, call: &Call<'_>, _: Result<Outcome<'_>, &StoreError>) -> Result<()> {
        self.may_save(call).await;
        Ok(())
    }
}

/// A revocation looks up the tag of each key of the ring, and another request may be saved before or after any look-up.
/// Both orders of the keys are tried: the other request may come from a process that still has the old key first.
#[tokio::test]
async fn a_session_rewritten_under_another_key_is_still_revoked() {
    for (before, after, moment) in (0..6).flat_map(|moment| [(OTHER_KEY, KEY, moment), (KEY, OTHER_KEY, moment)]) {
        let inner = Arc::new(MemoryStore::new());
        let manager = SessionManager::builder(inner.clone()).keys(keys(&[before])).build().unwrap();
        let request = manager.request([""; 0]);
        request.session().await.unwrap().login("ada").unwrap();
        let cookie = pair(&head_of(&request).await);

        let slow = Arc::new(SlowRequest { session: Mutex::default(), moments_left: AtomicUsize::new(moment) });
        let store = Arc::new(Hooked::new(inner, slow.clone()));
        let slower = SessionManager::builder(store.clone()).keys(keys(&[after, before])).build().unwrap();
        *slow.session.lock().unwrap() = Some(slower.request([&cookie]).session().await.unwrap());
        let manager = SessionManager::builder(store).keys(keys(&[KEY, OTHER_KEY])).build().unwrap();
        assert_eq!(manager.revoke_all("ada").await.unwrap(), 1, "to {after} at {moment}");
        assert!(slow.session.lock().unwrap().is_none(), "it was written meanwhile");
        assert_eq!(manager.sessions_of("ada").await.unwrap(), [], "to {after} at {moment}");
    }
}

#[tokio::test]
async fn a_revocation_that_cannot_come_to_an_end_is_an_error() {
    let (moves_left, manager, _) = restless().await;
    moves_left.store(usize::MAX, Ordering::Relaxed);
    let error = manager.revoke_all("ada").await.unwrap_err();
    assert_eq!(error.kind(), SessionErrorKind::Incomplete);
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("kept appearing"), "{cause}");
}

#[tokio::test]
async fn without_an_index_revocation_is_an_error_and_a_logout_is_not() {
    let manager = SessionManager::builder(Hooked::new(MemoryStore::new(), NoIndex)).keys(keys(&[KEY])).build().unwrap();
    for error in [
        manager.sessions_of("ada").await.map(drop).unwrap_err(),
        manager.revoke_all("ada").await.map(drop).unwrap_err(),
    ] {
        assert_eq!(error.kind(), SessionErrorKind::Misconfigured);
        assert!(error.to_string().contains("index"), "{error}");
    }
    let request = manager.request([""; 0]);
    let session = request.session().await.unwrap();
    session.login("ada").unwrap();
    session.save().await.unwrap();
    session.destroy();
    session.save().await.unwrap();
}
