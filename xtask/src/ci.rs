//! `cargo xtask ci`: runs every check that a change must pass, in order, and stops at the first failure.

use std::path::Path;

use crate::{
    bench,
    command_line::CommandLine,
    error::Result,
    progress::Progress,
    test, tidy,
    workspace::{Member, Workspace},
};

/// Runs every step and prints a summary.
pub(crate) fn run(root: &Path, _args: &[String]) -> Result<()> {
    let mut progress = Progress::start();
    progress.step("fmt", || CommandLine::cargo("fmt --all --check", root).run())?;
    progress.step("clippy", || {
        CommandLine::cargo("clippy --workspace --all-targets --all-features -- -D warnings", root).run()
    })?;
    progress.step("test", || test::run(root, &[]))?;
    progress.step("docs", || {
        CommandLine::cargo("doc --workspace --no-deps --all-features", root).env("RUSTDOCFLAGS", "-D warnings").run()
    })?;
    progress.step("features", || {
        let members = Workspace::load(root)?.members;
        members.iter().flat_map(each_feature_alone).try_for_each(|args| CommandLine::cargo(&args, root).run())
    })?;
    progress.step("release", || CommandLine::cargo("build --release --workspace --bins --examples", root).run())?;
    progress.step("bench", || bench::check(root))?;
    progress.step("tidy", || tidy::run(root, &[]))?;

    println!("\n{}\nxtask ci: OK", progress.summary());
    Ok(())
}

/// Returns cargo's arguments to check a package by itself: without features, then with each feature alone.
///
/// In a build of the whole workspace, a crate that forgot to ask for a feature gets it from another crate. A user who
/// takes the first crate alone gets the error. So packages without features are checked too.
// Clippy instead of `cargo check`: it can refuse warnings without building all dependencies again, and code that a
// missing feature leaves unused is only a warning.
fn each_feature_alone(member: &Member) -> Vec<String> {
    let features = member.features.iter().map(|feature| format!(" --features {feature}"));
    std::iter::once(String::new())
        .chain(features)
        .map(|features| format!("clippy --package {} --no-default-features{features} -- -D warnings", member.name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_feature_is_checked_alone() {
        let member = Member { features: vec!["default".into(), "json".into()], ..Member::named("nexios-x") };
        assert_eq!(
            each_feature_alone(&member),
            [
                "clippy --package nexios-x --no-default-features -- -D warnings",
                "clippy --package nexios-x --no-default-features --features default -- -D warnings",
                "clippy --package nexios-x --no-default-features --features json -- -D warnings",
            ]
        );
    }
}
