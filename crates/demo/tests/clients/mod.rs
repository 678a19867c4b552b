//! Real clients: what they have in common, and what becomes of a visitor who uses one.
#![allow(clippy::unwrap_used, clippy::panic, dead_code, unreachable_pub)]

pub mod chromium;
pub mod curl;
pub mod driver;
pub mod journeys;
pub mod site;

use std::env;
use std::path::PathBuf;

/// A client with a cookie jar of its own, and the demo in front of it.
pub trait Client {
    /// Sends a request to the demo, and gives the status and the body of its answer.
    fn call(&mut self, method: &str, path: &str, body: &str) -> (u16, String);

    /// A second tab, or a jar that was copied: another client that is logged in as this one is.
    #[must_use]
    fn another(&self) -> Self;

    /// What the visitor has after closing the client and opening it again.
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
    /// In seconds since 1970; `None` ends with the client.
    pub expires: Option<i64>,
}

/// Where a program is that a test cannot do without, and that comes with these packages.
pub fn program(name: &str, packages: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).map(|dir| dir.join(name)).find(|file| file.is_file()).unwrap_or_else(|| {
        panic!(
            "this test needs `{name}`, which is not on PATH; on Debian `cargo xtask test` installs it (as root), \
             and so does `apt-get install {packages}`"
        )
    })
}
