//! Everything that is told of sessions: by the counters, in the log, and to the observers of the application.
#![allow(clippy::unwrap_used, clippy::panic, unreachable_pub)]

mod examples;
mod floods;
mod log;
mod observers;
mod page;
#[path = "../site/probe.rs"]
#[allow(dead_code, reason = "shared with other tests")]
mod probe;
mod site;
mod stories;

use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;
use std::time::Duration;

use log::{Line, Log};
use nexios_middleware_core::Event;
use site::{Heard, Manner};
use stories::Story;

/// A story, and what was told of it.
struct Played {
    name: String,
    tells: Vec<Event>,
    counted: Vec<Event>,
    heard: Vec<Heard>,
    /// From the beginning of the story on.
    lines: Vec<Line>,
    secrets: Vec<String>,
}

/// Plays all stories.
fn play_all(manner: Manner) -> Vec<Played> {
    let played = on_a_thread(async move |sender: &Sender<Played>| {
        for story in stories::all() {
            let _ = sender.send(play(story, manner).await);
        }
    });
    let one = |story: Story| match played.recv_timeout(A_WHILE) {
        Ok(played) => played,
        Err(_) => panic!("{manner:?}: {} did not come to its end", story.name),
    };
    stories::all().into_iter().map(one).collect()
}

/// Does work whose results are waited for no longer than [`A_WHILE`]. A thread that waits for a lock of its own never
/// ends.
fn on_a_thread<T: Send + 'static>(work: impl AsyncFnOnce(&Sender<T>) + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(work(&sender));
    });
    receiver
}

async fn play(story: Story, manner: Manner) -> Played {
    let log = Log::new();
    let site = (story.play)(manner).await;
    site.ears.forget();
    let (counted, heard, secrets) = (site.counted(), site.heard(), site.secrets());
    Played { name: story.name, tells: story.tells, counted, heard, lines: log.lines(), secrets }
}

/// Compares what was told with what should be, for all stories at once.
fn check_all(manner: Manner) {
    let mut wrong = String::new();
    for story in play_all(manner) {
        let mut heard: Vec<_> = story.heard.iter().map(|heard| heard.event).collect();
        heard.sort_by_key(|event| *event as usize);
        if story.counted != story.tells || heard != story.tells {
            wrong += &format!("{}: {:?} counted, {heard:?} heard, not {:?}\n", story.name, story.counted, story.tells);
        }
    }
    assert!(wrong.is_empty(), "{manner:?}\n{wrong}");
}

#[test]
fn each_thing_that_happens_is_told_once_under_its_name() {
    check_all(Manner::Listens);
}

#[test]
fn an_observer_may_use_the_session_and_the_manager() {
    check_all(Manner::CallsBack);
}

#[test]
fn an_observer_that_panics_changes_nothing() {
    check_all(Manner::Panics);
}

#[test]
fn every_event_happens_in_a_story() {
    let told: Vec<_> = stories::all().into_iter().flat_map(|story| story.tells).collect();
    let missing: Vec<_> = Event::ALL.iter().filter(|event| !told.contains(event)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn nothing_that_is_told_shows_a_secret() {
    for story in play_all(Manner::Listens) {
        let heard = story.heard.iter().map(|heard| &heard.text);
        for text in heard.chain(story.lines.iter().map(|line| &line.text)) {
            for secret in &story.secrets {
                assert!(!text.contains(secret), "{}: {secret:?} is in {text:?}", story.name);
            }
        }
    }
}

const A_WHILE: Duration = Duration::from_secs(60);
