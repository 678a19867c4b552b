//! The check of what each of our crates must have: a crate doc, a description, the workspace's lints, and a line in the
//! README.

use std::{fs, path::Path};

use super::Finding;
use crate::{
    error::{Error, Result},
    workspace::Member,
};

/// Checks the manifest and the entry file of each crate, and the README.
pub(super) fn check(root: &Path, members: &[Member]) -> Result<Vec<Finding>> {
    let readme = if root.join("README.md").exists() { read(root, Path::new("README.md"))? } else { String::new() };
    let mut findings = Vec::new();
    for member in members {
        let manifest = member.dir.join("Cargo.toml");
        if !inherits_lints(&read(root, &manifest)?) {
            let what = "add `[lints]` with `workspace = true`, so that every crate has the same lints";
            findings.push(Finding::new(manifest.display().to_string(), what));
        }
        if member.description.as_deref().is_none_or(|text| text.trim().is_empty()) {
            findings.push(Finding::new(manifest.display().to_string(), "add a `description`"));
        }
        if !member.dir.starts_with("crates") {
            continue;
        }
        if !starts_with_doc(&read(root, &member.entry)?) {
            let what = "start the file with the crate's doc, `//! …`";
            findings.push(Finding::new(member.entry.display().to_string(), what));
        }
        if !has_table_row(&readme, &member.name) {
            findings.push(Finding::new("README.md", format!("add a row for `{}` to the table of crates", member.name)));
        }
    }
    Ok(findings)
}

fn read(root: &Path, file: &Path) -> Result<String> {
    let path = root.join(file);
    fs::read_to_string(&path).map_err(|source| Error::Read { path, source })
}

fn inherits_lints(manifest: &str) -> bool {
    let mut section = "";
    manifest.lines().map(|line| line.split('#').next().unwrap_or(line).trim()).any(|line| {
        if line.starts_with('[') {
            section = line;
        }
        let setting = line.replace(' ', "");
        (section == "[lints]" && setting == "workspace=true")
            || (section.is_empty() && setting == "lints.workspace=true")
    })
}

fn starts_with_doc(source: &str) -> bool {
    let first = source.lines().map(str::trim).find(|line| !line.is_empty());
    first.is_some_and(|line| line.starts_with("//!") || line.starts_with("#![doc ="))
}

/// Returns whether a row of any Markdown table has `name` as a whole word.
fn has_table_row(markdown: &str, name: &str) -> bool {
    let in_a_name = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let rows = markdown.lines().filter(|line| line.trim_start().starts_with('|'));
    rows.flat_map(|row| row.split(|c| !in_a_name(c))).any(|word| word == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lints_are_inherited_in_their_own_section_only() {
        let cases = [
            ("[lints]\nworkspace = true\n", true),
            ("[package]\nname = \"x\"\n\n[lints] # ours\nworkspace=true", true),
            ("lints.workspace = true\n[package]", true),
            ("[lints]\n\n[dependencies]\nworkspace = true", false),
            ("[lints.clippy]\nworkspace = true", false),
            ("[lints]\n# workspace = true", false),
            ("[package]\nlints.workspace = true", false),
        ];
        for (manifest, expected) in cases {
            assert_eq!(inherits_lints(manifest), expected, "{manifest}");
        }
    }

    #[test]
    fn the_crate_doc_comes_first() {
        let cases = [
            ("//! A crate.\n", true),
            ("\n#![doc = include_str!(\"../README.md\")]\n", true),
            ("mod a;\n//! A crate.\n", false),
            ("/// An item.\n", false),
            ("", false),
        ];
        for (source, expected) in cases {
            assert_eq!(starts_with_doc(source), expected, "{source}");
        }
    }

    #[test]
    fn the_readme_names_a_crate_in_a_row_as_a_whole_word() {
        let readme = "| crate |\n| --- |\n| [`nexios-store-file`](crates/store-file) |\n\n`nexios-signer` signs.\n";
        assert!(has_table_row(readme, "nexios-store-file"));
        for missing in ["nexios-store", "nexios-signer"] {
            assert!(!has_table_row(readme, missing), "{missing}");
        }
    }

    #[test]
    fn a_crate_that_lacks_everything_has_a_finding_for_each() {
        let root = tempfile::tempdir().unwrap();
        let member = Member { description: None, ..Member::named("nexios-x") };
        fs::create_dir_all(root.path().join("crates/x/src")).unwrap();
        fs::write(root.path().join("crates/x/Cargo.toml"), "[package]\n").unwrap();
        fs::write(root.path().join("crates/x/src/lib.rs"), "mod a;\n").unwrap();

        let findings = check(root.path(), &[member]).unwrap();
        let places: Vec<&str> = findings.iter().map(|finding| finding.place.as_str()).collect();
        assert_eq!(places, ["crates/x/Cargo.toml", "crates/x/Cargo.toml", "crates/x/src/lib.rs", "README.md"]);
    }
}
