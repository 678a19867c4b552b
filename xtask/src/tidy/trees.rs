//! The check for packages that must not be in the dependency tree of a crate, however far down.

use std::collections::{BTreeMap, VecDeque};

use super::Finding;
use crate::workspace::Package;

/// A package, and the packages that must not be in its tree of normal dependencies.
#[derive(Clone, Copy, Debug)]
pub(super) struct Free {
    pub(super) package: &'static str,
    pub(super) of: &'static [&'static str],
}

/// Walks the tree of each package and reports the shortest way to each forbidden package.
///
/// The tree is the one that the whole workspace resolves to, without the optional dependencies of our own packages. One
/// of another package counts as soon as any crate here switches it on.
pub(super) fn check(table: &[Free], packages: &[Package]) -> Vec<Finding> {
    table.iter().flat_map(|free| check_one(free, packages)).collect()
}

fn check_one(free: &Free, packages: &[Package]) -> Vec<Finding> {
    let Some(start) = packages.iter().position(|package| package.name == free.package) else {
        let what = format!("there is no package `{}`; correct the table FREE", free.package);
        return vec![Finding::new("xtask/src/tidy.rs", what)];
    };
    let mut reached_from = BTreeMap::from([(start, start)]);
    let mut waiting = VecDeque::from([start]);
    let mut findings = Vec::new();
    while let Some(at) = waiting.pop_front() {
        if free.of.iter().any(|pattern| matches(pattern, &packages[at].name)) {
            findings.push(Finding::new(
                free.package,
                format!(
                    "its tree must stay free of `{}`, which comes in by {}; use another crate or fewer features, \
                     or change the table FREE in xtask/src/tidy.rs",
                    packages[at].name,
                    way(at, start, &reached_from, packages)
                ),
            ));
            // Everything below comes in by the same way.
            continue;
        }
        for &next in &packages[at].uses {
            reached_from.entry(next).or_insert_with(|| {
                waiting.push_back(next);
                at
            });
        }
    }
    findings
}

fn matches(pattern: &str, name: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == name, |prefix| name.starts_with(prefix))
}

fn way(to: usize, start: usize, reached_from: &BTreeMap<usize, usize>, packages: &[Package]) -> String {
    let mut names = vec![packages[to].name.as_str()];
    let mut at = to;
    while at != start {
        at = reached_from.get(&at).copied().unwrap_or(start);
        names.push(&packages[at].name);
    }
    names.reverse();
    names.join(" -> ")
}

#[cfg(test)]
mod tests {
    use cargo_metadata::semver::Version;

    use super::*;

    /// Builds core -> log -> tokio, core -> wrap -> tower-layer -> tower-service, and axum beside them.
    fn packages() -> Vec<Package> {
        let package = |name: &str, uses: &[usize]| Package {
            name: name.to_owned(),
            version: Version::new(1, 0, 0),
            rust_version: None,
            uses: uses.to_vec(),
        };
        vec![
            package("core", &[1, 3]),
            package("log", &[2]),
            package("tokio", &[1]),
            package("wrap", &[4]),
            package("tower-layer", &[5]),
            package("tower-service", &[]),
            package("axum", &[0]),
        ]
    }

    #[test]
    fn a_forbidden_package_is_found_with_the_way_to_it() {
        let findings = check(&[Free { package: "core", of: &["tower*"] }], &packages());
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert!(findings[0].what.contains("core -> wrap -> tower-layer;"), "{findings:?}");
    }

    #[test]
    fn packages_beside_or_above_are_not_in_the_tree() {
        assert_eq!(check(&[Free { package: "core", of: &["axum*", "tok", "core2*"] }], &packages()), []);
    }

    #[test]
    fn a_package_that_was_renamed_is_found() {
        let findings = check(&[Free { package: "cor", of: &["http"] }], &packages());
        assert!(findings[0].what.contains("no package `cor`"), "{findings:?}");
    }
}
