//! The documentation keeps its promises: its examples compile, and the tests that it names exist.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use nexios_signer::KeyRing;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Each adapter compiles its example, which README.md and the adapter's crate documentation show.
#[test]
fn the_readmes_examples_are_those_that_compile() {
    for (adapter, name) in [("crates/adapter-axum", "hits-axum"), ("crates/adapter-actix", "hits-actix")] {
        let example = read(&format!("{adapter}/examples/{name}.rs"));
        let (_, code) = example.split_once("\n\n").unwrap();
        assert!(read("README.md").contains(&format!("```rust\n{code}```\n")), "README.md: {adapter}");
        let as_doc: String = code.lines().map(|line| format!("//! {line}").trim_end().to_owned() + "\n").collect();
        assert!(read(&format!("{adapter}/src/lib.rs")).contains(&as_doc), "the crate doc of {adapter}");
        let lines = code.lines().filter(|line| !line.trim().is_empty()).count();
        assert!(lines <= 20, "15 lines and the imports, not {lines}: {adapter}");
    }
}

/// Each test that a table names is a function somewhere in the workspace.
#[test]
fn every_test_that_the_docs_name_exists() {
    let tests = tests_in(&root());
    for page in ["docs/spec.md", "docs/lifecycle.md", "docs/threat-model.md"] {
        let mut named = 0;
        for row in read(page).lines().filter(|line| line.starts_with('|')) {
            let Some(column) = row.trim_end_matches(['|', ' ']).rsplit('|').next() else { continue };
            for name in column.split('`').skip(1).step_by(2) {
                let name = name.rsplit([':', ' ']).next().unwrap();
                // `headers::tests` names a module. Every other name with this many words is a test.
                if name.matches('_').count() >= 2 {
                    named += 1;
                    assert!(tests.contains(name), "{page} names `{name}`, which is no test");
                }
            }
        }
        assert!(named > 10, "{page} names tests");
    }
}

/// Each file that the specification gives as the place of a row is in the crate that the row names before it.
#[test]
fn every_file_that_the_specification_names_exists() {
    let mut named = 0;
    for row in read("docs/spec.md").lines().filter(|line| line.starts_with('|')) {
        let Some(place) = row.rsplit('|').nth(2) else { continue };
        let mut sources = Vec::new();
        for name in place.split('`').skip(1).step_by(2) {
            if name.ends_with(".rs") {
                named += 1;
                let is_there = sources.iter().any(|source: &PathBuf| source.ends_with(name));
                assert!(is_there, "docs/spec.md names {name}, which is not in the crate before it: {place}");
            } else if root().join("crates").join(name).is_dir() {
                sources = files_in(&root().join("crates").join(name).join("src"));
            }
        }
    }
    assert!(named > 20, "the specification names files");
}

/// A key that is printed anywhere is copied into somebody's settings.
#[test]
fn no_key_that_the_docs_print_can_be_used() {
    let mut pages = files_in(&root().join("docs"));
    pages.extend([root().join("README.md"), root().join("CHANGELOG.md")]);
    for entry in fs::read_dir(root().join("crates")).unwrap() {
        pages.extend(files_in(&entry.unwrap().path().join("src")));
    }
    let mut refused = 0;
    for page in pages {
        let Ok(text) = fs::read_to_string(&page) else { continue };
        let is_source = page.extension().is_some_and(|extension| extension == "rs");
        let is_shown = |line: &&str| !is_source || line.starts_with("///") || line.starts_with("//!");
        for line in text.lines().map(str::trim_start).filter(is_shown) {
            for word in line.split(|c: char| c.is_whitespace() || "\"`'(),=\\".contains(c)) {
                // A session id and a fingerprint are hexadecimal, and names of tests and paths are words.
                let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit());
                let is_random = word.bytes().any(|byte| byte.is_ascii_digit())
                    && word.bytes().any(|byte| byte.is_ascii_uppercase())
                    && word.bytes().any(|byte| byte.is_ascii_lowercase());
                if word.len() >= 32 && is_random && !is_hex && !word.contains(['_', '.', '#', '<']) {
                    refused += 1;
                    assert!(
                        KeyRing::from_text(word).is_err(),
                        "{} shows a key that could be used: {word}",
                        page.display()
                    );
                }
            }
        }
    }
    assert!(refused > 0, "the documentation of `Key` shows one that cannot");
}

fn files_in(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    paths.flat_map(|path| if path.is_dir() { files_in(&path) } else { vec![path] }).collect()
}

fn tests_in(folder: &Path) -> BTreeSet<String> {
    let mut tests = BTreeSet::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let (path, name) = (entry.path(), entry.file_name());
        if path.is_dir() && name != "target" && name != ".git" {
            tests.extend(tests_in(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let source = fs::read_to_string(&path).unwrap();
            for line in source.lines().map(str::trim_start) {
                // The cases of the matrix are `pub(crate)`, so that `main.rs` can make tests of them.
                let line = line.strip_prefix("pub(crate) ").unwrap_or(line);
                let Some((before, after)) = line.split_once("fn ") else { continue };
                let is_function = before.split_whitespace().all(|word| word == "async" || word.starts_with("pub"));
                if let Some((name, _)) = after.split_once('(').filter(|_| is_function) {
                    tests.insert(name.to_owned());
                }
            }
        }
    }
    tests
}
