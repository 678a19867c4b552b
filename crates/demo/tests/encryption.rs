//! The content of the session directory, and what becomes of it when encryption is switched on or off or keys change.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod program;

use std::fs;
use std::path::{Path, PathBuf};

use program::{Browser, Framework, KEY, Program, sessions};

on_both! {
    values_are_unreadable_on_disk_unless_encryption_is_off
    switching_encryption_starts_fresh_and_keeps_old_records
    a_change_of_keys_logs_nobody_out
}

const ON: &[(&str, &str)] = &[];
const OFF: &[(&str, &str)] = &[("SESSION_ENCRYPT", "false")];

fn values_are_unreadable_on_disk_unless_encryption_is_off(framework: Framework) {
    for (settings, readable) in [(ON, false), (OFF, true)] {
        let (_parent, dir) = sessions();
        let program = Program::start(framework, &dir, settings);
        let mut visitor = Browser::new(&program);
        visitor.post("/session/diagnosis", r#""hush-hush""#);
        visitor.post("/login", r#"{"user": "ada.lovelace"}"#);
        visitor.post("/session/more", r#"["hush-hush"]"#);
        assert!(visitor.get("/session").body.contains("hush-hush"));
        for secret in ["hush-hush", "diagnosis", "ada.lovelace"] {
            let is_found = files(&dir).iter().any(|(_, content)| contains(content, secret));
            assert_eq!(is_found, readable, "{secret}, with {settings:?}");
        }
    }
}

fn switching_encryption_starts_fresh_and_keeps_old_records(framework: Framework) {
    for (first, then) in [(OFF, ON), (ON, OFF)] {
        let (_parent, dir) = sessions();
        let before = Program::start(framework, &dir, first);
        let mut visitor = Browser::new(&before);
        visitor.post("/login", r#"{"user": "ada"}"#);
        drop(before);
        let records = files(&dir);
        assert!(records.iter().any(|(path, _)| contains(path.as_os_str().as_encoded_bytes(), id(&visitor))));

        let after = Program::start(framework, &dir, then);
        let mut again = visitor.at(&after);
        let seen = again.get("/session");
        assert_eq!((seen.status, &*seen.body), (200, "{}"));
        assert_eq!(again.post("/increment/n", "").body, "1");
        assert_ne!(id(&again), id(&visitor), "the new session has an id of its own");
        assert_eq!(again.get("/session").body, r#"{"n":1}"#);
        drop(after);

        let now = files(&dir);
        assert!(records.iter().all(|record| now.contains(record)), "every file is as it was, where it was");
        let once_more = Program::start(framework, &dir, first);
        assert_eq!(visitor.at(&once_more).get("/session/user").body, r#""ada""#);
    }
}

fn a_change_of_keys_logs_nobody_out(framework: Framework) {
    const NEW_KEY: &str = "fedcba9876543210fedcba9876543210";
    let (_parent, dir) = sessions();
    let with_the_old = Program::start(framework, &dir, &[]);
    let mut visitor = Browser::new(&with_the_old);
    visitor.post("/login", r#"{"user": "ada"}"#);
    assert_eq!(visitor.post("/increment/n", "").body, "1");
    for (keys, number) in [(format!("{NEW_KEY},{KEY}"), "2"), (NEW_KEY.to_owned(), "3")] {
        let program = Program::start(framework, &dir, &[("SECRET_KEY", &keys)]);
        visitor = visitor.at(&program);
        assert_eq!(visitor.post("/increment/n", "").body, number);
        assert_eq!(visitor.get("/session/user").body, r#""ada""#);
    }
    assert_eq!(visitor.at(&with_the_old).get("/session").body, "{}", "the old key opens nothing any more");
}

/// The id in a visitor's cookie.
fn id(visitor: &Browser) -> &str {
    visitor.cookie.as_ref().unwrap().split(['=', '.']).nth(1).unwrap()
}

/// All files below a directory, with their contents.
fn files(dir: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    let mut unread = vec![dir.to_owned()];
    while let Some(next) = unread.pop() {
        for entry in fs::read_dir(next).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() { unread.push(path) } else { files.push((path.clone(), fs::read(path).unwrap())) }
        }
    }
    files
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}
