//! A value that is taken once: of parallel requests that have seen it, one has taken it, and the others hear of it.
//!
//! A test opens a request, lets others be answered, and then answers the first. So the interleaving is certain.
#![allow(clippy::unwrap_used)]

mod site;

use std::sync::Arc;

use nexios_middleware_core::{Entry, Event, Session, SessionErrorKind};
use site::{CallKind, Site, Trouble, Visitor};
use tokio::sync::Barrier;

const TOKEN: Entry<String> = Entry::new("token");

async fn visitor_with_token(site: &Site) -> Visitor {
    site.visitor(|session| session.insert("token", "t1").unwrap()).await
}

/// Takes the token, and notes that this was done. So a test sees whether anything was saved.
fn use_token(session: &Session) {
    assert_eq!(TOKEN.take_once(session).unwrap().as_deref(), Some("t1"));
    session.insert("used", &true).unwrap();
}

#[tokio::test]
async fn what_is_taken_once_is_removed_and_there_for_nobody_else() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let open = site.open(&visitor).await;
    assert_eq!(open.take_once::<u8>("token").unwrap_err().kind(), SessionErrorKind::InvalidValue);
    assert!(open.contains_key("token") && !open.is_modified(), "what could not be taken stays");
    assert_eq!(open.take_once::<String>("token").unwrap().as_deref(), Some("t1"));
    assert_eq!(open.session.clone().take_once::<String>("token").unwrap(), None, "nor for a clone");
    assert_eq!(open.take_once::<String>("other").unwrap(), None);
    assert_eq!(open.answer(&mut visitor, 200).await.failure, None);
    assert_eq!(visitor.sees::<String>(&site, "token").await, None);
    let log_in = site.open(&visitor).await;
    assert_eq!(log_in.take_once::<String>("token").unwrap(), None);
    assert!(!log_in.is_modified(), "nothing was taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_sixteen_parallel_requests_one_takes_the_value() {
    let site = Arc::new(Site::new());
    for saves in [false, true] {
        let visitor = visitor_with_token(&site).await;
        let barrier = Arc::new(Barrier::new(16));
        let tasks: Vec<_> = (0..16)
            .map(|_| {
                let (site, mut visitor, barrier) = (site.clone(), visitor.clone(), barrier.clone());
                tokio::spawn(async move {
                    let open = site.open(&visitor).await;
                    use_token(&open);
                    barrier.wait().await; // all have taken it from the same revision
                    if saves && let Err(error) = open.save().await {
                        assert_eq!(error.kind(), SessionErrorKind::AlreadyTaken);
                        open.discard();
                        return Some(error.status());
                    }
                    open.answer(&mut visitor, 200).await.failure
                })
            })
            .collect();
        let mut answers = Vec::new();
        for task in tasks {
            answers.push(task.await.unwrap());
        }
        answers.sort_unstable();
        let expected: Vec<_> = std::iter::once(None).chain([Some(409); 15]).collect();
        assert_eq!(answers, expected);
        assert_eq!(site.open(&visitor).await.keys(), ["used"]);
    }
}

/// The limit of `take`, which `take_once` does not have.
#[tokio::test]
async fn two_parallel_takes_may_both_get_the_value() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let (one, two) = (site.open(&visitor).await, site.open(&visitor).await);
    for open in [one, two] {
        assert_eq!(open.take::<String>("token").unwrap().as_deref(), Some("t1"));
        assert_eq!(open.answer(&mut visitor, 200).await.failure, None);
    }
}

#[tokio::test]
async fn what_was_taken_or_changed_meanwhile_fails_the_commit() {
    let changes: [fn(&Session); 5] = [
        |other| assert!(other.take_once::<String>("token").unwrap().is_some()),
        |other| assert!(other.take::<String>("token").unwrap().is_some()),
        |other| other.insert("token", "t2").unwrap(),
        Session::clear,
        |other| other.login("ada").unwrap(),
    ];
    for change in changes {
        let site = Site::new();
        let mut visitor = visitor_with_token(&site).await;
        let (saving, finishing) = (site.open(&visitor).await, site.open(&visitor).await);
        use_token(&saving);
        use_token(&finishing);
        let mut late = visitor.clone();
        visitor.act(&site, change).await;

        let error = saving.save().await.unwrap_err();
        assert!(matches!(error.kind(), SessionErrorKind::AlreadyTaken | SessionErrorKind::Gone), "{error:?}");
        assert_eq!(finishing.answer(&mut late, 200).await.failure, Some(409));
        assert_eq!(visitor.sees::<bool>(&site, "used").await, None);
        assert_eq!(site.session_files().await, [visitor.id()]);
    }
}

#[tokio::test]
async fn the_error_names_the_key_and_not_the_value() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let open = site.open(&visitor).await;
    use_token(&open);
    visitor.act(&site, use_token).await;
    let error = open.save().await.unwrap_err();
    assert_eq!(error.to_string(), "value of session key `token` was taken or changed by another request");
    assert_eq!((error.status(), error.retry_after()), (409, None));
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::AlreadyTaken, "it stays so");
    open.discard();
    assert_eq!(open.answer(&mut visitor, 200).await.failure, None, "the handler knows, and its answer stands");
}

#[tokio::test]
async fn changes_of_other_keys_merge_with_a_taking() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let open = site.open(&visitor).await;
    use_token(&open);
    visitor.act(&site, |session| session.insert("other", &true).unwrap()).await;
    assert_eq!(open.answer(&mut visitor, 200).await.failure, None);
    assert_eq!(site.open(&visitor).await.keys(), ["other", "used"]);
}

#[tokio::test]
async fn a_taking_with_a_new_id_is_refused_and_nothing_moves() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let slow = site.open(&visitor).await;
    use_token(&slow);
    slow.cycle_id();
    visitor.act(&site, use_token).await;
    let answer = slow.answer(&mut visitor.clone(), 200).await;
    assert_eq!((answer.failure, answer.set_cookie), (Some(409), None));
    assert_eq!(site.session_files().await, [visitor.id()]);
    assert_eq!(visitor.sees::<bool>(&site, "used").await, Some(true));
}

#[tokio::test]
async fn of_two_logins_with_one_token_the_second_is_refused() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let (one, two) = (site.open(&visitor).await, site.open(&visitor).await);
    for (open, user) in [(&one, "ada"), (&two, "eve")] {
        use_token(open);
        open.login(user).unwrap();
    }
    let mut late = visitor.clone();
    assert_eq!(one.answer(&mut visitor, 200).await.failure, None);
    let answer = two.answer(&mut late, 200).await;
    assert_eq!((answer.failure, answer.set_cookie), (Some(409), None), "and has no session of its own");
    assert_eq!(site.session_files().await, [visitor.id()]);
    assert_eq!(site.open(&visitor).await.principal().as_deref(), Some("ada"));
}

#[tokio::test]
async fn a_taking_from_a_session_that_has_gone_is_refused() {
    let ends: [fn(&Session); 3] = [
        Session::destroy,
        |other| {
            use_token(other);
            other.cycle_id();
        },
        |other| {
            use_token(other);
            other.login("ada").unwrap();
        },
    ];
    for end in ends {
        let site = Site::new();
        let mut visitor = visitor_with_token(&site).await;
        let (saving, finishing) = (site.open(&visitor).await, site.open(&visitor).await);
        use_token(&saving);
        use_token(&finishing);
        let mut late = visitor.clone();
        visitor.act(&site, end).await;

        assert_eq!(saving.save().await.unwrap_err().kind(), SessionErrorKind::Gone);
        assert_eq!(saving.take_once::<String>("token").unwrap_err().kind(), SessionErrorKind::Ended);
        assert_eq!(saving.answer(&mut late, 200).await.failure, None, "the handler knows");
        let answer = finishing.answer(&mut late, 200).await;
        assert_eq!((answer.failure, answer.set_cookie), (Some(409), None));
        let counters = site.manager.counters();
        assert_eq!((counters.of(Event::ChangesDropped), counters.of(Event::ChangesRefused)), (2, 1));
    }
}

#[tokio::test]
async fn a_taking_from_an_expired_session_is_refused() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let open = site.open(&visitor).await;
    use_token(&open);
    site.sleep(site.manager.settings().idle_timeout * 2);
    assert_eq!(open.answer(&mut visitor, 200).await.failure, Some(409));
}

#[tokio::test]
async fn what_follows_a_taking_does_not_make_up_for_it() {
    let later: [fn(&Session); 5] = [
        |session| session.insert("token", "t2").unwrap(),
        |session| session.update("token", |token: Option<String>| token.unwrap_or_default()).unwrap(),
        Session::clear,
        |session| session.login("ada").unwrap(),
        |session| {
            session.insert("token", "t1").unwrap();
            assert!(session.take_once::<String>("token").unwrap().is_some());
        },
    ];
    for change in later {
        let site = Site::new();
        let mut visitor = site
            .visitor(|session| {
                session.login("eve").unwrap();
                session.insert("token", "t1").unwrap();
            })
            .await;
        let slow = site.open(&visitor).await;
        use_token(&slow);
        change(&slow);
        visitor.act(&site, use_token).await;
        assert_eq!(slow.answer(&mut visitor.clone(), 200).await.failure, Some(409));
        let open = site.open(&visitor).await;
        assert_eq!((open.principal().as_deref(), open.keys()), (Some("eve"), vec!["used".to_owned()]));
    }
}

#[tokio::test]
async fn nothing_is_taken_if_the_changes_are_dropped() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let discarding = site.open(&visitor).await;
    use_token(&discarding);
    discarding.discard();
    assert_eq!(discarding.answer(&mut visitor, 200).await.failure, None);
    for status in [500, 408] {
        let failing = site.open(&visitor).await;
        use_token(&failing);
        failing.answer(&mut visitor, status).await;
    }
    assert_eq!(visitor.sees::<String>(&site, "token").await.as_deref(), Some("t1"));
}

#[tokio::test]
async fn a_taking_whose_outcome_is_unknown_is_not_tried_again() {
    let site = Site::new();
    let mut visitor = visitor_with_token(&site).await;
    let open = site.open(&visitor).await;
    use_token(&open);
    site.probe.make(CallKind::Update, Trouble::LosesTheAnswer);
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    site.probe.heal();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Interrupted);
    assert_eq!(open.answer(&mut visitor, 200).await.failure, Some(503));
    assert_eq!(visitor.sees::<bool>(&site, "used").await, Some(true), "it was saved, and nobody knew");
}

#[tokio::test]
async fn what_the_request_has_put_there_itself_is_its_own() {
    let (site, mut visitor) = (Site::new(), Visitor::default());
    let open = site.open(&visitor).await;
    open.update("token", |_: Option<String>| "t1".to_owned()).unwrap();
    use_token(&open);
    assert_eq!(open.answer(&mut visitor, 200).await.failure, None);

    let slow = site.open(&visitor).await;
    slow.insert("token", "t1").unwrap();
    use_token(&slow);
    visitor.act(&site, |session| session.insert("token", "another").unwrap()).await;
    assert_eq!(slow.answer(&mut visitor, 200).await.failure, None);
    assert_eq!(site.open(&visitor).await.keys(), ["used"]);
}

#[tokio::test]
async fn a_session_in_its_visitors_cookie_takes_nothing_once() {
    let (site, mut visitor) = (Site::client_side(|builder| builder), Visitor::default());
    visitor.act(&site, |session| session.insert("token", "t1").unwrap()).await;
    let open = site.open(&visitor).await;
    assert_eq!(open.take_once::<String>("token").unwrap_err().kind(), SessionErrorKind::Misconfigured);
    assert!(open.contains_key("token"));
}
