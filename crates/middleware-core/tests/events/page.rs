//! `docs/operations.md` has a section for each event, and for nothing that is none.

use std::collections::BTreeMap;
use std::fs;

use nexios_middleware_core::{Event, SessionError};
use tracing::Level;

use crate::log::Log;
use crate::play_all;
use crate::site::Manner;

pub fn page() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/operations.md")).unwrap()
}

/// The sections below a heading of the page: their names, and the line under each name.
fn sections(part: &str) -> Vec<(String, String)> {
    let page = page();
    let part = page.split("\n## ").find_map(|text| text.strip_prefix(part)).unwrap();
    let section = |text: &str| {
        let mut lines = text.lines().filter(|line| !line.is_empty());
        let name = lines.next().unwrap().trim_matches('`').to_owned();
        (name, lines.next().unwrap().to_owned())
    };
    part.split("\n### ").skip(1).map(section).collect()
}

#[test]
fn the_page_has_a_section_for_each_event_in_their_order() {
    let names: Vec<_> = sections("The events\n").into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, Event::ALL.iter().map(|event| event.name()).collect::<Vec<_>>());
}

#[test]
fn the_page_has_the_levels_of_the_log() {
    let lines = play_all(Manner::Listens).into_iter().flat_map(|story| story.lines);
    let levels: BTreeMap<_, _> = lines.map(|line| (line.name, line.level)).collect();
    for (name, line) in sections("The events\n") {
        let level = levels.get(&name).unwrap_or_else(|| panic!("no line of {name}"));
        assert!(line.starts_with(&format!("**{level}**, ")), "{name} is of level {level}, not {line:?}");
    }
}

#[test]
fn the_page_has_the_event_that_no_manager_hears_of() {
    let log = Log::new();
    let _error = SessionError::missing_layer("no session layer is around this route");
    let (name, first) = sections("Without a manager\n").remove(0);
    assert_eq!((&*name, &*first), ("layer_missing", "**ERROR**, at most one line in 10 seconds."));
    // Another test of this process may have had the line a moment ago.
    assert!(log.lines().iter().all(|line| line.name == name && line.level == Level::ERROR));
}

/// A link within the page leads to a section of the page.
#[test]
fn the_links_within_the_page_lead_somewhere() {
    let page = page();
    let anchor = |heading: &str| heading.replace('`', "").to_lowercase().replace(' ', "-");
    let headings = page.lines().filter_map(|line| line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")));
    let anchors: Vec<_> = headings.map(anchor).collect();
    let links: Vec<_> = page.split("](#").skip(1).map(|text| text.split(')').next().unwrap()).collect();
    assert!(links.len() > 50, "{}", links.len());
    for link in links {
        assert!(anchors.iter().any(|anchor| anchor == link), "#{link} leads nowhere");
    }
}
