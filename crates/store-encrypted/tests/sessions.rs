//! Whole sessions, encrypted. They live as other sessions do, and survive a change of keys.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

mod site;

use nexios_middleware_core::{Event, SessionManager};
use site::{NEW, OLD, Site, Visitor};

/// Returns the number of records that the site has met and that no key opens.
fn without_key(site: &SessionManager) -> u64 {
    site.counters().of(Event::SealOfUnknownKey)
}

#[tokio::test]
async fn a_session_lives_from_its_first_value_to_the_logout() {
    let site = Site::new();
    let manager = site.start(&[NEW]);
    let mut visitor = Visitor::default();
    visitor.visit(&manager, |session| session.insert("cart", "milk").unwrap()).await;
    let first_id = visitor.id();
    visitor.visit(&manager, |session| session.login("ada").unwrap()).await;
    assert_ne!(visitor.id(), first_id, "a rename");
    visitor.visit(&manager, |session| session.insert("note", &"long ".repeat(10_000)).unwrap()).await;
    site.clock.advance(std::time::Duration::from_secs(7 * 24 * 3600));
    visitor.visit(&manager, |session| assert_eq!(session.principal().as_deref(), Some("ada"))).await;
    site.clock.advance(std::time::Duration::from_secs(13 * 24 * 3600));
    assert_eq!(visitor.sees(&manager, "cart").await.as_deref(), Some("milk"), "reading was a touch");
    manager.sweep().await.unwrap(); // the word that the login has moved it
    assert_eq!(site.records().len(), 1);
    visitor.visit(&manager, nexios_middleware_core::Session::destroy).await;
    assert_eq!((visitor.cookie, site.records()), (None, vec![]));
}

#[tokio::test]
async fn parallel_changes_merge() {
    let site = Site::new();
    let (one_process, another) = (site.start(&[NEW]), site.start(&[NEW]));
    let mut visitor = Visitor::default();
    visitor.visit(&one_process, |session| session.insert("a", "0").unwrap()).await;
    let (first, of_first) = visitor.open(&one_process).await;
    let (second, of_second) = visitor.open(&another).await;
    of_first.insert("b", "1").unwrap();
    of_second.insert("c", "2").unwrap();
    visitor.hear(&first).await;
    visitor.hear(&second).await;
    for (key, value) in [("a", "0"), ("b", "1"), ("c", "2")] {
        assert_eq!(visitor.sees(&one_process, key).await.as_deref(), Some(value));
    }
}

/// Visitors with and without a login, each with the value that [`are_known`] looks for.
async fn visitors(manager: &SessionManager) -> Vec<Visitor> {
    let mut visitors = vec![Visitor::default(); 6];
    for (n, visitor) in visitors.iter_mut().enumerate() {
        let write = |session: &nexios_middleware_core::Session| {
            if n % 2 == 0 {
                session.login(&format!("user {}", n / 4)).unwrap();
            }
            session.insert("number", &n.to_string()).unwrap();
        };
        visitor.visit(manager, write).await;
    }
    visitors
}

/// Returns whether the session of each visitor is there, with the visitor's own value and user.
async fn are_known(visitors: &mut [Visitor], manager: &SessionManager) -> Vec<bool> {
    let mut known = Vec::new();
    for (n, visitor) in visitors.iter_mut().enumerate() {
        let seen =
            |session: &nexios_middleware_core::Session| (session.get::<String>("number").unwrap(), session.principal());
        let (number, principal) = visitor.visit(manager, seen).await;
        let user = (n % 2 == 0).then(|| format!("user {}", n / 4));
        known.push(number == Some(n.to_string()) && principal.as_deref() == user.as_deref());
    }
    known
}

#[tokio::test]
async fn a_key_rotation_logs_nobody_out() {
    let site = Site::new();
    let mut visitors = visitors(&site.start(&[OLD])).await;
    let sealed_by_the_old = site.records();

    let rotating = site.start(&[NEW, OLD]);
    assert_eq!(are_known(&mut visitors, &rotating).await, [true; 6]);
    let sealed_by_the_new = site.records();
    assert_eq!((sealed_by_the_old.len(), sealed_by_the_new.len()), (6, 6));
    for ((path, before), (_, after)) in sealed_by_the_old.iter().zip(&sealed_by_the_new) {
        assert_ne!(before, after, "{path:?} was written again");
    }

    // Each visitor came once, so nobody needs the old key any longer.
    let rotated = site.start(&[NEW]);
    assert_eq!(are_known(&mut visitors, &rotated).await, [true; 6]);
    assert_eq!(site.records(), sealed_by_the_new, "once was enough");
    assert_eq!((without_key(&rotating), without_key(&rotated)), (0, 0));
}

#[tokio::test]
async fn a_key_that_was_removed_opens_nothing_and_nothing_is_lost() {
    let site = Site::new();
    let mut visitors = visitors(&site.start(&[OLD])).await;
    let before = site.records();

    let without = site.start(&[NEW]);
    assert_eq!(are_known(&mut visitors.clone(), &without).await, [false; 6]);
    assert_eq!(without_key(&without), 0, "no cookie verifies, so nothing is looked up");
    assert_eq!(site.records(), before);

    assert_eq!(are_known(&mut visitors, &site.start(&[NEW, OLD])).await, [true; 6], "the key has come back");
}

#[tokio::test]
async fn a_removed_keys_records_stay_and_their_visitors_start_anew() {
    let site = Site::new();
    let mut visitors = visitors(&site.start(&[OLD])).await;
    let before = site.records();

    // The cookies verify, so the records are looked up.
    let without = site.start_with_keys_for_each(&[OLD], &[NEW]);
    assert_eq!(are_known(&mut visitors.clone(), &without).await, [false; 6]);
    assert_eq!(without_key(&without), 6);
    assert_eq!((site.records(), site.has_set_something_aside()), (before.clone(), false));

    let mut anew = visitors[0].clone();
    anew.visit(&without, |session| session.insert("number", "new").unwrap()).await;
    assert_ne!(anew.id(), visitors[0].id(), "the id is not used again");
    assert_eq!(anew.sees(&without, "number").await.as_deref(), Some("new"));
    assert!(before.iter().all(|record| site.records().contains(record)), "and nothing was written over");

    assert_eq!(are_known(&mut visitors, &site.start(&[OLD])).await, [true; 6], "the key has come back");
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_as_without_encryption() {
    let site = Site::new();
    let manager = site.start(&[NEW]);
    let visitor = visitors(&manager).await.swap_remove(0);
    let file = site.record_of(&visitor);
    std::fs::write(&file, [b'x'; 4096]).unwrap();
    assert_eq!(visitor.sees(&manager, "number").await, None);
    assert!(!file.exists() && site.has_set_something_aside());
}

#[tokio::test]
async fn switching_encryption_ends_sessions_and_keeps_their_records() {
    let site = Site::new();
    for is_on_first in [false, true] {
        let start = |is_on: bool| if is_on { site.start(&[NEW]) } else { site.start_in_the_clear(&[NEW]) };
        let before = start(is_on_first);
        let mut visitors = visitors(&before).await;
        let records = site.records();

        let after = start(!is_on_first);
        assert_eq!(are_known(&mut visitors.clone(), &after).await, [false; 6], "encrypted before: {is_on_first}");
        assert_eq!((site.records(), site.has_set_something_aside()), (records, false));
        assert_eq!(are_known(&mut visitors, &before).await, [true; 6]);
    }
}
