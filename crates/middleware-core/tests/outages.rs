//! A store that does not answer, or whose answer makes no sense: what visitors notice of it.
#![allow(clippy::unwrap_used)]

mod site;

use std::time::Duration;

use nexios_middleware_core::{Event, OnOutage, Session, SessionErrorKind};
use site::{Answer, CallKind, Site, Trouble, Visitor};

async fn visitor(site: &Site) -> Visitor {
    site.visitor(|session| session.insert("a", &1).unwrap()).await
}

#[tokio::test]
async fn a_store_that_cannot_answer_is_never_an_empty_session() {
    let (site, mut visitor) = Site::with_visitor().await;
    site.probe.make(CallKind::Load, Trouble::Fails);
    let writes = site.probe.total() - site.probe.count(CallKind::Load);

    let request = site.manager.request(visitor.cookies.iter());
    for _ in 0..2 {
        let error = request.session().await.unwrap_err();
        assert_eq!((error.kind(), error.status()), (SessionErrorKind::Unavailable, 503));
        assert_eq!(request.existing_session().await.unwrap_err().status(), 503);
    }
    let answer = Answer::of(&request, &mut visitor, 503).await;
    assert_eq!((answer.set_cookie, answer.vary.as_deref()), (None, Some("Cookie")), "the cookie is not touched");
    assert_eq!(site.probe.total() - site.probe.count(CallKind::Load), writes, "no write after a failed load");

    site.probe.heal();
    assert_eq!(request.session().await.unwrap().get("a").unwrap(), Some(1), "it can be asked for again");
}

#[tokio::test]
async fn empty_read_only_gives_an_empty_session_in_an_outage() {
    for trouble in [Trouble::Fails, Trouble::Hangs] {
        let site =
            Site::with(|builder| builder.on_outage(OnOutage::EmptyReadOnly).store_timeout(Duration::from_secs(1)));
        let mut visitor = visitor(&site).await;
        let cookies = visitor.cookies.clone();
        site.probe.make(CallKind::Load, trouble);
        let writes = site.probe.total() - site.probe.count(CallKind::Load);
        tokio::time::pause();

        let session = site.open(&visitor).await;
        assert!(session.is_read_only() && session.is_empty() && session.principal().is_none());
        assert!(session.request.existing_session().await.unwrap().is_none());
        for error in [
            session.insert("a", &2).unwrap_err(),
            session.update("a", |n: Option<i32>| n.unwrap_or(0) + 1).unwrap_err(),
            session.login("ada").unwrap_err(),
            session.set_device("phone").unwrap_err(),
        ] {
            assert_eq!((error.kind(), error.status()), (SessionErrorKind::Unavailable, 503));
        }
        session.clear();
        session.cycle_id();
        assert!(!session.remove("a"));
        session.save().await.unwrap();
        let answer = session.answer(&mut visitor, 200).await;
        assert_eq!((answer.failure, answer.set_cookie, answer.vary.as_deref()), (None, None, Some("Cookie")));
        assert_eq!(site.probe.total() - site.probe.count(CallKind::Load), writes, "no write after a failed load");
        tokio::time::resume();

        site.probe.heal();
        let session = site.open(&Visitor { cookies }).await;
        assert_eq!((session.get("a").unwrap(), session.is_read_only()), (Some(1), false));
    }
}

#[tokio::test]
async fn a_logout_in_an_outage_never_looks_like_a_success() {
    let site = Site::with(|builder| builder.on_outage(OnOutage::EmptyReadOnly));
    let mut visitor = visitor(&site).await;
    site.probe.make(CallKind::Load, Trouble::Fails);
    let session = site.open(&visitor).await;
    session.destroy();
    let answer = session.answer(&mut visitor, 200).await;
    assert_eq!((answer.failure, answer.set_cookie), (Some(503), None));
}

#[tokio::test]
async fn a_newer_format_is_no_outage() {
    let site = Site::with(|builder| builder.on_outage(OnOutage::EmptyReadOnly));
    let visitor = visitor(&site).await;
    site.probe.make(CallKind::Load, Trouble::Answers(nexios_store_core::StoreErrorKind::Unsupported));
    assert_eq!(site.try_open(&visitor).await.err().unwrap().kind(), SessionErrorKind::Unsupported);
}

#[tokio::test]
async fn a_failed_save_never_looks_like_a_success() {
    for (call, act) in [
        (CallKind::Update, (|session| session.insert("a", &2).unwrap()) as fn(&Session)),
        (CallKind::Rename, |session| session.cycle_id()),
    ] {
        let (site, mut visitor) = Site::with_visitor().await;
        site.probe.make(call, Trouble::Fails);
        let answer = visitor.act(&site, act).await;
        assert_eq!((answer.failure, answer.set_cookie), (Some(503), None), "{call:?}");
        site.probe.heal();
        assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(1), "{call:?}: the session is as it was");
    }
    let (site, mut visitor) = Site::with_visitor().await;
    site.probe.make(CallKind::Delete, Trouble::Fails);
    let answer = visitor.act(&site, Session::destroy).await;
    assert_eq!((answer.failure, answer.set_cookie), (Some(503), None), "the record is still there");
    site.probe.heal();
    assert_eq!(visitor.sees::<u8>(&site, "a").await, None, "but the session has ended");
    let site = Site::new();
    site.probe.make(CallKind::Create, Trouble::Fails);
    let answer = Visitor::default().act(&site, |session| session.insert("a", &2).unwrap()).await;
    assert_eq!((answer.failure, answer.set_cookie), (Some(503), None));
}

#[tokio::test]
async fn a_save_that_failed_can_be_tried_again() {
    let (site, mut visitor) = Site::with_visitor().await;
    site.probe.make(CallKind::Update, Trouble::Fails);
    let open = site.open(&visitor).await;
    open.insert("a", &2).unwrap();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    assert!(open.is_modified());
    site.probe.heal();
    assert_eq!(open.answer(&mut visitor, 200).await.failure, None);
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(2));
}

#[tokio::test]
async fn an_update_is_never_made_twice() {
    let (site, mut visitor) = Site::with_visitor().await;
    site.probe.make(CallKind::Update, Trouble::LosesTheAnswer);
    let open = site.open(&visitor).await;
    open.update("a", |a: Option<u8>| a.unwrap() + 1).unwrap();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    site.probe.heal();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Interrupted, "it may have been made");
    assert_eq!(open.answer(&mut visitor, 200).await.failure, Some(503), "nor does it look like a success");
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(2), "and it was");
}

#[tokio::test]
async fn a_failed_touch_is_an_event_and_the_answer_stands() {
    let (site, mut visitor) = Site::with_visitor().await;
    site.sleep(site.manager.settings().idle_timeout / 2);
    site.probe.make(CallKind::Touch, Trouble::Fails);
    let answer = visitor.act(&site, |session| assert!(session.contains_key("a"))).await;
    assert_eq!((answer.failure, answer.set_cookie, site.probe.count(CallKind::Touch)), (None, None, 1));
    assert_eq!(site.manager.counters().of(Event::StoreFailed), 1);
}

#[tokio::test]
async fn an_error_after_a_save_carries_the_id_that_was_saved() {
    let (site, mut visitor) = Site::with_visitor().await;
    let old = visitor.id();
    let open = site.open(&visitor).await;
    open.cycle_id();
    open.save().await.unwrap();
    open.insert("a", &2).unwrap();
    site.probe.make(CallKind::Update, Trouble::Fails);
    let answer = open.answer(&mut visitor, 200).await;
    assert_eq!(answer.failure, Some(503));
    assert_ne!(visitor.id(), old);
    site.probe.heal();
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(1));
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_is_given_up_after_the_time_limit() {
    let site = Site::with(|builder| builder.store_timeout(Duration::from_secs(3)));
    let visitor = visitor(&site).await;

    site.probe.make(CallKind::Load, Trouble::Hangs);
    let before = tokio::time::Instant::now();
    let error = site.try_open(&visitor).await.err().unwrap();
    assert_eq!((error.kind(), before.elapsed().as_secs()), (SessionErrorKind::Unavailable, 3));
    assert_eq!(error.to_string(), "session store did not answer within 3s");
    site.probe.heal();

    let open = site.open(&visitor).await;
    open.update("a", |a: Option<u8>| a.unwrap() + 1).unwrap();
    site.probe.make(CallKind::Update, Trouble::Hangs);
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    site.probe.heal();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Interrupted);
}

#[tokio::test]
async fn a_save_that_was_dropped_half_way_is_not_repeated() {
    let (site, mut visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    open.update("a", |a: Option<u8>| a.unwrap() + 1).unwrap();
    site.probe.make(CallKind::Update, Trouble::Hangs);
    tokio::select! {
        biased;
        _ = open.save() => unreachable!("the store hangs"),
        () = tokio::task::yield_now() => {}
    }
    site.probe.heal();
    open.insert("b", &2).unwrap();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Interrupted);
    assert_eq!(open.answer(&mut visitor, 200).await.failure, Some(503));
}

#[tokio::test]
async fn a_logout_whose_save_was_dropped_is_done_at_the_end() {
    for status in [200, 500] {
        let (site, mut visitor) = Site::with_visitor().await;
        let open = site.open(&visitor).await;
        open.destroy();
        site.probe.make(CallKind::Delete, Trouble::Hangs);
        tokio::select! {
            biased;
            _ = open.save() => unreachable!("the store hangs"),
            () = tokio::task::yield_now() => {}
        }
        site.probe.heal();
        assert!(open.is_empty() && open.handle().is_none());
        let answer = open.answer(&mut visitor, status).await;
        assert_eq!((answer.failure, answer.removes_cookie()), (None, true), "{status}");
        assert_eq!(site.files(), [] as [String; 0], "{status}");
    }
}

#[tokio::test]
async fn a_corrupt_record_is_set_aside_for_a_fresh_session() {
    let (site, mut visitor) = Site::with_visitor().await;
    let id = visitor.id();
    std::fs::write(site.file(&id), vec![b'x'; 4096]).unwrap();

    let answer = visitor
        .act(&site, |session| {
            assert!(session.is_empty());
            session.insert("a", &2).unwrap();
        })
        .await;

    assert_eq!(answer.failure, None);
    assert_ne!(visitor.id(), id);
    assert_eq!(visitor.sees::<u8>(&site, "a").await, Some(2));
    assert_eq!(site.manager.counters().of(Event::RecordCorrupt), 1);
    assert_eq!(site.files(), [visitor.id()]);
    assert_eq!(std::fs::read_dir(site.sessions().join(".corrupt")).unwrap().count(), 1, "kept for the operator");
}

#[tokio::test]
async fn a_failed_set_aside_still_gives_a_fresh_session() {
    let (site, visitor) = Site::with_visitor().await;
    std::fs::write(site.file(&visitor.id()), vec![b'x'; 4096]).unwrap();
    site.probe.make(CallKind::SetAside, Trouble::Fails);
    assert_eq!(visitor.sees::<u8>(&site, "a").await, None);
}

#[tokio::test]
async fn a_record_of_a_newer_format_is_unavailable_and_left_alone() {
    let (site, mut visitor) = Site::with_visitor().await;
    let path = site.file(&visitor.id());
    let mut newer = std::fs::read(&path).unwrap();
    newer[4] = 2; // the format version of the first slot, little-endian
    newer[40..].fill(7); // and everything else may have changed
    std::fs::write(&path, &newer).unwrap();

    let request = site.manager.request(visitor.cookies.iter());
    let error = request.session().await.unwrap_err();
    assert_eq!((error.kind(), error.status()), (SessionErrorKind::Unsupported, 503));
    assert_eq!(Answer::of(&request, &mut visitor, 503).await.set_cookie, None);
    assert_eq!(std::fs::read(&path).unwrap(), newer);
    assert_eq!(site.manager.counters().of(Event::RecordUnsupported), 1);
}

#[tokio::test]
async fn no_error_shows_an_id_or_a_value() {
    let (site, visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    open.insert("secret", "hush").unwrap();
    site.probe.make(CallKind::Load, Trouble::Fails);
    let errors = [open.get::<u64>("secret").unwrap_err(), site.try_open(&visitor).await.err().unwrap()];
    for error in errors {
        let mut shown = format!("{error:?}");
        let mut source: Option<&dyn std::error::Error> = Some(&error);
        while let Some(error) = source {
            shown += &format!(" {error} {error:?}");
            source = error.source();
        }
        assert!(!shown.contains("hush") && !shown.contains(&visitor.id()), "{shown}");
    }
    let shown = format!("{:?} {:?} {:?}", open.session, open.request, site.manager);
    assert!(!shown.contains("hush") && !shown.contains(&visitor.id()) && !shown.contains(site::KEY), "{shown}");
}

#[tokio::test]
async fn a_logout_does_not_fail_because_an_earlier_save_did() {
    let (site, mut visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    open.update("a", |a: Option<u8>| a.unwrap() + 1).unwrap();
    site.probe.make(CallKind::Update, Trouble::LosesTheAnswer);
    assert!(open.save().await.is_err());
    site.probe.heal();
    open.destroy();
    let answer = open.answer(&mut visitor, 200).await;
    assert!(answer.failure.is_none() && answer.removes_cookie());
    assert_eq!(site.files().len(), 0);
}

#[tokio::test]
async fn the_applications_own_server_error_stands() {
    let (site, mut visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    open.update("a", |a: Option<u8>| a.unwrap() + 1).unwrap();
    site.probe.make(CallKind::Update, Trouble::LosesTheAnswer);
    assert!(open.save().await.is_err());
    assert_eq!(open.answer(&mut visitor, 500).await.failure, None);
}

#[tokio::test]
async fn what_was_surely_not_written_can_be_tried_again() {
    let (site, mut visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    open.update("a", |a: Option<u8>| a.unwrap() + 1).unwrap();
    visitor.act(&site, |session| session.insert("b", &1).unwrap()).await;
    site.probe.make(CallKind::Load, Trouble::Fails); // a conflict, and then no reload
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    site.probe.heal();
    open.save().await.unwrap();
    assert_eq!(open.get("a").unwrap(), Some(2));
}

#[tokio::test]
async fn a_rename_whose_answer_is_lost_is_not_repeated() {
    let (site, mut visitor) = Site::with_visitor().await;
    let open = site.open(&visitor).await;
    open.login("ada").unwrap();
    site.probe.make(CallKind::Rename, Trouble::LosesTheAnswer);
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Unavailable);
    site.probe.heal();
    assert_eq!(open.save().await.unwrap_err().kind(), SessionErrorKind::Interrupted);
    assert_eq!(open.answer(&mut visitor, 200).await.failure, Some(503));
    assert_eq!(site.files().len(), 1, "and no second session is made");
}

#[tokio::test]
async fn an_undecodable_payload_is_corrupt_and_left_in_place() {
    use nexios_store_core::{SessionId, SessionStore};
    let (site, visitor) = Site::with_visitor().await;
    let (id, now) = (SessionId::parse(visitor.id()).unwrap(), nexios_middleware_core::Clock::now(&*site.clock));
    let mut stored = site.store.load(&id, now).await.unwrap().unwrap();
    stored.record.payload = (&b"\x81\0garbage"[..]).into();
    let _ = site.store.update(&id, stored.revision, &stored.record, now).await.unwrap();
    assert!(site.open(&visitor).await.is_empty());
    assert_eq!((site.manager.counters().of(Event::PayloadUnreadable), site.files()), (1, vec![visitor.id()]));
}
