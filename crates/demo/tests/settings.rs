//! Every bad setting ends the program with status 2 and one line that names it.
#![allow(clippy::unwrap_used)]

#[macro_use]
mod program;

use program::{Framework, KEY, fails_with, sessions};

on_both! {
    each_setting_refuses_bad_values_by_name
    keys_are_required_and_never_shown
    contradictions_name_both_settings
    a_directory_that_cannot_be_used_names_its_setting
    an_unknown_argument_is_refused
    an_address_that_is_in_use_names_its_setting
    settings_of_an_unused_store_are_checked_too
    a_mistyped_store_address_does_not_show_its_password
    a_refusal_is_one_line_in_development_too
}

/// Starts the program, expects it to refuse, and returns its one line of standard error.
fn refusal(framework: Framework, settings: &[(&str, &str)], arguments: &[&str]) -> String {
    let (_parent, dir) = sessions();
    let mut all = vec![("BIND", "127.0.0.1:0"), ("SECRET_KEY", KEY), ("SESSION_DIR", dir.to_str().unwrap())];
    all.retain(|(name, _)| !settings.iter().any(|(set, _)| set == name));
    all.extend(settings.iter().filter(|(_, value)| *value != "unset"));
    let output = fails_with(framework, &all, arguments);
    let shown = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{settings:?}: {shown}");
    assert_eq!(shown.lines().count(), 1, "{settings:?}: {shown}");
    assert!(output.stdout.is_empty());
    assert!(!dir.exists(), "{settings:?}: nothing was made");
    shown
}

fn each_setting_refuses_bad_values_by_name(framework: Framework) {
    for (name, values) in [
        ("BIND", &["", "localhost", "127.0.0.1", "127.0.0.1:99999"][..]),
        ("SESSION_COOKIE_NAME", &["", "a b", "a;b", "a=b", "__Host-a", "__secure-a", "__Http-a", "__HOST-HTTP-a"]),
        ("SESSION_COOKIE_DOMAIN", &["", "127.0.0.1", "[::1]", "a..b", "-", "a_b.example", "a b"]),
        ("SESSION_COOKIE_PATH", &["", "app", "/a;b", "/ü"]),
        ("SESSION_COOKIE_HTTPONLY", &["", "yes", "True", "on"]),
        ("SESSION_COOKIE_SECURE", &["", "no", "FALSE", "2"]),
        ("SESSION_COOKIE_SAMESITE", &["", "lenient", "None"]),
        ("SESSION_COOKIE_PARTITIONED", &["", "yes", "true"]),
        ("SESSION_DURABILITY", &["", "Fast", "fsync"]),
        ("SESSION_MAX_SIZE", &["", "0", "-1", "1GB", "256kib"]),
        ("SESSION_IDLE_TIMEOUT", &["", "0", "-1", "none", "1w", "1.5h", "11y", "3651d"]),
        ("SESSION_ABSOLUTE_TIMEOUT", &["", "0", "never"]),
        ("SESSION_CLEANUP_INTERVAL", &["", "0", "never"]),
        ("SESSION_STORE_TIMEOUT", &["", "0", "none"]),
        ("SESSION_MAX_PER_USER", &["", "0", "10001", "-1", "+5", "unlimited"]),
        ("SESSION_AT_LIMIT", &["", "oldest", "Refuse"]),
        ("SESSION_PERSISTENT", &["", "yes"]),
        ("SESSION_APPLICATION", &["", "my shop", "a/b"]),
        ("SESSION_STORE", &["", "disk", "redis://localhost", "postgres://localhost"]),
        ("SESSION_ENCRYPT", &["", "yes", "True"]),
    ] {
        for value in values {
            let line = refusal(framework, &[(name, value)], &[]);
            assert!(line.contains(name), "{name}={value}: {line}");
            let shown = if value.is_empty() { "empty" } else { value };
            assert!(line.contains(shown), "{name}={value}: {line}");
        }
    }
}

fn keys_are_required_and_never_shown(framework: Framework) {
    assert!(refusal(framework, &[("SECRET_KEY", "unset")], &[]).contains("SECRET_KEY"));
    for key in
        ["", "too-short-hush", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaahush", &format!("{KEY},"), &format!(",{KEY}")]
    {
        let line = refusal(framework, &[("SECRET_KEY", key)], &["--dev"]);
        assert!(line.contains("SECRET_KEY") && !line.contains("hush") && !line.contains(KEY), "{line}");
    }
    let both = refusal(framework, &[("SECRET_KEY", KEY), ("SECRET_KEY_FILE", "/nowhere")], &[]);
    assert!(both.contains("SECRET_KEY") && both.contains("SECRET_KEY_FILE") && !both.contains(KEY), "{both}");
    let missing = refusal(framework, &[("SECRET_KEY", "unset"), ("SECRET_KEY_FILE", "/proc/self/nowhere")], &[]);
    assert!(missing.contains("SECRET_KEY_FILE") && missing.contains("/proc/self/nowhere"), "{missing}");
}

fn contradictions_name_both_settings(framework: Framework) {
    for (settings, names) in [
        (&[("SESSION_COOKIE_SAMESITE", "None")][..], ["SESSION_COOKIE_SAMESITE", "SESSION_COOKIE_SECURE"]),
        (&[("SESSION_COOKIE_PARTITIONED", "true")], ["SESSION_COOKIE_PARTITIONED", "SESSION_COOKIE_SECURE"]),
        (
            &[("SESSION_COOKIE_NAME", "__Host-a"), ("SESSION_COOKIE_SECURE", "1"), ("SESSION_COOKIE_PATH", "/a")],
            ["SESSION_COOKIE_NAME", "SESSION_COOKIE_PATH"],
        ),
        (
            &[
                ("SESSION_COOKIE_NAME", "__Host-a"),
                ("SESSION_COOKIE_SECURE", "1"),
                ("SESSION_COOKIE_DOMAIN", "a.example"),
            ],
            ["SESSION_COOKIE_NAME", "SESSION_COOKIE_DOMAIN"],
        ),
    ] {
        let line = refusal(framework, settings, &[]);
        assert!(names.iter().all(|name| line.contains(name)), "{line}");
    }
}

fn a_directory_that_cannot_be_used_names_its_setting(framework: Framework) {
    use std::os::unix::fs::PermissionsExt;
    let parent = tempfile::tempdir().unwrap();
    let (open, file) = (parent.path().join("open"), parent.path().join("file"));
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::fs::Permissions::from_mode(0o755)).unwrap();
    std::fs::write(&file, "").unwrap();
    for dir in [&open, &file, &file.join("below")] {
        let line = refusal(framework, &[("SESSION_DIR", dir.to_str().unwrap())], &[]);
        assert!(line.contains("SESSION_DIR") && line.contains(dir.to_str().unwrap()), "{line}");
    }
    assert!(refusal(framework, &[("SESSION_DIR", "")], &[]).contains("SESSION_DIR is set but empty"));
}

fn an_unknown_argument_is_refused(framework: Framework) {
    assert!(refusal(framework, &[], &["--port"]).contains("--port"));
}

fn an_address_that_is_in_use_names_its_setting(framework: Framework) {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (_parent, dir) = sessions();
    let settings = [("BIND", &*address), ("SECRET_KEY", KEY), ("SESSION_DIR", dir.to_str().unwrap())];
    let output = fails_with(framework, &settings, &[]);
    assert_eq!(output.status.code(), Some(2));
    let shown = String::from_utf8(output.stderr).unwrap();
    assert!(shown.contains("BIND") && shown.contains(&address), "{shown}");
}

fn settings_of_an_unused_store_are_checked_too(framework: Framework) {
    assert!(
        refusal(framework, &[("SESSION_STORE", "memory"), ("SESSION_DURABILITY", "fsync")], &[])
            .contains("SESSION_DURABILITY")
    );
    assert!(refusal(framework, &[("SESSION_STORE", "memory"), ("SESSION_DIR", "")], &[]).contains("SESSION_DIR"));
}

fn a_mistyped_store_address_does_not_show_its_password(framework: Framework) {
    for address in ["redis://user:hush@host", "redis:user:hush@host", "hush@host:6379"] {
        let line = refusal(framework, &[("SESSION_STORE", address)], &[]);
        assert!(!line.contains("user") && !line.contains("hush") && line.contains("@host"), "{line}");
    }
}

fn a_refusal_is_one_line_in_development_too(framework: Framework) {
    let line = refusal(framework, &[("SECRET_KEY", "unset"), ("SESSION_COOKIE_SAMESITE", "None")], &["--dev"]);
    assert!(line.contains("SESSION_COOKIE_SAMESITE"), "{line}");
}
