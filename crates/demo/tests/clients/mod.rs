//! Real clients, the trait that they share, and the journeys of a visitor who uses one.
#![allow(clippy::unwrap_used, clippy::panic, dead_code, unreachable_pub)]

pub mod chromium;
pub mod curl;
pub mod driver;
pub mod journeys;
pub mod site;

use std::env;
use std::path::PathBuf;

/// A client that has its own cookie jar and visits the demo.
pub trait Client {
    /// Sends a request to the demo, and returns the status and the body of the answer.
    fn call(&mut self, method: &str, path: &str, body: &str) -> (u16, String);

    /// Makes another client with the same session: a second tab, or a copy of the jar.
    #[must_use]
    fn another(&self) -> Self;

    /// Closes the client and opens it again.
    #[must_use]
    fn opened_again(self) -> Self;

    /// The cookies that the client would send to the demo's root.
    fn cookies(&mut self) -> Vec<Cookie>;

    fn get(&mut self, path: &str) -> String {
        self.call("GET", path, "").1
    }

    fn post(&mut self, path: &str, body: &str) -> String {
        let (status, body) = self.call("POST", path, body);
        assert_eq!(status, 200, "POST {path}: {body}");
        body
    }

    fn log_in(&mut self, user: &str) {
        self.post("/login", &format!(r#"{{"user": "{user}"}}"#));
    }

    /// The client's only cookie.
    fn cookie(&mut self) -> Cookie {
        let mut cookies = self.cookies();
        assert_eq!(cookies.len(), 1, "{cookies:?}");
        cookies.remove(0)
    }
}

/// A cookie as a client keeps it.
#[derive(Clone, Debug, PartialEq)]
pub struct Cookie {
    pub name: String,
    pub value: String,
    pub domain: String,
    pub path: String,
    pub secure: bool,
    pub http_only: bool,
    /// The time in seconds since 1970. `None` if the cookie ends with the client.
    pub expires: Option<i64>,
}

/// Finds a program that a test needs. `packages` are the Debian packages that bring it.
pub fn program(name: &str, packages: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file()).unwrap_or_else(|| {
        panic!(
            "this test needs `{name}`, which is not on PATH; on Debian `cargo xtask test` installs it (as root), \
             and so does `apt-get install {packages}`"
        )
    })
}
