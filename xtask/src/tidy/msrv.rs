//! The check of the oldest Rust that the workspace claims, against the claims of its dependencies.

use cargo_metadata::semver::Version;

use super::Finding;
use crate::workspace::Workspace;

/// Finds packages that need a newer Rust than our oldest claim, and crates of ours that claim none.
pub(super) fn check(workspace: &Workspace) -> Vec<Finding> {
    let silent = workspace.members.iter().filter(|member| member.rust_version.is_none());
    let mut findings: Vec<Finding> = silent
        .map(|member| {
            Finding::new(member.dir.join("Cargo.toml").display().to_string(), "add `rust-version.workspace = true`")
        })
        .collect();
    let Some(ours) = workspace.members.iter().filter_map(|member| member.rust_version.as_ref()).min() else {
        return findings;
    };
    for package in &workspace.packages {
        let theirs = package.rust_version.as_ref().filter(|theirs| needs_newer(theirs, ours));
        if let Some(theirs) = theirs {
            findings.push(Finding::new(
                "Cargo.lock",
                format!(
                    "{} {} needs Rust {theirs}, we claim {ours}; take an older version \
                     (`cargo update --precise`), or raise `rust-version` at the root and say so in the changelog",
                    package.name, package.version
                ),
            ));
        }
    }
    findings
}

/// Compares versions as cargo does: a pre-release counts as its release.
fn needs_newer(theirs: &Version, ours: &Version) -> bool {
    (theirs.major, theirs.minor, theirs.patch) > (ours.major, ours.minor, ours.patch)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Member, Package};

    fn package(rust_version: Option<Version>) -> Package {
        Package { name: "dep".to_owned(), version: Version::new(2, 3, 4), rust_version, uses: Vec::new() }
    }

    #[test]
    fn a_dependency_may_need_our_rust_or_an_older_one() {
        let cases = [
            (None, 0),
            (Some(Version::new(1, 60, 0)), 0),
            (Some(Version::new(1, 95, 0)), 0),
            (Some(Version::new(1, 95, 1)), 1),
            (Some(Version::new(1, 96, 0)), 1),
        ];
        for (theirs, expected) in cases {
            let workspace =
                Workspace { members: vec![Member::named("nexios-x")], packages: vec![package(theirs.clone())] };
            assert_eq!(check(&workspace).len(), expected, "{theirs:?}");
        }
    }

    #[test]
    fn a_crate_of_ours_that_claims_no_rust_is_found() {
        let silent = Member { rust_version: None, ..Member::named("nexios-x") };
        let findings = check(&Workspace { members: vec![silent], packages: Vec::new() });
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].place, "crates/x/Cargo.toml");
    }
}
