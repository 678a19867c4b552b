//! Stories of sessions, each with the events that are told of it.

use std::num::NonZeroUsize;
use std::pin::Pin;
use std::time::Duration;

use nexios_middleware_core::{AtLimit, Event, RequestSession, Session};

use crate::probe::Trouble;
use crate::site::{Manner, Site};

/// A table of stories, each with its events.
macro_rules! stories {
    ($($name:ident => [$($event:ident),*])*) => {
        &[$((stringify!($name), &[$(Event::$event),*], |manner| Box::pin($name(manner)))),*]
    };
}

/// A table of stories in which a call of the store goes wrong, each with what is told beside that.
macro_rules! store_calls {
    ($($name:ident => [$($event:ident),*])*) => {
        &[$((stringify!($name), &[$(Event::$event),*], |manner, trouble| Box::pin($name(manner, trouble)))),*]
    };
}

mod answers;
mod finding;
mod life;
mod records;
mod store_calls;

/// A story, and the events that are told from the last [`Site::listen`] on: these, each as often as it stands here,
/// and no others.
pub struct Story {
    pub name: String,
    pub tells: Vec<Event>,
    pub play: Box<dyn Fn(Manner) -> Playing + Send>,
}

type Playing = Pin<Box<dyn Future<Output = Site>>>;
type Row = (&'static str, &'static [Event], fn(Manner) -> Playing);
type StoreCall = (&'static str, &'static [Event], fn(Manner, Trouble) -> Playing);

/// All stories; those about a call of the store with one that fails and with one that hangs.
pub fn all() -> Vec<Story> {
    let mut stories = Vec::new();
    for (name, tells, play) in [finding::STORIES, life::STORIES, records::STORIES, answers::STORIES].concat() {
        stories.push(Story { name: name.to_owned(), tells: tells.to_vec(), play: Box::new(play) });
    }
    for &(name, besides, play) in store_calls::STORIES {
        for (trouble, event) in [(Trouble::Fails, Event::StoreFailed), (Trouble::Hangs, Event::StoreTimedOut)] {
            let mut tells = [besides, &[event]].concat();
            tells.sort_by_key(|event| *event as usize);
            let play = Box::new(move |manner| play(manner, trouble));
            stories.push(Story { name: format!("{name}, which {trouble:?}"), tells, play });
        }
    }
    stories
}

/// A user may have one session.
fn limited(manner: Manner, at_limit: AtLimit) -> Site {
    Site::with(manner, |builder| builder.max_per_user(Some(NonZeroUsize::MIN)).at_limit(at_limit))
}

/// A request that has changed a session which another request has ended since.
async fn changed_in_vain(site: &Site) -> RequestSession {
    let mut visitor = site.user().await;
    let slow = site.open(&visitor).await;
    slow.insert("word", "other").unwrap();
    site.visit(&mut visitor, Session::destroy).await;
    site.listen();
    slow.request
}

const HOUR: Duration = Duration::from_secs(3600);
