//! The sessions of one user: listed, and ended.

use serde_json::Value;

use super::program::{Browser, Framework, Program, sessions};
use super::walk;

on_both! {
    a_users_sessions_are_listed_and_end_everywhere_at_once
}

fn a_users_sessions_are_listed_and_end_everywhere_at_once(framework: Framework) {
    let (_parent, dir) = sessions();
    let program = Program::start(framework, &dir, &[]);
    let [mut laptop, mut phone, mut bobs] = [(); 3].map(|()| Browser::new(&program));
    for (visitor, user) in [(&mut laptop, "ada"), (&mut phone, "ada"), (&mut bobs, "bob")] {
        visitor.post("/login", &format!(r#"{{"user": "{user}"}}"#));
    }
    let answer = laptop.get("/sessions");
    let listed: Vec<serde_json::Map<String, Value>> = serde_json::from_str(&answer.body).unwrap();
    assert_eq!((answer.status, listed.len()), (200, 2));
    assert_eq!(listed.iter().filter(|session| session["current"] == true).count(), 1);
    const NAMES: [&str; 3] = ["created_at", "current", "last_seen"];
    for session in &listed {
        assert_eq!((session.len(), NAMES.iter().all(|name| session.contains_key(*name))), (3, true), "{session:?}");
        assert!(session["created_at"].as_u64().unwrap() <= session["last_seen"].as_u64().unwrap());
    }

    let answer = laptop.post("/logout-everywhere", "");
    assert_eq!((answer.status, &*answer.body, answer.set_cookie.len()), (200, r#"{"revoked":2}"#, 1));
    assert_eq!(laptop.cookie, None);
    assert_eq!(phone.get("/sessions").status, 401);
    assert_eq!(bobs.get("/session/user").body, "\"bob\"");
    assert_eq!(walk(&dir), 1);
}
