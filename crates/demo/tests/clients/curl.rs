//! The client `curl`, with its cookie jar.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{Client, Cookie, program};
use crate::program::Program;

pub struct Curl {
    dir: TempDir,
    base: String,
    arguments: Vec<String>,
}

impl Curl {
    pub fn new(program: &Program) -> Self {
        Self::at("127.0.0.1", program)
    }

    /// A client that reaches the demo under this host.
    pub fn at(host: &str, program: &Program) -> Self {
        let port = program.address.port();
        Self {
            dir: tempfile::tempdir().unwrap(),
            base: format!("http://{host}:{port}"),
            arguments: vec!["--resolve".to_owned(), format!("{host}:{port}:{}", program.address.ip())],
        }
    }

    pub fn jar(&self) -> PathBuf {
        self.dir.path().join("jar")
    }

    /// The lines of the jar that hold cookies, as curl has written them.
    pub fn lines(&self) -> Vec<String> {
        // If there are no cookies, curl may not have written a file.
        let jar = fs::read_to_string(self.jar()).unwrap_or_default();
        let is_cookie = |line: &&str| !line.is_empty() && (!line.starts_with('#') || line.starts_with(HTTP_ONLY));
        jar.lines().filter(is_cookie).map(str::to_owned).collect()
    }

    fn run(&self, arguments: &[&str], body: &str) -> (u16, String) {
        let mut curl = Command::new(program("curl", "curl"))
            // Ignore the configuration and the proxies of the person who runs the test.
            .args(["--disable", "--noproxy", "*", "--silent", "--show-error", "--write-out", "\n%{http_code}"])
            .args(&self.arguments)
            .arg("--cookie")
            .arg(self.jar())
            .arg("--cookie-jar")
            .arg(self.jar())
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        curl.stdin.take().unwrap().write_all(body.as_bytes()).unwrap();
        let output = curl.wait_with_output().unwrap();
        assert!(output.status.success(), "curl {arguments:?}: {}", output.status);
        let output = String::from_utf8(output.stdout).unwrap();
        let (body, status) = output.rsplit_once('\n').unwrap();
        (status.parse().unwrap(), body.to_owned())
    }
}

impl Client for Curl {
    fn call(&mut self, method: &str, path: &str, body: &str) -> (u16, String) {
        let url = format!("{}{path}", self.base);
        let arguments = ["--request", method, "--data-binary", "@-", &url];
        self.run(if method == "GET" { &arguments[4..] } else { &arguments }, body)
    }

    fn another(&self) -> Self {
        let dir = tempfile::tempdir().unwrap();
        if self.jar().exists() {
            fs::copy(self.jar(), dir.path().join("jar")).unwrap();
        }
        Self { dir, base: self.base.clone(), arguments: self.arguments.clone() }
    }

    fn opened_again(self) -> Self {
        // In curl's words: "as if a new session is started".
        let url = format!("{}/healthz", self.base);
        self.run(&["--junk-session-cookies", &url], "");
        self
    }

    fn cookies(&mut self) -> Vec<Cookie> {
        self.lines().iter().map(|line| parse(line)).collect()
    }
}

/// Parses a line of a jar: domain, whether it includes subdomains, path, secure, expiry, name, value.
fn parse(line: &str) -> Cookie {
    let http_only = line.starts_with(HTTP_ONLY);
    let fields: Vec<_> = line.trim_start_matches(HTTP_ONLY).split('\t').collect();
    let [domain, _, path, secure, expires, name, value] = fields[..] else { panic!("no line of a jar: {line}") };
    Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: domain.to_owned(),
        path: path.to_owned(),
        secure: secure == "TRUE",
        http_only,
        expires: (expires != "0").then(|| expires.parse().unwrap()),
    }
}

const HTTP_ONLY: &str = "#HttpOnly_";
