//! The observers of the application, and everything that they hear of an event.

use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex};

use nexios_middleware_core::{Clock, Event, Fingerprint, Occurrence, PrincipalTag, Session, SessionManager, Timestamp};
use nexios_store_core::SessionStore as _;
use nexios_store_testkit::hook::CallKind as Call;

use crate::log::Log;
use crate::probe::Trouble;
use crate::site::{ADA, HUSH, Heard, KEY, Manner, OTHER_KEY, Site, Visitor, keys};
use crate::{A_WHILE, on_a_thread};

fn heard_of(site: &Site, event: Event) -> Heard {
    let heard = site.heard().into_iter().rfind(|heard| heard.event == event);
    heard.unwrap_or_else(|| panic!("nothing was heard of {event}"))
}

/// Returns whether the store lists the visitor's session under this tag.
async fn is_listed(site: &Site, tag: PrincipalTag, visitor: &Visitor) -> bool {
    site.store.principals().unwrap().sessions_of(&tag, site.clock.now()).await.unwrap().contains(&visitor.id())
}

#[tokio::test]
async fn a_users_events_have_the_tag_of_the_stores_index() {
    let site = Site::new(Manner::Listens);
    let mut visitor = site.user().await;
    let tag = heard_of(&site, Event::LoggedIn).principal.unwrap();
    assert!(is_listed(&site, tag, &visitor).await);
    for event in [Event::SessionCreated, Event::SessionResumed, Event::SessionCycled, Event::ChangesMerged] {
        let slow = site.open(&visitor).await;
        site.visit(&mut visitor, |session| session.insert("word", "one").unwrap()).await;
        slow.insert("word", "other").unwrap();
        slow.cycle_id();
        slow.end(&mut visitor).await; // a conflict, and then a new id
        assert_eq!(heard_of(&site, event).principal, Some(tag), "{event}");
    }
    assert!(is_listed(&site, tag, &visitor).await, "under the new id");
    let slow = site.open(&visitor).await;
    slow.insert("word", "other").unwrap();
    site.visit(&mut visitor, Session::destroy).await;
    slow.end(&mut Visitor::default()).await;
    site.user().await;
    site.manager.revoke_all(ADA).await.unwrap();
    for event in [Event::SessionDestroyed, Event::ChangesDropped, Event::SessionsRevoked] {
        assert_eq!(heard_of(&site, event).principal, Some(tag), "{event}");
    }
}

#[tokio::test]
async fn an_anonymous_sessions_events_have_no_tag() {
    let site = Site::new(Manner::Listens);
    let mut visitor = site.visitor().await;
    site.visit(&mut visitor, Session::cycle_id).await;
    site.visit(&mut visitor, Session::destroy).await;
    assert_eq!(site.heard().len(), 5);
    assert!(site.heard().iter().all(|heard| heard.principal.is_none() && heard.session.is_some()));
}

#[tokio::test]
async fn a_user_has_one_tag_whatever_key_the_record_has() {
    let site = Site::new(Manner::Listens);
    let mut visitor = site.user().await;
    let old_tag = heard_of(&site, Event::LoggedIn).principal.unwrap();
    let rotated = site.restarted(|builder| builder.keys(keys(&[OTHER_KEY, KEY])));
    let open = rotated.open(&visitor).await;
    let tag = heard_of(&rotated, Event::SessionResumed).principal.unwrap();
    assert_ne!(tag, old_tag);
    assert!(is_listed(&rotated, old_tag, &visitor).await);
    open.end(&mut visitor).await;
    assert!(is_listed(&rotated, tag, &visitor).await, "it was written again");
    assert_eq!(heard_of(&rotated, Event::RetiredKeyUsed).principal, Some(tag));
}

#[tokio::test]
async fn a_fingerprint_leads_from_event_to_event() {
    let site = Site::new(Manner::Listens);
    let mut visitor = site.user().await;
    let first = heard_of(&site, Event::SessionCreated).session.unwrap();
    assert_eq!(heard_of(&site, Event::LoggedIn).session, Some(first));
    site.visit(&mut visitor, Session::cycle_id).await;
    let cycled = heard_of(&site, Event::SessionCycled);
    assert_eq!((cycled.former_session, cycled.session == Some(first)), (Some(first), false));
    site.probe.make(Call::Update, Trouble::Fails);
    site.visit(&mut visitor, |session| session.insert("word", "other").unwrap()).await;
    assert_eq!(heard_of(&site, Event::SessionResumed).session, cycled.session);
    assert_eq!(heard_of(&site, Event::StoreFailed).session, cycled.session);
    site.probe.heal();
    site.visit(&mut visitor, Session::destroy).await;
    assert_eq!(heard_of(&site, Event::SessionDestroyed).session, cycled.session);
}

#[tokio::test]
async fn a_failure_has_the_fingerprint_and_the_tag_that_are_known() {
    let site = Site::new(Manner::Listens);
    let mut visitor = site.user().await;
    let Heard { session, principal, .. } = heard_of(&site, Event::LoggedIn);
    let open = site.open(&visitor).await;
    site.probe.make(Call::Update, Trouble::Fails);
    open.insert("word", "other").unwrap();
    open.end(&mut visitor).await;
    open.insert("word", "other").unwrap();
    site.ears.forget();
    drop(open);
    for event in [Event::StoreFailed, Event::RequestFailed, Event::ChangesNeverSaved] {
        let heard = heard_of(&site, event);
        assert_eq!((heard.session, heard.principal), (session, principal), "{event}");
    }
    site.listen();
    site.probe.make(Call::Load, Trouble::Fails);
    assert!(site.try_open(&visitor).await.is_err());
    assert_eq!(heard_of(&site, Event::StoreFailed).session, session, "its user is not known");
}

#[tokio::test]
async fn a_session_has_one_fingerprint_in_all_processes() {
    let site = Site::new(Manner::Listens);
    let mut visitor = site.visitor().await;
    let other = site.restarted(|builder| builder);
    other.visit(&mut visitor, |_| ()).await;
    let (made, resumed) = (heard_of(&site, Event::SessionCreated), heard_of(&other, Event::SessionResumed));
    assert_eq!(made.session, resumed.session);
}

#[tokio::test]
async fn the_log_has_what_an_observer_hears() {
    let log = Log::new();
    let site = Site::new(Manner::Listens);
    let mut visitor = site.visitor().await;
    site.visit(&mut visitor, Session::cycle_id).await;
    let Heard { session, former_session, .. } = heard_of(&site, Event::SessionCycled);
    let line = &log.lines_of(Event::SessionCycled)[0].text;
    let shown = |fingerprint: Option<Fingerprint>| fingerprint.unwrap().to_string();
    assert!(line.contains(&format!("session={} was={} ", shown(session), shown(former_session))), "{line}");

    site.probe.make(Call::Load, Trouble::Fails);
    assert!(site.try_open(&visitor).await.is_err());
    let line = &log.lines_of(Event::StoreFailed)[0].text;
    assert!(line.contains("error=session store did not answer") && line.contains("error=told to fail"), "{line}");
}

#[tokio::test]
async fn an_event_has_the_time_of_the_managers_clock() {
    let site = Site::new(Manner::Listens);
    let heard = Arc::new(Mutex::new(Vec::new()));
    let listener = Arc::clone(&heard);
    let observer = move |occurrence: &Occurrence<'_>| listener.lock().unwrap().push(occurrence.at);
    let site = site.restarted(|builder| builder.observer(observer));
    site.clock.set(Timestamp::from_unix_millis(1_790_000_000_123));
    site.visitor().await;
    assert_eq!(heard.lock().unwrap()[0].as_unix_millis(), 1_790_000_000_123);
}

/// Changes that an observer makes are saved with the next save, like any other change.
#[test]
fn an_observer_may_change_the_session() {
    let seen = on_a_thread(async |sender: &Sender<_>| _ = sender.send(change_from_an_observer().await));
    assert_eq!(seen.recv_timeout(A_WHILE).unwrap(), Some(true));
}

/// Returns what the next request sees of it.
async fn change_from_an_observer() -> Option<bool> {
    let at_hand = Arc::new(Mutex::new(None::<Session>));
    let session_at_hand = Arc::clone(&at_hand);
    let observer = move |occurrence: &Occurrence<'_>| {
        let session = session_at_hand.lock().unwrap().clone();
        if let (Event::SessionCreated, Some(session)) = (occurrence.event, session) {
            session.insert("seen", &true).unwrap();
        }
    };
    let site = Site::with(Manner::Listens, |builder| builder.observer(observer));
    let mut visitor = Visitor::default();
    let open = site.open(&visitor).await;
    *at_hand.lock().unwrap() = Some(open.session.clone());
    open.insert("word", HUSH).unwrap();
    open.save().await.unwrap();
    assert!(open.is_modified());
    open.end(&mut visitor).await;
    site.open(&visitor).await.get("seen").unwrap()
}

#[tokio::test]
async fn of_several_observers_one_that_panics_silences_no_other() {
    let count = Arc::new(Mutex::new(0));
    let counting = Arc::clone(&count);
    let site = Site::with(Manner::Panics, |builder| {
        builder.observer(move |_: &Occurrence<'_>| *counting.lock().unwrap() += 1)
    });
    let mut visitor = site.visitor().await;
    site.visit(&mut visitor, |_| ()).await;
    assert_eq!((*count.lock().unwrap(), site.heard().len()), (2, 2));
}

/// A handler that panics after the head was sent drops its session while it unwinds. A second panic would be the end of
/// the process.
#[tokio::test]
async fn an_observer_that_panics_while_a_handler_does_ends_no_process() {
    let site = Site::new(Manner::Panics);
    let mut visitor = site.visitor().await;
    let open = site.open(&visitor).await;
    open.end(&mut visitor).await;
    site.ears.forget();
    let handler = tokio::spawn(async move {
        open.insert("word", "other").unwrap();
        std::panic::resume_unwind(Box::new("the handler"));
    });
    assert!(handler.await.unwrap_err().is_panic());
    assert_eq!(site.manager.counters().of(Event::ChangesNeverSaved), 1);
}

#[test]
fn a_manager_without_observers_counts_all_the_same() {
    let manager = SessionManager::builder(nexios_store_memory::MemoryStore::new()).keys(keys(&[KEY])).build().unwrap();
    let counters = manager.counters();
    assert_eq!((counters.of(Event::CookieInsecure), counters.of(Event::CookieRefused)), (1, 0));
    assert_eq!(counters.iter().map(|(_, count)| count).sum::<u64>(), 1);
}
