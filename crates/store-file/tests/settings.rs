//! Settings mean the same in variables and in files, and errors say what to do.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests may, as tests do")]

use std::fs;
use std::os::unix::ffi::OsStringExt;

use nexios_settings::Vars;
use nexios_store_file::{Durability, FileStore, FileStoreBuilder, FileStoreConfig};

fn from_vars<const N: usize>(vars: [(&str, &str); N]) -> Result<FileStoreConfig, String> {
    FileStoreConfig::from_vars(&Vars::from_iter(vars)).map_err(|error| error.to_string())
}

#[test]
fn variables_have_defaults() {
    let config = from_vars([]).unwrap();
    assert_eq!((config.dir.to_str(), config.durability), (Some("sessions"), Durability::Fast));
    assert_eq!(config, FileStoreConfig::default());
    let config = from_vars([("SESSION_DIR", "/var/lib/app"), ("SESSION_DURABILITY", "synced")]).unwrap();
    assert_eq!((config.dir.to_str(), config.durability), (Some("/var/lib/app"), Durability::Synced));
}

#[test]
fn a_wrong_value_is_an_error_that_names_the_setting() {
    let not_allowed = |value| format!("SESSION_DURABILITY is `{value}`, but must be fast or synced");
    for (name, value, message) in [
        ("SESSION_DIR", "", "SESSION_DIR is set but empty".to_owned()),
        ("SESSION_DURABILITY", "", "SESSION_DURABILITY is set but empty".to_owned()),
        ("SESSION_DURABILITY", "Fast", not_allowed("Fast")),
        ("SESSION_DURABILITY", "sync", not_allowed("sync")),
        ("SESSION_DURABILITY", "true", not_allowed("true")),
        ("SESSION_DURABILITY", " fast", not_allowed(" fast")),
    ] {
        assert_eq!(from_vars([(name, value)]), Err(message.clone()));
        assert_eq!(FileStore::from_vars(&Vars::from_iter([(name, value)])).unwrap_err().to_string(), message);
    }
}

#[test]
fn a_directory_need_not_be_unicode() {
    let dir = std::ffi::OsString::from_vec(vec![b's', 0xff]);
    let config = FileStoreConfig::from_vars(&Vars::from_iter([("SESSION_DIR", dir.clone())])).unwrap();
    assert_eq!(config.dir, dir);
}

#[test]
fn a_file_has_the_same_settings() {
    let parse = |json| serde_json::from_str::<FileStoreConfig>(json).map_err(|error| error.to_string());
    let config = parse(r#"{"dir": "/var/lib/app", "durability": "synced"}"#).unwrap();
    assert_eq!(from_vars([("SESSION_DIR", "/var/lib/app"), ("SESSION_DURABILITY", "synced")]), Ok(config));
    assert_eq!(parse("{}"), Ok(FileStoreConfig::default()));
    let message = parse(r#"{"durability": "sync"}"#).unwrap_err();
    assert!(message.starts_with(r#"invalid value: string "sync", expected fast or synced"#), "{message}");
    let message = parse(r#"{"path": "x"}"#).unwrap_err();
    assert!(message.starts_with("unknown field `path`, expected `dir` or `durability`"), "{message}");
}

#[test]
fn a_directory_that_cannot_be_used_is_named_with_the_reason() {
    let parent = tempfile::tempdir().unwrap();
    let file = parent.path().join("file");
    fs::write(&file, "").unwrap();
    let link = parent.path().join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for (dir, problem) in [
        (file.clone(), "which is not a directory"),
        (file.join("below"), "which is not a directory"),
        (link, "which does not exist and cannot be made: File exists (os error 17)"),
        ("/proc/sessions".into(), "which does not exist and cannot be made: No such file or directory (os error 2)"),
    ] {
        let vars = Vars::from_iter([("SESSION_DIR", &dir)]);
        let error = FileStore::from_vars(&vars).unwrap_err();
        assert_eq!(error.to_string(), format!("SESSION_DIR is `{}`, {problem}", dir.display()));
    }
    let error = FileStore::open("").unwrap_err();
    assert_eq!(error.to_string(), "SESSION_DIR is empty, but must name a directory");
}

#[test]
fn a_config_can_be_opened_with_further_options() {
    let parent = tempfile::tempdir().unwrap();
    let mut config = FileStoreConfig::default();
    config.dir = parent.path().join("sessions");
    let store = FileStoreBuilder::from(config.clone()).inline_reads(true).open().unwrap();
    let shown = format!("{store:?}");
    let expected = format!("FileStore {{ dir: {:?}, durability: Fast, inline_reads: true, .. }}", config.dir);
    assert_eq!(shown, expected);
}
