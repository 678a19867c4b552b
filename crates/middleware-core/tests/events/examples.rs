//! The examples of `docs/operations.md`.

use std::sync::mpsc::{self, Sender};

use nexios_middleware_core::{
    Event, Fingerprint, Occurrence, PrincipalTag, SessionManager, SessionManagerBuilder, Timestamp,
};

use crate::page::page;
use crate::site::{Manner, Site};

/// The counters in the text format of Prometheus.
pub fn metrics(manager: &SessionManager) -> String {
    let mut text = "# TYPE session_events_total counter\n".to_owned();
    for (event, count) in manager.counters().iter() {
        text += &format!("session_events_total{{event=\"{event}\"}} {count}\n");
    }
    text
}

/// The entry that an audit trail has of an event: when, what, which session, whose.
pub type Entry = (Timestamp, Event, Option<Fingerprint>, Option<PrincipalTag>);

/// Sends what concerns logins to whoever writes the trail.
pub fn audit(builder: SessionManagerBuilder, trail: Sender<Entry>) -> SessionManagerBuilder {
    builder.observer(move |occurrence: &Occurrence<'_>| {
        let Occurrence { at, event, session, principal, .. } = *occurrence;
        if matches!(event, Event::LoggedIn | Event::SessionCycled | Event::SessionDestroyed | Event::SessionsRevoked) {
            let _ = trail.send((at, event, session, principal)); // without a receiver there is nobody to tell
        }
    })
}

#[tokio::test]
async fn the_examples_of_the_page_do_what_they_say() {
    let (sender, trail) = mpsc::channel();
    let site = Site::with(Manner::Listens, |builder| audit(builder, sender));
    site.user().await;
    assert!(metrics(&site.manager).contains("\nsession_events_total{event=\"logged_in\"} 1\n"));
    let trail: Vec<_> = trail.try_iter().collect();
    assert!(matches!(trail[..], [(_, Event::LoggedIn, Some(_), Some(_))]), "{trail:?}");
}

#[test]
fn the_examples_of_the_page_are_those_that_compile() {
    let source = include_str!("examples.rs");
    let page = page();
    let examples: Vec<_> = page.split("```rust\n").skip(1).map(|text| text.split("```").next().unwrap()).collect();
    assert_eq!(examples.len(), 2);
    for example in examples {
        assert!(source.contains(example), "{example}");
    }
}
