//! The sessions of one user: listed, named and ended.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::{self, File, Permissions};
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde_json::{Value, json};

use super::program::{Browser, Framework, Program, sessions, wait_until};
use super::walk;

on_both! {
    a_users_sessions_are_listed_and_end_everywhere_at_once
    a_device_has_the_name_that_its_session_gave_it
    a_handle_ends_one_session_of_its_own_user_only
    without_a_login_no_session_is_listed_named_or_ended
    an_incomplete_logout_everywhere_says_how_far_it_came
    a_user_whose_sessions_cannot_be_listed_is_not_logged_out
    a_logout_everywhere_runs_on_after_its_client_has_hung_up
}

fn a_users_sessions_are_listed_and_end_everywhere_at_once(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let [mut laptop, mut phone, mut bobs] = ["ada", "ada", "bob"].map(|user| logged_in(&program, user));
    let answer = laptop.get("/sessions");
    let listed: Vec<serde_json::Map<String, Value>> = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, listed.len()), (200, 2));
    assert_eq!(listed.iter().filter(|session| session["current"] == true).count(), 1);
    const NAMES: [&str; 5] = ["created_at", "current", "device", "handle", "last_seen"];
    for session in &listed {
        assert_eq!((session.len(), NAMES.iter().all(|name| session.contains_key(*name))), (5, true), "{session:?}");
        assert!(session["created_at"].as_u64().unwrap() <= session["last_seen"].as_u64().unwrap());
        assert_eq!((session["handle"].as_str().unwrap().len(), &session["device"]), (32, &Value::Null));
    }

    let answer = laptop.post("/logout-everywhere", "");
    assert_eq!((answer.status, &*answer.body, answer.set_cookie.len()), (200, r#"{"revoked":2}"#, 1));
    assert_eq!(laptop.cookie, None);
    assert_eq!(phone.get("/sessions").status, 401);
    assert_eq!(bobs.get("/session/user").body, "\"bob\"");
    assert_eq!(walk(&dir), 1);
}

fn a_device_has_the_name_that_its_session_gave_it(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let [mut laptop, mut phone] = ["ada", "ada"].map(|user| logged_in(&program, user));
    let longest = "ü".repeat(200);
    for name in ["Firefox on Linux", "", "\"a\"\n", &longest] {
        let answer = laptop.post("/device", name);
        assert_eq!((answer.status, &*answer.body), (200, "{}"), "{name}");
        assert_eq!(device(&mut laptop), name);
    }
    assert_eq!(phone.post("/device", "a phone").status, 200);
    let mut names: Vec<_> = list(&mut laptop).into_iter().map(|row| row["device"].clone()).collect();
    names.sort_by_key(|name| name.to_string().len());
    assert_eq!(names, ["a phone", &*longest]);

    assert_eq!(laptop.post("/device", &format!("{longest}x")).status, 413);
    assert_eq!(laptop.post_bytes("/device", &[0xff]).status, 400);
    assert_eq!(device(&mut laptop), longest, "a name that is refused changes nothing");
    laptop.post("/login", r#"{"user": "ada"}"#);
    assert_eq!(device(&mut laptop), longest, "a login of the same user keeps it");
}

fn a_handle_ends_one_session_of_its_own_user_only(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let [mut laptop, mut phone, mut bobs] = ["ada", "ada", "bob"].map(|user| logged_in(&program, user));
    let [of_laptop, of_phone] = [handle(&mut laptop), handle(&mut phone)];

    let answer = bobs.delete(&format!("/sessions/{of_phone}"));
    assert_eq!((answer.status, &*answer.body), (200, r#"{"revoked":0}"#), "another user's handle");
    assert_eq!(phone.get("/session/user").body, "\"ada\"");

    let answer = laptop.delete(&format!("/sessions/{of_phone}"));
    assert_eq!((answer.status, &*answer.body, answer.set_cookie.len()), (200, r#"{"revoked":1}"#, 0));
    let again = laptop.delete(&format!("/sessions/{of_phone}"));
    assert_eq!((again.status, &*again.body), (200, r#"{"revoked":0}"#));
    assert_eq!((phone.get("/sessions").status, list(&mut laptop).len()), (401, 1));

    let upper_case = of_laptop.to_uppercase().replace(|digit: char| digit.is_ascii_digit(), "A");
    for bad in ["x", "%20", "%ff", &of_laptop[1..], &format!("{of_laptop}0"), &upper_case] {
        assert_eq!(laptop.delete(&format!("/sessions/{bad}")).status, 400, "{bad}");
    }
    let answer = laptop.delete(&format!("/sessions/{of_laptop}"));
    assert_eq!((answer.status, &*answer.body, answer.set_cookie.len()), (200, r#"{"revoked":1}"#, 1));
    assert_eq!((laptop.cookie, walk(&dir)), (None, 1), "whoever ends this session loses the cookie too");
}

fn without_a_login_no_session_is_listed_named_or_ended(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let mut stranger = Browser::new(&program);
    let mut anonymous = Browser::new(&program);
    anonymous.post("/session/a", "1");
    for visitor in [&mut stranger, &mut anonymous] {
        for path in ["/sessions/0123456789abcdef0123456789abcdef", "/sessions/no-handle"] {
            assert_eq!(visitor.delete(path).status, 401, "{path}");
        }
        for path in ["/device", "/logout-everywhere"] {
            assert_eq!(visitor.post(path, "a name").status, 401, "{path}");
        }
        assert_eq!(visitor.post("/device", &"x".repeat(201)).status, 401);
        assert_eq!(visitor.get("/sessions").status, 401);
    }
    assert_eq!((stranger.cookie, anonymous.get("/session/a").body), (None, "1".to_owned()));
}

fn an_incomplete_logout_everywhere_says_how_far_it_came(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start_without_privileges(framework, &dir);
    let mut bobs = logged_in(&program, "bob");
    // By the folder of its record, of which the program can then remove nothing.
    let mut devices = BTreeMap::new();
    while devices.len() < 5 {
        let mut device = logged_in(&program, "ada");
        match devices.entry(record(&dir, &device).parent().unwrap().to_owned()) {
            Entry::Vacant(entry) => drop(entry.insert(device)),
            Entry::Occupied(_) => drop(device.post("/logout", "")),
        }
    }
    let (_, mut laptop) = devices.pop_last().unwrap();
    let folder = devices.keys().nth(1).unwrap().clone();
    fs::set_permissions(&folder, Permissions::from_mode(0o500)).unwrap();

    let answer = laptop.post("/logout-everywhere", "");
    assert_eq!((answer.status, json(&answer.body)), (503, json!({ "revoked": 4, "failed": 1 })));
    assert_eq!(answer.content_type.as_deref(), Some("application/json"));
    assert_eq!(answer.set_cookie.len(), 0, "the cookie may be that of the session which is left");
    let statuses: Vec<_> = devices.values_mut().map(|device| device.get("/sessions").status).collect();
    assert_eq!(statuses, [401, 200, 401, 401], "the others have ended, and only they");
    assert_eq!(laptop.get("/sessions").status, 401);
    let left = devices.get_mut(&folder).unwrap();
    let path = format!("/sessions/{}", handle(left));
    let answer = left.delete(&path);
    assert_eq!((answer.status, &*answer.body, answer.set_cookie.len()), (503, "", 0));

    fs::set_permissions(&folder, Permissions::from_mode(0o700)).unwrap();
    let answer = left.post("/logout-everywhere", "");
    assert_eq!((answer.status, json(&answer.body)), (200, json!({ "revoked": 1 })));
    assert_eq!(bobs.get("/session/user").body, "\"bob\"");
}

fn a_user_whose_sessions_cannot_be_listed_is_not_logged_out(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let [mut laptop, mut phone] = ["ada", "ada"].map(|user| logged_in(&program, user));
    let (index, elsewhere) = (dir.join(".principals"), dir.with_file_name("elsewhere"));
    fs::rename(&index, &elsewhere).unwrap();
    File::create(&index).unwrap();

    let answer = laptop.post("/logout-everywhere", "");
    assert_eq!((answer.status, json(&answer.body)), (503, json!({ "revoked": 0, "failed": 0 })));
    for answer in [laptop.get("/sessions"), laptop.delete("/sessions/0123456789abcdef0123456789abcdef")] {
        assert_eq!((answer.status, &*answer.body), (503, ""));
    }
    assert_eq!(phone.get("/session/user").body, "\"ada\"");

    fs::remove_file(&index).unwrap();
    fs::rename(&elsewhere, &index).unwrap();
    let answer = laptop.post("/logout-everywhere", "");
    assert_eq!((answer.status, &*answer.body), (200, r#"{"revoked":2}"#));
}

fn a_logout_everywhere_runs_on_after_its_client_has_hung_up(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    // By path. A revocation takes the records in the order of their ids, which is that of their paths.
    let mut devices = BTreeMap::new();
    let [first, last] = loop {
        let device = logged_in(&program, "ada");
        devices.insert(record(&dir, &device), device);
        let ends = [devices.keys().next(), devices.keys().next_back()].map(|path| path.unwrap().clone());
        if devices.len() >= 4 && lock_file(&dir, &ends[0]) != lock_file(&dir, &ends[1]) {
            break ends;
        }
    };
    let is_held = File::open(lock_file(&dir, &last)).unwrap();
    flock(&is_held, FlockOperation::LockExclusive).unwrap();

    let mut stream = TcpStream::connect(program.address).unwrap();
    let cookie = devices[&last].cookie.as_ref().unwrap();
    let head = format!("POST /logout-everywhere HTTP/1.1\r\nHost: x\r\nCookie: {cookie}\r\nContent-Length: 0\r\n\r\n");
    stream.write_all(head.as_bytes()).unwrap();
    wait_until("the revocation has begun", || !first.exists());
    let client = stream.local_addr().unwrap();
    drop(stream);
    if matches!(framework, Framework::Axum) {
        program.wait_for_hang_up(client); // actix finishes what it has begun, and then finds that nobody is there
    }
    assert!(last.exists(), "the revocation cannot have ended yet");
    flock(&is_held, FlockOperation::Unlock).unwrap();
    wait_until("the revocation has ended", || walk(&dir) == 0);
    assert!(devices.values_mut().all(|device| device.get("/sessions").status == 401));
}

fn logged_in(program: &Program, user: &str) -> Browser {
    let mut visitor = Browser::new(program);
    assert_eq!(visitor.post("/login", &format!(r#"{{"user": "{user}"}}"#)).status, 200);
    visitor
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn list(visitor: &mut Browser) -> Vec<Value> {
    json(&visitor.get("/sessions").body).as_array().unwrap().clone()
}

/// A field of the visitor's own row in the list of sessions.
fn own(visitor: &mut Browser, field: &str) -> String {
    let rows = list(visitor);
    let row = rows.iter().find(|row| row["current"] == true).unwrap();
    row[field].as_str().unwrap().to_owned()
}

fn device(visitor: &mut Browser) -> String {
    own(visitor, "device")
}

fn handle(visitor: &mut Browser) -> String {
    own(visitor, "handle")
}

/// The file of a visitor's session.
fn record(dir: &Path, visitor: &Browser) -> PathBuf {
    let id = visitor.cookie.as_ref().unwrap().split(['=', '.']).nth(1).unwrap();
    dir.join(&id[..2]).join(id)
}

/// The lock file that the file store takes for a record. `store-file/src/lock.rs` says which it is.
fn lock_file(dir: &Path, record: &Path) -> PathBuf {
    let first_byte = record.file_name().unwrap().to_str().unwrap().get(..2).unwrap();
    dir.join(format!(".locks/{:02x}", u8::from_str_radix(first_byte, 16).unwrap() % 64))
}
