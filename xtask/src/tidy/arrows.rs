//! The check of the table of arrows between our crates.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, heights::heights};
use crate::workspace::Member;

/// The place that a finding sends its reader to.
const TABLE: &str = "the table ARROWS in xtask/src/tidy.rs";

/// One crate's line in the table.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row {
    from: &'static str,
    uses: Uses,
    tests_use: &'static [&'static str],
}

#[derive(Clone, Copy, Debug)]
enum Uses {
    /// Exactly these.
    These(&'static [&'static str]),
    /// Any number of others.
    Anything,
}

/// Makes the row of a crate that depends on exactly `uses`.
pub(super) const fn row(from: &'static str, uses: &'static [&'static str]) -> Row {
    Row { from, uses: Uses::These(uses), tests_use: &[] }
}

/// Makes the row of a crate on which none depends, and which may depend on every other.
pub(super) const fn anything(from: &'static str) -> Row {
    Row { from, uses: Uses::Anything, tests_use: &[] }
}

impl Row {
    /// Lets the tests of this crate depend on crates that are not lower.
    pub(super) const fn tests(self, tests_use: &'static [&'static str]) -> Self {
        Self { tests_use, ..self }
    }

    fn arrows(&self) -> &'static [&'static str] {
        match self.uses {
            Uses::These(uses) => uses,
            Uses::Anything => &[],
        }
    }
}

/// Compares the table with the manifests, both ways.
pub(super) fn check(table: &[Row], members: &[Member]) -> Vec<Finding> {
    let heights = match crate_heights(table) {
        Ok(heights) => heights,
        Err(cycle) => return vec![Finding::new(TABLE, format!("it has a cycle: {}", cycle.join(" -> ")))],
    };
    let rows: BTreeMap<&str, &Row> = table.iter().map(|row| (row.from, row)).collect();
    let existing: BTreeSet<&str> = members.iter().map(|member| member.name.as_str()).collect();
    let mut findings = Vec::new();
    for member in members {
        let manifest = member.dir.join("Cargo.toml").display().to_string();
        let from = member.name.as_str();
        let Some(row) = rows.get(from) else {
            findings.push(Finding::new(manifest, format!("`{from}` has no row; add one to {TABLE}")));
            continue;
        };
        let Uses::These(allowed) = row.uses else { continue };
        for to in member.uses.iter().filter(|to| !allowed.contains(&to.as_str())) {
            findings.push(Finding::new(
                &manifest,
                format!("`{from}` must not depend on `{to}`; if it must, change {TABLE} and say why"),
            ));
        }
        for to in allowed.iter().filter(|to| existing.contains(**to) && !member.uses.contains(**to)) {
            findings.push(Finding::new(
                &manifest,
                format!("`{from}` does not depend on `{to}`, but its row says so; take it out of {TABLE}"),
            ));
        }
        for to in &member.tests_use {
            let lower = heights.get(to.as_str()) < heights.get(from);
            if !lower && !row.tests_use.contains(&to.as_str()) {
                findings.push(Finding::new(
                    &manifest,
                    format!("the tests of `{from}` must not depend on `{to}`, which is not lower; see {TABLE}"),
                ));
            }
        }
    }
    findings
}

/// Returns how far each crate stands above the roots. Crates that may use anything are on top.
fn crate_heights(table: &[Row]) -> Result<BTreeMap<&'static str, usize>, Vec<&'static str>> {
    let mut heights = heights(&table.iter().map(|row| (row.from, row.arrows())).collect())?;
    let top = heights.values().max().map_or(0, |highest| highest + 1);
    heights.extend(table.iter().filter(|row| matches!(row.uses, Uses::Anything)).map(|row| (row.from, top)));
    Ok(heights)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[Row] = &[
        row("root", &[]),
        row("store", &["root"]).tests(&["kit"]),
        row("kit", &["root"]),
        row("core", &["root", "planned"]),
        row("planned", &["root"]),
        anything("demo"),
    ];

    fn member(name: &str, uses: &[&str], tests_use: &[&str]) -> Member {
        let set = |names: &[&str]| names.iter().map(ToString::to_string).collect();
        Member { uses: set(uses), tests_use: set(tests_use), ..Member::named(name) }
    }

    fn house() -> Vec<Member> {
        vec![
            member("root", &[], &[]),
            member("store", &["root"], &["kit", "root"]),
            member("kit", &["root"], &[]),
            member("core", &["root"], &["store", "kit"]),
            member("demo", &["root", "core"], &["store"]),
        ]
    }

    /// Makes a change to the house and returns the one finding about it.
    fn finding(change: impl FnOnce(&mut Vec<Member>)) -> String {
        let mut members = house();
        change(&mut members);
        let findings = check(TABLE, &members);
        assert_eq!(findings.len(), 1, "{findings:?}");
        findings[0].to_string()
    }

    #[test]
    fn the_arrows_of_the_table_pass() {
        assert_eq!(check(TABLE, &house()), []);
    }

    #[test]
    fn an_arrow_that_the_table_lacks_is_found() {
        let text = finding(|house| house[1] = member("store", &["root", "kit"], &[]));
        assert!(text.starts_with("crates/store/Cargo.toml: `store` must not depend on `kit`"), "{text}");
        assert!(text.contains("xtask/src/tidy.rs"), "{text}");
    }

    #[test]
    fn an_arrow_that_only_the_table_has_is_found() {
        let text = finding(|house| house[1] = member("store", &[], &[]));
        assert!(text.contains("`store` does not depend on `root`"), "{text}");
    }

    #[test]
    fn a_row_may_name_a_crate_that_does_not_exist_yet() {
        assert!(!house().iter().any(|member| member.name == "planned"));
        let text = finding(|house| house.push(member("planned", &["root"], &[])));
        assert!(text.contains("`core` does not depend on `planned`"), "{text}");
    }

    #[test]
    fn tests_may_go_down_but_neither_up_nor_sideways() {
        for (from, to) in [("root", "store"), ("root", "demo"), ("kit", "store"), ("core", "demo")] {
            let text = finding(|house| {
                if let Some(it) = house.iter_mut().find(|it| it.name == from) {
                    it.tests_use.insert(to.to_owned());
                }
            });
            assert!(text.contains(&format!("the tests of `{from}` must not depend on `{to}`")), "{text}");
        }
    }

    #[test]
    fn a_crate_without_a_row_is_found() {
        let text = finding(|house| house.push(member("new", &["root"], &[])));
        assert!(text.contains("`new` has no row"), "{text}");
    }

    #[test]
    fn a_cycle_in_the_table_is_found() {
        let table = &[row("a", &["b"]), row("b", &["c"]), row("c", &["b"])];
        let findings = check(table, &[]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].to_string().ends_with("it has a cycle: b -> c -> b"), "{findings:?}");
    }

    #[test]
    fn the_real_table_has_no_cycle_and_no_crate_twice() {
        let table = super::super::ARROWS;
        assert!(crate_heights(table).is_ok());
        assert_eq!(table.iter().map(|row| row.from).collect::<BTreeSet<_>>().len(), table.len());
        for to in table.iter().flat_map(|row| row.arrows().iter().chain(row.tests_use)) {
            assert!(table.iter().any(|row| row.from == *to), "`{to}` is used but has no row");
        }
    }
}
