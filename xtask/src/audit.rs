//! `cargo xtask audit`: checks the licences and sources of the dependencies, and looks for known advisories.
//!
//! The programs and the advisory data do not come with Rust, so `ci` leaves this task out. A check that cannot run is
//! reported loudly, but it does not fail the task.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use time::{Date, Month, OffsetDateTime};

use crate::{
    command_line::CommandLine,
    error::{Error, Result},
};

/// The variable with the path of the advisory data, used if there is no `--db`.
const DATA_VARIABLE: &str = "ADVISORY_DB";

/// Runs the checks for which the programs and the data are there.
pub(crate) fn run(root: &Path, args: &[String]) -> Result<()> {
    let data = match args {
        [] => env::var_os(DATA_VARIABLE).map(PathBuf::from),
        [flag, path] if flag == "--db" => Some(PathBuf::from(path)),
        _ => return Err(Error::Usage("audit takes `--db PATH`, or nothing".to_owned())),
    };
    check_policy(root)?;
    check_advisories(root, data.as_deref())
}

/// Checks licences, bans and sources, which need no data.
fn check_policy(root: &Path) -> Result<()> {
    if !CommandLine::cargo("deny --version", root).succeeds() {
        not_checked("licences, bans and sources", "cargo-deny is missing; `cargo install cargo-deny` brings it");
        return Ok(());
    }
    CommandLine::cargo("deny check licenses bans sources", root).run()
}

fn check_advisories(root: &Path, data: Option<&Path>) -> Result<()> {
    let Some(data) = data else {
        let how =
            format!("clone https://github.com/rustsec/advisory-db and give its path with --db or {DATA_VARIABLE}");
        not_checked("advisories", &how);
        return Ok(());
    };
    let Some(newest) = newest_advisory(&data.join("crates"))? else {
        not_checked("advisories", &format!("{} holds none", data.display()));
        return Ok(());
    };
    let age = (OffsetDateTime::now_utc().date() - newest).whole_days();
    println!("advisory data: {}, newest of {newest}, {age} days old", data.display());

    if !CommandLine::cargo("audit --version", root).succeeds() {
        not_checked("advisories", "cargo-audit is missing; `cargo install cargo-audit` brings it");
        return Ok(());
    }
    let policy = root.join("deny.toml");
    let policy = fs::read_to_string(&policy).map_err(|source| Error::Read { path: policy, source })?;
    let accepted = accepted_advisories(&policy).into_iter().flat_map(|id| ["--ignore", id]);
    CommandLine::cargo("audit --no-fetch --stale --deny warnings --db", root)
        .args([data.display().to_string()])
        .args(accepted)
        .run()
}

fn not_checked(what: &str, why: &str) {
    println!("\n!!! NOT CHECKED: {what}: {why}\n");
}

/// Returns the advisories that `deny.toml` accepts. No other file lists them.
fn accepted_advisories(policy: &str) -> Vec<&str> {
    let entries = policy.lines().map(str::trim).filter(|line| line.starts_with("{ id = "));
    entries.filter_map(|line| line.split('"').nth(1)).collect()
}

/// Returns the date of the newest advisory in a folder, which has a folder for each crate.
fn newest_advisory(dir: &Path) -> Result<Option<Date>> {
    let Ok(entries) = fs::read_dir(dir) else { return Ok(None) };
    let mut newest = None;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let date = if path.is_dir() {
            newest_advisory(&path)?
        } else {
            date(&fs::read_to_string(&path).map_err(|source| Error::Read { path, source })?)
        };
        newest = newest.max(date);
    }
    Ok(newest)
}

/// Reads the date of an advisory, from a line like `date = "2026-08-20"`.
fn date(advisory: &str) -> Option<Date> {
    let text = advisory.lines().find_map(|line| line.strip_prefix("date = \"")?.strip_suffix('"'))?;
    let mut parts = text.splitn(3, '-');
    let year = parts.next()?.parse().ok()?;
    let month: u8 = parts.next()?.parse().ok()?;
    let day = parts.next()?.parse().ok()?;
    Date::from_calendar_date(year, Month::try_from(month).ok()?, day).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_advisory_dates_the_data() {
        let root = tempfile::tempdir().unwrap();
        assert_eq!(newest_advisory(&root.path().join("missing")).unwrap(), None);

        for (name, day) in [("a", 19), ("b", 20), ("c", 18)] {
            let dir = root.path().join(name);
            fs::create_dir(&dir).unwrap();
            fs::write(dir.join("RUSTSEC-2026-0001.md"), format!("[advisory]\ndate = \"2026-08-{day}\"\n")).unwrap();
        }
        let newest = newest_advisory(root.path()).unwrap().map(|date| date.to_string());
        assert_eq!(newest.as_deref(), Some("2026-08-20"));
    }

    #[test]
    fn a_text_without_a_valid_date_has_none() {
        for text in ["", "date = 2026-08-20", "date = \"2026-13-01\"", "date = \"2026-08\""] {
            assert_eq!(date(text), None, "{text}");
        }
    }

    #[test]
    fn advisories_in_the_policy_are_accepted() {
        let policy = include_str!("../../deny.toml");
        assert!(accepted_advisories(policy).contains(&"RUSTSEC-2025-0141"));
        assert_eq!(accepted_advisories("# { id = \"RUSTSEC-2000-0001\" }\nignore = []\n"), [""; 0]);
    }
}
