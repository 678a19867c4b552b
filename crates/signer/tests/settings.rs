//! The settings `SECRET_KEY` and `SECRET_KEY_FILE`.

#![allow(clippy::unwrap_used, reason = "helpers of tests are tests")]

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;
use std::path::PathBuf;

use nexios_settings::Vars;
use nexios_signer::{KeyRing, Purpose};

const ONE: &str = "0123456789abcdefghijklmnopqrstuv";
const TWO: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345";

fn read<V: Into<OsString>, const N: usize>(vars: [(&str, V); N]) -> Result<KeyRing, String> {
    KeyRing::from_vars(&Vars::from_iter(vars)).map_err(|error| error.to_string())
}

/// Makes a directory with one file that has this content.
fn key_file(content: impl AsRef<[u8]>) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("key");
    std::fs::write(&path, content).unwrap();
    (dir, path)
}

/// The tag that the first key of a ring makes. The tests compare rings by it.
fn tag(ring: &KeyRing) -> String {
    ring.signer(Purpose::new("test")).sign(b"name", b"value").to_text()
}

#[test]
fn keys_come_from_the_variable_or_from_the_file() {
    let expected = tag(&KeyRing::from_text(ONE).unwrap());
    for text in [ONE.to_owned(), format!("{ONE},{TWO}"), format!("  {ONE} , {TWO}  "), format!("{ONE}\n")] {
        let ring = read([("SECRET_KEY", &text)]).unwrap();
        assert_eq!((tag(&ring), ring.len()), (expected.clone(), text.split(',').count()));
        for end in ["", "\n", "\r\n", " \n\n"] {
            let (_dir, path) = key_file(format!("{text}{end}"));
            let ring = read([("SECRET_KEY_FILE", path)]).unwrap();
            assert_eq!((tag(&ring), ring.len()), (expected.clone(), text.split(',').count()));
        }
    }
}

#[test]
fn no_variable_both_variables_and_empty_ones_are_errors() {
    assert_eq!(
        read::<&str, 0>([]).unwrap_err(),
        "SECRET_KEY is not set and neither is SECRET_KEY_FILE; one of them must give at least 32 random bytes as text",
    );
    let (_dir, path) = key_file(ONE);
    assert_eq!(
        read([("SECRET_KEY", ONE.into()), ("SECRET_KEY_FILE", path)]).unwrap_err(),
        "SECRET_KEY is set and so is SECRET_KEY_FILE, but only one of them may be",
    );
    assert_eq!(read([("SECRET_KEY", "")]).unwrap_err(), "SECRET_KEY is set but empty");
    assert_eq!(read([("SECRET_KEY_FILE", "")]).unwrap_err(), "SECRET_KEY_FILE is set but empty");
    assert_eq!(read([("SECRET_KEY", ONE), ("SECRET_KEY_FILE", "")]).unwrap_err(), "SECRET_KEY_FILE is set but empty");
}

#[test]
fn a_bad_value_of_the_variable_is_an_error() {
    for (value, message) in [
        ("   ", "SECRET_KEY is not usable: key is empty"),
        ("changeme", "SECRET_KEY is not usable: key is shorter than 32 bytes"),
        (&"a".repeat(64), "SECRET_KEY is not usable: key has fewer than 12 different characters"),
        (&format!("{ONE},"), "SECRET_KEY is not usable: key 2 of 2 is empty"),
    ] {
        assert_eq!(read([("SECRET_KEY", value)]).unwrap_err(), message);
    }
    let bytes = OsString::from_vec([ONE.as_bytes(), b"\xff"].concat());
    assert_eq!(read([("SECRET_KEY", bytes)]).unwrap_err(), "SECRET_KEY is not valid Unicode");
}

#[test]
fn a_bad_file_is_an_error_that_names_setting_path_and_reason() {
    for (content, reason) in [
        (b"".to_vec(), "which is not usable: key is empty"),
        (b"\n".to_vec(), "which is not usable: key is empty"),
        (b"changeme\n".to_vec(), "which is not usable: key is shorter than 32 bytes"),
        (format!("{ONE},\n").into_bytes(), "which is not usable: key 2 of 2 is empty"),
        ([ONE.as_bytes(), b"\xff"].concat(), "which is not valid UTF-8"),
        (ONE.repeat(2049).into_bytes(), "which is larger than 64 KiB"),
    ] {
        let (_dir, path) = key_file(content);
        let message = read([("SECRET_KEY_FILE", &path)]).unwrap_err();
        assert_eq!(message, format!("SECRET_KEY_FILE names `{}`, {reason}", path.display()));
    }
    let (_dir, path) = key_file(ONE.repeat(2048));
    assert!(read([("SECRET_KEY_FILE", path)]).is_ok(), "64 KiB are allowed");
}

#[test]
fn a_key_in_place_of_a_path_is_not_shown() {
    let with_slash = format!("/{ONE}");
    for value in [ONE, "0123456789ABCDEFGHIJ/KLMNOPQRSTUVWXYZ+abc=", &with_slash, "short", &ONE.repeat(200)] {
        assert_eq!(
            read([("SECRET_KEY_FILE", value)]).unwrap_err(),
            "SECRET_KEY_FILE names a file that does not exist; its name is not shown, because it may be a key",
            "{value}"
        );
    }
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_its_reason() {
    let dir = tempfile::tempdir().unwrap();
    for (path, reason) in [
        (dir.path().join("absent"), "No such file or directory (os error 2)"),
        (dir.path().to_owned(), "Is a directory (os error 21)"),
    ] {
        let message = read([("SECRET_KEY_FILE", &path)]).unwrap_err();
        assert_eq!(message, format!("SECRET_KEY_FILE names `{}`, which cannot be read: {reason}", path.display()));
    }
    assert_eq!(
        read([("SECRET_KEY_FILE", "/dev/zero")]).unwrap_err(),
        "SECRET_KEY_FILE names `/dev/zero`, which is larger than 64 KiB",
    );
}

#[test]
fn an_application_has_a_name_in_all_that_is_derived() {
    let ring = |name: &'static str| read([("SECRET_KEY", ONE), ("SESSION_APPLICATION", name)]);
    let (shop, forum, none) = (ring("shop").unwrap(), ring("forum").unwrap(), read([("SECRET_KEY", ONE)]).unwrap());
    assert_eq!(tag(&none), tag(&KeyRing::from_text(ONE).unwrap()), "without a name, nothing changes");
    assert_eq!(tag(&shop), tag(&KeyRing::from_text(ONE).unwrap().for_application("shop").unwrap()));
    let purpose = Purpose::new("test");
    for (one, other) in [(&shop, &forum), (&shop, &none), (&none, &shop)] {
        assert_ne!(tag(one), tag(other));
        let sealed = one.sealer(purpose).seal(b"name", b"value").unwrap();
        assert!(other.sealer(purpose).open(b"name", &sealed).is_none());
        assert!(one.sealer(purpose).open(b"name", &sealed).is_some());
        let retired = KeyRing::from_text(&format!("{TWO},{ONE}")).unwrap();
        assert!(retired.signer(purpose).verify(b"name", b"value", tag(&shop)).is_none(), "nor as a retired key");
    }
}

#[test]
fn a_name_of_an_application_is_checked() {
    for name in ["a", "Shop-2_b.example", &"x".repeat(64)] {
        assert!(KeyRing::from_text(ONE).unwrap().for_application(name).is_ok(), "{name}");
    }
    let allowed = "1 to 64 letters, digits, `-`, `_` and `.`";
    for name in ["my shop", "shop/2", "caf\u{e9}", &"x".repeat(65)] {
        let error = read([("SECRET_KEY", ONE), ("SESSION_APPLICATION", name)]).unwrap_err();
        assert!(error.starts_with("SESSION_APPLICATION is `") && error.ends_with(allowed), "{error}");
        let error = KeyRing::from_text(ONE).unwrap().for_application(name).unwrap_err().to_string();
        assert!(error.starts_with("application is `") && error.ends_with(allowed), "{error}");
    }
    let error = read([("SECRET_KEY", ONE), ("SESSION_APPLICATION", "")]).unwrap_err();
    assert_eq!(error, "SESSION_APPLICATION is set but empty");
}
