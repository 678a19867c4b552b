//! The only chromedriver of a test process.

use std::io::{BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::OnceLock;

use super::program;

/// The address of the driver. The first test that asks starts it.
pub fn address() -> &'static str {
    static DRIVER: OnceLock<Driver> = OnceLock::new();
    &DRIVER.get_or_init(Driver::start).address
}

struct Driver {
    address: String,
    // The shell lives as long as its standard input, which this value holds open.
    _shell: Child,
    _output: BufReader<ChildStdout>,
}

impl Driver {
    fn start() -> Self {
        // A static is never dropped, and a killed driver leaves its browsers behind. So a shell waits for the end of
        // this process, however it comes, and then kills its own process group: the driver, the browsers and itself.
        let mut shell = Command::new("sh")
            .args(["-c", r#""$0" --port=0 & read -r _; kill -KILL 0"#])
            .arg(program("chromedriver", "chromium chromium-driver"))
            .process_group(0)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut output = BufReader::new(shell.stdout.take().unwrap());
        let mut said = String::new();
        let port = loop {
            let start = said.len();
            assert_ne!(output.read_line(&mut said).unwrap(), 0, "chromedriver ended before it listened: {said}");
            if let Some((_, port)) = said[start..].split_once("started successfully on port ") {
                break port.trim_end().trim_end_matches('.').to_owned();
            }
        };
        Self { address: format!("http://127.0.0.1:{port}"), _shell: shell, _output: output }
    }
}
