//! A demo program that a test starts, and a browser that talks to it.
#![allow(clippy::unwrap_used, clippy::panic, dead_code, unreachable_pub)]

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::{NamedTempFile, TempDir};
use ureq::Agent;
use ureq::http::{Request, Response};

pub const KEY: &str = "0123456789abcdef0123456789abcdef";

/// The two programs, which must not differ.
#[derive(Clone, Copy, Debug)]
pub enum Framework {
    Axum,
    Actix,
}

/// Makes tests of functions that take a [`Framework`]: one for each function and each framework.
#[allow(unused_macros)]
macro_rules! on_both {
    ($($test:ident)*) => {
        mod on_axum {
            $(#[test] fn $test() { super::$test(super::Framework::Axum) })*
        }
        mod on_actix {
            $(#[test] fn $test() { super::$test(super::Framework::Actix) })*
        }
    };
}

/// A command that starts the program with these settings and no others.
pub fn command(framework: Framework, settings: &[(&str, &str)], arguments: &[&str]) -> Command {
    let mut command = Command::new(executable(framework));
    command.args(arguments);
    configured(command, settings)
}

/// The same for a program that obeys the modes of files and folders even if the tests run as root.
fn command_without_privileges(framework: Framework, settings: &[(&str, &str)]) -> Command {
    if !rustix::process::geteuid().is_root() {
        return command(framework, settings, &[]);
    }
    let mut command = Command::new("setpriv"); // of util-linux
    command.args(["--bounding-set=-all", "--inh-caps=-all", executable(framework)]);
    configured(command, settings)
}

const fn executable(framework: Framework) -> &'static str {
    match framework {
        Framework::Axum => env!("CARGO_BIN_EXE_demo-axum"),
        Framework::Actix => env!("CARGO_BIN_EXE_demo-actix"),
    }
}

fn configured(mut command: Command, settings: &[(&str, &str)]) -> Command {
    command.env_clear().envs(settings.iter().copied());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// Starts a program that is expected to refuse, and returns its output.
pub fn fails_with(framework: Framework, settings: &[(&str, &str)], arguments: &[&str]) -> Output {
    command(framework, settings, arguments).output().unwrap()
}

fn default_settings(dir: &Path) -> [(&str, &str); 3] {
    [("BIND", "127.0.0.1:0"), ("SECRET_KEY", KEY), ("SESSION_DIR", dir.to_str().unwrap())]
}

/// Waits until something is true that another process brings about.
pub fn wait_until(what: &str, is_true: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_true() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        thread::sleep(Duration::from_millis(5));
    }
}

/// A running program that listens on a port of its own. It is killed when dropped.
pub struct Program {
    child: Child,
    pub address: SocketAddr,
    log: NamedTempFile,
}

impl Program {
    pub fn start(framework: Framework, dir: &Path, settings: &[(&str, &str)]) -> Self {
        let mut all = default_settings(dir).to_vec();
        all.extend_from_slice(settings);
        Self::spawn(command(framework, &all, &[]))
    }

    /// Starts a program that obeys the modes of files and folders.
    pub fn start_without_privileges(framework: Framework, dir: &Path) -> Self {
        Self::spawn(command_without_privileges(framework, &default_settings(dir)))
    }

    fn spawn(mut command: Command) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut child = command.stderr(log.reopen().unwrap()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.strip_prefix("listening on http://").unwrap_or_else(|| panic!("first line: {line:?}"));
        Self { address: address.trim_end().parse().unwrap(), child, log }
    }

    /// Waits until the log of the program has this many lines about an event. `RUST_LOG` says which events it has.
    pub fn wait_for(&self, event: &str, count: usize) {
        let is_logged = || std::fs::read_to_string(&self.log).unwrap().matches(event).count() >= count;
        wait_until(&format!("{event} was logged {count} times"), is_logged);
    }

    /// Waits until the program has closed its end of a connection that `client` has closed.
    pub fn wait_for_hang_up(&self, client: SocketAddr) {
        // `sl local_address rem_address ...`, of which each has the port as four hexadecimal digits at its end.
        let ports = |line: &str| {
            let mut ports =
                line.split_whitespace().skip(1).map(|address| address.rsplit(':').next().map(str::to_owned));
            Some((ports.next()??, ports.next()??))
        };
        let wanted = (format!("{:04X}", self.address.port()), format!("{:04X}", client.port()));
        wait_until("the program has closed the connection", || {
            let sockets = std::fs::read_to_string("/proc/net/tcp").unwrap();
            !sockets.lines().any(|line| ports(line).as_ref() == Some(&wanted))
        });
    }

    pub fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    pub fn wait(mut self) -> ExitStatus {
        self.child.wait().unwrap()
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a session directory that does not exist yet: the program makes it.
pub fn sessions() -> (TempDir, PathBuf) {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("sessions");
    (parent, dir)
}

/// The browser of a visitor, which keeps its cookies.
#[derive(Clone)]
pub struct Browser {
    agent: Agent,
    base: String,
    /// The session cookie, as `name=value`.
    pub cookie: Option<String>,
    /// The signed cookie, as `name=value`.
    pub signed_cookie: Option<String>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: String,
    pub set_cookie: Vec<String>,
    pub content_type: Option<String>,
}

impl Browser {
    pub fn new(program: &Program) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(0)
            // A server that answers before it has read the body closes the connection, just when it could be reused.
            .max_idle_connections(0)
            .build();
        Self { agent: config.into(), base: format!("http://{}", program.address), cookie: None, signed_cookie: None }
    }

    /// The same visitor at another program.
    pub fn at(&self, program: &Program) -> Self {
        Self { base: format!("http://{}", program.address), ..self.clone() }
    }

    pub fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, b"")
    }

    pub fn delete(&mut self, path: &str) -> Answer {
        self.send("DELETE", path, b"")
    }

    pub fn post(&mut self, path: &str, body: &str) -> Answer {
        self.post_bytes(path, body.as_bytes())
    }

    pub fn post_bytes(&mut self, path: &str, body: &[u8]) -> Answer {
        self.send("POST", path, body)
    }

    fn send(&mut self, method: &str, path: &str, body: &[u8]) -> Answer {
        let mut request = Request::builder().method(method).uri(self.base.clone() + path);
        for cookie in self.cookie.iter().chain(&self.signed_cookie) {
            request = request.header("Cookie", cookie);
        }
        let response = self.agent.run(request.body(body.to_owned()).unwrap()).unwrap();
        self.receive(response)
    }

    fn receive(&mut self, mut response: Response<ureq::Body>) -> Answer {
        let text = |name| {
            let values = response.headers().get_all(name).iter();
            values.map(|value| value.to_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let set_cookie = text("set-cookie");
        let content_type = text("content-type").pop();
        for line in set_cookie.iter().filter(|line| line.starts_with("sessionid=")) {
            let removed = line.contains("Max-Age=0");
            self.cookie = (!removed).then(|| line.split(';').next().unwrap().to_owned());
        }
        if let Some(line) = set_cookie.iter().find(|line| line.starts_with("theme=")) {
            self.signed_cookie = line.split(';').next().map(str::to_owned);
        }
        let mut body = String::new();
        response.body_mut().as_reader().read_to_string(&mut body).unwrap();
        Answer { status: response.status().as_u16(), body, set_cookie, content_type }
    }
}
