//! The check of the table of rooms: of the arrows between the modules of a crate.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Finding,
    heights::{Arrows, heights},
    imports::{Imports, Path},
};

/// The place that a finding sends its reader to.
const TABLE: &str = "the table ROOMS in xtask/src/tidy.rs";

/// The file that belongs to no room and may import from each: users of the crate see it.
const FACE: &str = "lib.rs";

/// One crate's part of the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct House {
    /// The folder of its sources, from the root of the workspace.
    pub(super) src: &'static str,
    pub(super) rooms: &'static [Room],
}

/// One room's line in the table. A room is a module at the root of its crate, with all modules inside it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Room {
    from: &'static str,
    uses: &'static [&'static str],
}

/// Makes the row of a room that imports from exactly the rooms `uses`.
pub(super) const fn room(from: &'static str, uses: &'static [&'static str]) -> Room {
    Room { from, uses }
}

impl House {
    fn arrows(&self) -> Arrows {
        self.rooms.iter().map(|room| (room.from, room.uses)).collect()
    }

    /// Returns all sources but those that are compiled for tests only.
    fn sources<'t>(&self, texts: &'t BTreeMap<String, String>) -> Vec<Source<'t>> {
        let source = |(file, text): (&'t String, &'t String)| {
            Source::read(file.strip_prefix(self.src)?.strip_prefix('/')?, text)
        };
        let mut sources: Vec<Source<'_>> = texts.iter().filter_map(source).collect();
        let of_tests: BTreeSet<String> = sources.iter().flat_map(Source::test_modules).collect();
        sources.retain(|source| !source.modules().any(|module| of_tests.contains(module)));
        sources
    }
}

/// A file of a crate.
struct Source<'t> {
    /// Its path below the folder of the sources.
    file: &'t str,
    /// Its module, with `/` between the levels. The root of the crate is the empty text.
    module: &'t str,
    imports: Imports,
}

impl<'t> Source<'t> {
    fn read(file: &'t str, text: &str) -> Option<Self> {
        let module = match file {
            FACE => "",
            _ => file.strip_suffix("/mod.rs").or_else(|| file.strip_suffix(".rs"))?,
        };
        let level = module.split_terminator('/').count();
        Some(Self { file, module, imports: Imports::read(text, level) })
    }

    fn room(&self) -> Option<&'t str> {
        self.module.split_terminator('/').next()
    }

    /// Returns its module and the modules around it.
    fn modules(&self) -> impl Iterator<Item = &'t str> {
        let ends = self.module.match_indices('/').map(|(end, _)| end).chain([self.module.len()]);
        ends.map(|end| &self.module[..end])
    }

    fn test_modules(&self) -> impl Iterator<Item = String> {
        let around = if self.module.is_empty() { String::new() } else { format!("{}/", self.module) };
        self.imports.test_modules.iter().map(move |name| format!("{around}{name}"))
    }
}

/// Compares the table with the code, both ways. `texts` has the files of the workspace by their paths from the root.
pub(super) fn check(table: &[House], texts: &BTreeMap<String, String>) -> Vec<Finding> {
    table.iter().flat_map(|house| check_one(house, texts)).collect()
}

fn check_one(house: &House, texts: &BTreeMap<String, String>) -> Vec<Finding> {
    let arrows = house.arrows();
    let mut findings = Vec::new();
    if let Err(cycle) = heights(&arrows) {
        findings.push(Finding::new(TABLE, format!("it has a cycle: {}", cycle.join(" -> "))));
    }
    let sources = house.sources(texts);
    let rooms: BTreeSet<&str> = sources.iter().filter_map(Source::room).collect();
    for room in rooms.iter().filter(|room| !arrows.contains_key(**room)) {
        findings.push(Finding::new(house.src, format!("the room `{room}` has no row; add one to {TABLE}")));
    }

    let mut drawn = BTreeSet::new();
    for source in &sources {
        let Some(from) = source.room() else { continue };
        for Path { line, name } in &source.imports.paths {
            let place = || format!("{}/{}:{line}", house.src, source.file);
            let Some(&to) = rooms.get(name.as_str()) else {
                let what = format!("`crate::{name}` does not say which room it comes from; import it from its room");
                findings.push(Finding::new(place(), what));
                continue;
            };
            if to == from {
                continue;
            }
            drawn.insert((from, to));
            if arrows.get(from).is_some_and(|uses| !uses.contains(&to)) {
                let what = format!("`{from}` must not import from `{to}`; if it must, change {TABLE} and say why");
                findings.push(Finding::new(place(), what));
            }
        }
    }

    for Room { from, uses } in house.rooms {
        if !rooms.contains(from) {
            findings.push(Finding::new(house.src, format!("there is no room `{from}`; take its row out of {TABLE}")));
            continue;
        }
        for to in uses.iter().filter(|to| !drawn.contains(&(*from, **to))) {
            let what = format!("`{from}` does not import from `{to}`, but its row says so; take it out of {TABLE}");
            findings.push(Finding::new(house.src, what));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUSE: House = House {
        src: "crates/core/src",
        rooms: &[room("manager", &["request", "events"]), room("request", &["events"]), room("events", &[])],
    };

    fn house() -> BTreeMap<String, String> {
        let files = [
            ("crates/core/src/lib.rs", "mod events;\nmod manager;\nmod request;\npub use crate::request::Request;\n"),
            ("crates/core/src/manager.rs", "mod builder;\nuse crate::request::Request;\n"),
            ("crates/core/src/manager/builder.rs", "use super::Manager;\nuse crate::{events::Event, manager::X};\n"),
            ("crates/core/src/request/mod.rs", "use crate::events::Event;\n"),
            ("crates/core/src/events.rs", "use std::fmt;\n#[cfg(test)]\nmod tests { use crate::manager::Manager; }\n"),
            ("crates/core/src/notes.md", "use crate::nothing;\n"),
            ("crates/core/tests/all.rs", "use crate::nothing;\n"),
            ("crates/other/src/other.rs", "use crate::nothing;\n"),
        ];
        files.map(|(file, text)| (file.to_owned(), text.to_owned())).into()
    }

    /// Adds a text to the end of a file and returns all findings about the house.
    fn findings(file: &str, more: &str) -> Vec<String> {
        let mut texts = house();
        texts.entry(format!("crates/core/src/{file}")).or_default().push_str(more);
        check(&[HOUSE], &texts).iter().map(ToString::to_string).collect()
    }

    fn finding(file: &str, more: &str) -> String {
        let findings = findings(file, more);
        assert_eq!(findings.len(), 1, "{file}: {more}: {findings:?}");
        findings[0].clone()
    }

    #[test]
    fn the_arrows_of_the_table_pass() {
        assert_eq!(check(&[HOUSE], &house()), []);
    }

    #[test]
    fn an_arrow_that_the_table_lacks_is_found() {
        for (file, more) in [
            ("events.rs", "use crate::request::Request;"),
            ("events/kinds.rs", "pub(crate) use crate::{\n    events,\n    request::{Request, Other},\n};"),
            ("events/mod.rs", "fn f() -> crate::request::Request {}"),
            ("events/kinds/one.rs", "use super::super::super::request;"),
        ] {
            let text = finding(file, more);
            assert!(text.contains("`events` must not import from `request`"), "{text}");
            assert!(text.starts_with(&format!("crates/core/src/{file}:")), "{text}");
            assert!(text.contains("xtask/src/tidy.rs"), "{text}");
        }
    }

    #[test]
    fn an_arrow_is_found_wherever_it_is_drawn() {
        assert_eq!(findings("events.rs", "use crate::request;\nuse crate::request::Request;\n").len(), 2);
    }

    #[test]
    fn an_arrow_that_only_the_table_has_is_found() {
        let mut texts = house();
        texts.insert("crates/core/src/request/mod.rs".to_owned(), "// crate::events\n".to_owned());
        let findings = check(&[HOUSE], &texts);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains("`request` does not import from `events`"), "{findings:?}");
    }

    #[test]
    fn a_path_through_the_face_is_found() {
        for (more, name) in [
            ("use crate::Request;", "Request"),
            ("use crate::{Request, events::Event};", "Request"),
            ("use crate::*;", "*"),
            ("use super::Request;", "Request"),
        ] {
            let text = finding("manager.rs", more);
            assert!(text.contains(&format!("`crate::{name}` does not say which room")), "{text}");
            assert!(text.starts_with("crates/core/src/manager.rs:3: "), "{text}");
        }
    }

    #[test]
    fn the_face_may_import_everything() {
        assert_eq!(findings("lib.rs", "use crate::{manager, events::Event, Anything};"), [""; 0]);
    }

    #[test]
    fn a_room_without_a_row_is_found() {
        for file in ["new.rs", "new/mod.rs", "new/deep/part.rs"] {
            let text = finding(file, "use crate::events::Event;");
            assert!(text.contains("the room `new` has no row"), "{text}");
        }
    }

    #[test]
    fn a_row_without_a_room_is_found() {
        let mut texts = house();
        texts.remove("crates/core/src/manager.rs");
        texts.remove("crates/core/src/manager/builder.rs");
        let findings = check(&[HOUSE], &texts);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains("there is no room `manager`"), "{findings:?}");
    }

    #[test]
    fn a_file_for_tests_only_may_import_everything() {
        let mut texts = house();
        for (file, text) in [
            ("lib.rs", "#[cfg(test)]\nmod doubles;\n"),
            ("doubles.rs", "use crate::manager::Manager;"),
            ("events.rs", "#[cfg(test)]\nmod doubles;\n"),
            ("events/doubles.rs", "use crate::{Request, manager};"),
            ("events/doubles/deep.rs", "use crate::request::Request;"),
        ] {
            texts.insert(format!("crates/core/src/{file}"), text.to_owned());
        }
        assert_eq!(check(&[HOUSE], &texts), []);

        texts.insert("crates/core/src/events/doubles2.rs".to_owned(), "use crate::manager;".to_owned());
        assert_eq!(check(&[HOUSE], &texts).len(), 1);
    }

    #[test]
    fn a_cycle_in_the_table_is_found() {
        const ROOMS: &[Room] =
            &[room("manager", &["request"]), room("request", &["events"]), room("events", &["request"])];
        let findings = check(&[House { rooms: ROOMS, ..HOUSE }], &house());
        assert!(findings[0].what.ends_with("it has a cycle: events -> request -> events"), "{findings:?}");
    }

    #[test]
    fn the_real_table_has_no_cycle_and_no_room_twice() {
        for house in super::super::ROOMS {
            let arrows = house.arrows();
            assert_eq!(heights(&arrows).map(|_| ()), Ok(()));
            assert_eq!(arrows.len(), house.rooms.len(), "{}", house.src);
            for to in arrows.values().copied().flatten() {
                assert!(arrows.contains_key(to), "`{to}` is used but has no row");
            }
        }
    }
}
