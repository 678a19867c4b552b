//! Parallel requests to one session: nothing is lost, and nothing ended comes back.
//!
//! A test opens a request, lets others be answered, and then answers the first. So the interleaving is certain.
#![allow(clippy::unwrap_used)]

mod site;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use nexios_middleware_core::{Event, Session, SessionErrorKind, SessionManager};
use nexios_settings::ByteSize;
use nexios_store_core::{Result, SessionStore as _, UpdateOutcome, async_trait};
use nexios_store_memory::MemoryStore;
use nexios_store_testkit::hook::{Call, Hook, Hooked};
use site::{CallKind, KEY, Site, Visitor, keys};
use tokio::sync::Barrier;

async fn visitor_with(site: &Site, key: &str, value: i64) -> Visitor {
    site.visitor(|session| session.insert(key, &value).unwrap()).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sixty_four_parallel_increments_end_at_the_exact_sum() {
    let site = Arc::new(Site::new());
    let visitor = visitor_with(&site, "hits", 0).await;
    let barrier = Arc::new(Barrier::new(64));
    let tasks: Vec<_> = (0..64)
        .map(|_| {
            let (site, mut visitor, barrier) = (site.clone(), visitor.clone(), barrier.clone());
            tokio::spawn(async move {
                let open = site.open(&visitor).await;
                barrier.wait().await; // all have loaded the same revision
                open.update("hits", |hits: Option<i64>| hits.unwrap_or(0) + 1).unwrap();
                open.save().await.unwrap();
                let number: i64 = open.get("hits").unwrap().unwrap();
                assert_eq!(open.answer(&mut visitor, 200).await.failure, None);
                number
            })
        })
        .collect();
    let mut numbers = Vec::new();
    for task in tasks {
        numbers.push(task.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (1..=64).collect::<Vec<i64>>(), "each request was given a number of its own");
    assert_eq!(visitor.sees::<i64>(&site, "hits").await, Some(64));
    assert!(site.manager.counters().of(Event::ChangesMerged) >= 63, "the requests did meet");
}

#[tokio::test]
async fn changes_of_different_keys_merge() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let (one, two) = (site.open(&visitor).await, site.open(&visitor).await);
    one.insert("b", &2).unwrap();
    two.insert("c", &3).unwrap();
    two.remove("a");
    one.answer(&mut visitor, 200).await;
    two.answer(&mut visitor, 200).await;
    let entries = site.open(&visitor).await.entries::<i64>().unwrap();
    assert_eq!(entries, [("b".to_owned(), 2), ("c".to_owned(), 3)]);
}

#[tokio::test]
async fn an_insert_means_this_value_whatever_was_there() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let slow = site.open(&visitor).await;
    slow.insert("a", &10).unwrap();
    visitor.act(&site, |session| session.insert("a", &20).unwrap()).await;
    slow.answer(&mut visitor, 200).await;
    assert_eq!(visitor.sees::<i64>(&site, "a").await, Some(10));
}

#[tokio::test]
async fn an_update_runs_again_on_the_value_that_another_request_left() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let slow = site.open(&visitor).await;
    slow.update("a", move |value: Option<i64>| {
        counted.fetch_add(1, Ordering::SeqCst);
        value.unwrap() * 10
    })
    .unwrap();
    assert_eq!(slow.get::<i64>("a").unwrap(), Some(10), "before the save, the request sees its own session");
    visitor.act(&site, |session| session.insert("a", &5).unwrap()).await;
    slow.save().await.unwrap();
    assert_eq!(slow.get::<i64>("a").unwrap(), Some(50), "after it, what was committed");
    assert!(!slow.is_modified());
    slow.answer(&mut visitor, 200).await;
    assert_eq!(visitor.sees::<i64>(&site, "a").await, Some(50), "and it is not committed twice");
    assert_eq!(runs.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn a_logout_during_a_slow_request_stays_logged_out() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let slow = site.open(&visitor).await;
    slow.insert("slow", &true).unwrap();
    let stolen = visitor.clone();
    visitor.act(&site, Session::destroy).await;

    let answer = slow.answer(&mut visitor, 200).await;

    assert_eq!((answer.set_cookie, answer.failure), (None, None), "the answer stands, without a cookie");
    assert_eq!(site.files().len(), 0);
    assert_eq!(stolen.sees::<i64>(&site, "a").await, None);
    assert_eq!(site.manager.counters().of(Event::ChangesDropped), 1);
}

#[tokio::test]
async fn a_save_into_a_session_that_was_ended_says_so() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let slow = site.open(&visitor).await;
    slow.insert("slow", &true).unwrap();
    visitor.act(&site, Session::destroy).await;
    assert_eq!(slow.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
    assert_eq!(slow.insert("again", &1).unwrap_err().kind(), SessionErrorKind::Ended);
    assert_eq!(slow.answer(&mut visitor, 200).await.set_cookie, None);
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn a_slow_reader_does_not_bring_a_session_back() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    site.sleep(site.manager.settings().idle_timeout / 5); // a touch is due
    let slow = site.open(&visitor).await;
    visitor.act(&site, Session::destroy).await;
    let answer = slow.answer(&mut visitor, 200).await;
    assert_eq!((answer.set_cookie, site.probe.count(CallKind::Touch), site.files().len()), (None, 1, 0));
}

#[tokio::test]
async fn a_logout_wins_over_a_cycle_that_comes_later() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let slow = site.open(&visitor).await;
    slow.cycle_id();
    visitor.act(&site, Session::destroy).await;
    let answer = slow.answer(&mut visitor, 200).await;
    assert_eq!((answer.set_cookie, site.files().len()), (None, 0));
}

#[tokio::test]
async fn a_cycle_keeps_what_a_parallel_update_wrote_before_it() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let cycling = site.open(&visitor).await;
    cycling.cycle_id();
    visitor.clone().act(&site, |session| session.insert("b", &2).unwrap()).await;
    cycling.answer(&mut visitor, 200).await;
    assert_eq!(visitor.sees::<i64>(&site, "b").await, Some(2));
    assert_eq!(site.session_files().await, [visitor.id()]);
}

#[tokio::test]
async fn an_update_that_comes_after_a_cycle_is_visibly_refused() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let (finishing, saving) = (site.open(&visitor).await, site.open(&visitor).await);
    visitor.act(&site, Session::cycle_id).await;

    saving.insert("b", &2).unwrap();
    assert_eq!(saving.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
    finishing.insert("b", &2).unwrap();
    let mut late = visitor.clone();
    assert_eq!(finishing.answer(&mut late, 200).await.set_cookie, None, "the visitor keeps the new cookie");

    assert_eq!(site.session_files().await, [visitor.id()]);
    assert_eq!(visitor.sees::<i64>(&site, "b").await, None);
}

#[tokio::test]
async fn two_parallel_cycles_leave_one_session() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let (one, two) = (site.open(&visitor).await, site.open(&visitor).await);
    one.cycle_id();
    two.cycle_id();
    one.answer(&mut visitor, 200).await;
    let mut late = visitor.clone();
    assert_eq!(two.answer(&mut late, 200).await.set_cookie, None);
    assert_eq!(site.session_files().await, [visitor.id()]);
}

#[tokio::test]
async fn a_login_into_a_session_that_was_ended_begins_a_fresh_one() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "loaded", 1).await;
    let login = site.open(&visitor).await;
    login.login("ada").unwrap();
    login.insert("own", &2).unwrap();
    let old = visitor.id();
    visitor.act(&site, Session::destroy).await;

    login.answer(&mut visitor, 200).await;

    assert_ne!(visitor.id(), old);
    let session = site.open(&visitor).await;
    assert_eq!(session.principal().as_deref(), Some("ada"));
    assert_eq!(session.keys(), ["own"], "with this request's own changes, and nothing that was loaded");
}

#[tokio::test]
async fn an_update_may_remove_what_another_request_left() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "tries", 5).await;
    let (slow, absent) = (site.open(&visitor).await, site.open(&visitor).await);
    let one_less = |tries: Option<i64>| tries.map(|tries| tries - 1).filter(|tries| *tries > 0);
    slow.update_or_remove("tries", one_less).unwrap();
    absent.update_or_remove("other", |other: Option<i64>| Some(other? * 10)).unwrap();
    assert_eq!(slow.get::<i64>("tries").unwrap(), Some(4));
    visitor
        .act(&site, |session| {
            session.insert("tries", &1).unwrap();
            session.insert("other", &1).unwrap();
        })
        .await;
    slow.answer(&mut visitor, 200).await;
    absent.answer(&mut visitor, 200).await;
    let entries = site.open(&visitor).await.entries::<i64>().unwrap();
    assert_eq!(entries, [("other".to_owned(), 10)], "both were computed from the newer values");
}

#[tokio::test]
async fn an_update_that_refuses_the_newer_value_writes_nothing() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "stock", 1).await;
    let (saving, finishing) = (site.open(&visitor).await, site.open(&visitor).await);
    let one_less = |stock: Option<i64>| match stock.unwrap_or(0) {
        0 => Err("sold out"),
        stock => Ok(Some(stock - 1)),
    };
    for open in [&saving, &finishing] {
        open.try_update("stock", one_less).unwrap();
        open.insert("ordered", &1).unwrap();
    }
    visitor.act(&site, |session| session.try_update("stock", one_less).unwrap()).await;

    let error = saving.save().await.unwrap_err();
    assert_eq!((error.kind(), error.to_string().as_str()), (SessionErrorKind::Refused, "sold out"));
    saving.discard();
    assert_eq!(saving.answer(&mut visitor, 200).await.failure, None, "the handler knows, and its answer stands");
    assert_eq!(finishing.answer(&mut visitor, 200).await.failure, Some(409));

    let entries = site.open(&visitor).await.entries::<i64>().unwrap();
    assert_eq!(entries, [("stock".to_owned(), 0)]);
    assert_eq!(site.manager.counters().of(Event::ChangesRefused), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_parallel_buyers_as_many_succeed_as_there_is_stock() {
    let site = Arc::new(Site::new());
    let visitor = visitor_with(&site, "stock", 5).await;
    let barrier = Arc::new(Barrier::new(16));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (site, mut visitor, barrier) = (site.clone(), visitor.clone(), barrier.clone());
            tokio::spawn(async move {
                let open = site.open(&visitor).await;
                barrier.wait().await; // all have loaded the same revision
                open.try_update("stock", |stock: Option<i64>| match stock.unwrap_or(0) {
                    0 => Err("sold out"),
                    stock => Ok(Some(stock - 1)),
                })
                .unwrap();
                open.answer(&mut visitor, 200).await.failure
            })
        })
        .collect();
    let mut answers = Vec::new();
    for task in tasks {
        answers.push(task.await.unwrap());
    }
    assert_eq!(answers.iter().filter(|failure| failure.is_none()).count(), 5);
    assert_eq!(answers.iter().filter(|failure| **failure == Some(409)).count(), 11);
    assert_eq!(visitor.sees::<i64>(&site, "stock").await, Some(0));
}

#[tokio::test]
async fn a_value_of_another_type_fails_the_commit_and_writes_nothing() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let (saving, finishing) = (site.open(&visitor).await, site.open(&visitor).await);
    for open in [&saving, &finishing] {
        open.update("a", |value: Option<i64>| value.unwrap() + 1).unwrap();
        open.insert("b", &2).unwrap();
    }
    visitor.act(&site, |session| session.insert("a", "text").unwrap()).await;

    assert_eq!(saving.save().await.unwrap_err().kind(), SessionErrorKind::InvalidValue);
    assert_eq!(finishing.answer(&mut visitor, 200).await.failure, Some(500));

    assert_eq!(visitor.sees::<String>(&site, "a").await.as_deref(), Some("text"));
    assert_eq!(visitor.sees::<i64>(&site, "b").await, None);
}

#[tokio::test]
async fn merged_changes_that_are_too_large_are_not_written() {
    let site = Site::with(|builder| builder.max_size(ByteSize::new(1000).unwrap()));
    let mut visitor = visitor_with(&site, "a", 1).await;
    let slow = site.open(&visitor).await;
    slow.insert("mine", &"x".repeat(600)).unwrap();
    visitor.act(&site, |session| session.insert("theirs", &"x".repeat(600)).unwrap()).await;
    assert_eq!(slow.save().await.unwrap_err().kind(), SessionErrorKind::TooLarge);
    assert_eq!(site.open(&visitor).await.keys(), ["a", "theirs"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clones_of_one_session_may_change_and_save_it_at_once() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "hits", 0).await;
    let open = site.open(&visitor).await;
    let barrier = Arc::new(Barrier::new(16));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (session, barrier) = (open.session.clone(), barrier.clone());
            tokio::spawn(async move {
                barrier.wait().await;
                session.update("hits", |hits: Option<i64>| hits.unwrap_or(0) + 1).unwrap();
                session.save().await.unwrap();
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    open.answer(&mut visitor, 200).await;
    assert_eq!(visitor.sees::<i64>(&site, "hits").await, Some(16));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn destroyed_sessions_are_never_seen_again_by_racing_requests() {
    let site = Arc::new(Site::new());
    for _ in 0..200 {
        let visitor = visitor_with(&site, "a", 1).await;
        let barrier = Arc::new(Barrier::new(4));
        let race = |act: fn(&Session)| {
            let (site, mut visitor, barrier) = (site.clone(), visitor.clone(), barrier.clone());
            tokio::spawn(async move {
                let open = site.open(&visitor).await;
                barrier.wait().await;
                act(&open.session);
                open.answer(&mut visitor, 200).await;
                visitor
            })
        };
        let others = [
            race(|session| session.insert("b", &2).unwrap()),
            race(|session| session.update("a", |a: Option<i64>| a.unwrap_or(0) + 1).unwrap()),
            race(|session| {
                let _ = session.get::<i64>("a");
            }),
        ];
        race(Session::destroy).await.unwrap();
        for other in others {
            other.await.unwrap();
        }
        assert_eq!(visitor.sees::<i64>(&site, "a").await, None);
    }
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn a_refused_commit_can_be_discarded() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let open = site.open(&visitor).await;
    open.update("a", |value: Option<i64>| value.unwrap() + 1).unwrap();
    visitor.act(&site, |session| session.insert("a", "text").unwrap()).await;
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::InvalidValue);
    open.discard();
    assert_eq!(open.answer(&mut visitor, 409).await.failure, None, "the handler's answer stands");
}

#[tokio::test]
async fn a_session_that_is_destroyed_while_it_is_saved_shows_nothing() {
    let site = Site::new();
    let mut visitor = visitor_with(&site, "a", 1).await;
    let open = site.open(&visitor).await;
    open.insert("b", &2).unwrap();
    let clone = open.session.clone();
    let (saved, ()) = tokio::join!(biased; open.save(), async { clone.destroy() });
    saved.unwrap();
    assert!(open.is_empty());
    open.answer(&mut visitor, 200).await;
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn a_logout_follows_a_users_session_to_its_new_id() {
    let site = Site::new();
    let mut visitor = site.visitor(|session| session.login("ada").unwrap()).await;
    let elsewhere = site.visitor(|session| session.login("ada").unwrap()).await;

    let logout = site.open(&visitor).await;
    logout.destroy();
    let mut cycled = visitor.clone();
    cycled.act(&site, Session::cycle_id).await;
    logout.answer(&mut visitor, 200).await;

    assert!(site.open(&cycled).await.principal().is_none());
    assert_eq!(site.session_files().await, [elsewhere.id()], "and the user's other session lives on");
}

/// Lets this number of other requests update a session first.
struct Overtakes {
    inner: Arc<MemoryStore>,
    others: AtomicUsize,
}

#[async_trait]
impl Hook for Overtakes {
    async fn before(&self, call: &Call<'_>) -> Result<()> {
        let one_less = |others: usize| others.checked_sub(1);
        if let Call::Update { id, now, .. } = *call
            && self.others.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less).is_ok()
        {
            let stored = self.inner.load(id, now).await?.unwrap();
            let updated = self.inner.update(id, stored.revision, &stored.record, now).await?;
            assert!(matches!(updated, UpdateOutcome::Updated(_)));
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_save_backs_off_only_after_several_conflicts() {
    for (others, waits) in [(0, false), (4, false), (5, true)] {
        let inner = Arc::new(MemoryStore::new());
        let store = Hooked::new(inner.clone(), Overtakes { inner, others: AtomicUsize::new(others) });
        let manager = SessionManager::builder(store).keys(keys(&[KEY])).build().unwrap();
        let session = manager.request([""; 0]).session().await.unwrap();
        session.insert("a", &1).unwrap();
        session.save().await.unwrap();

        let before = tokio::time::Instant::now();
        session.insert("a", &2).unwrap();
        session.save().await.unwrap();
        assert_eq!(manager.counters().of(Event::ChangesMerged), u64::from(others > 0), "once for each save");
        assert_eq!(!before.elapsed().is_zero(), waits, "after {others} conflicts");
    }
}
