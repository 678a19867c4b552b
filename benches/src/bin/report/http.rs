//! The comparison of requests per second over loopback with the framework alone, as `wrk` counts them.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use crate::command::output;
use crate::error::{Error, Result};
use crate::plot::{Bars, Scale};
use crate::programs::Programs;
use crate::table::{Table, thousands};

/// Measures the rates, and prints and draws the comparison.
pub(crate) fn run(programs: &Programs) -> Result<()> {
    let mut table = Table::new(
        ["case", "session layer", "requests per second", "as a part of the handler alone, least / median / most"]
            .map(str::to_owned),
    );
    let mut ratios: BTreeMap<(usize, usize), Vec<f64>> = BTreeMap::new();
    let mut rates: BTreeMap<(usize, usize), u64> = BTreeMap::new();
    let mut alone = Vec::new();
    for _ in 0..ROUNDS {
        let bare = measure(programs, "axum/bare/untouched-no-cookie")?;
        alone.push(bare);
        // The layers take turns, and each rate is a part of the rate without a session layer in the same round.
        for (case, name) in CASES.iter().enumerate() {
            for (layer, of) in LAYERS.iter().enumerate() {
                let rate = measure(programs, &format!("axum/{of}/{name}"))?;
                ratios.entry((case, layer)).or_default().push(rate / bare);
                let most = rates.entry((case, layer)).or_default();
                *most = (*most).max(whole(rate));
            }
        }
    }
    let mut percents = LAYERS.map(|layer| (layer.to_owned(), vec![None; CASES.len()]));
    for ((case, layer), mut ratios) in ratios {
        ratios.sort_by(f64::total_cmp);
        let at = |index: usize| ratios.get(index).copied().unwrap_or_default();
        let spread = format!("{:.2} / {:.2} / {:.2}", at(0), at(ratios.len() / 2), at(ratios.len() - 1));
        let most = rates.get(&(case, layer)).copied().unwrap_or_default();
        table.row([CASES[case].to_owned(), LAYERS[layer].to_owned(), thousands(most), spread]);
        percents[layer].1[case] = Some(whole(at(ratios.len() / 2) * 100.0));
    }
    let most = alone.into_iter().fold(0.0, f64::max);
    table.print(&format!(
        "axum over loopback, {CONNECTIONS} connections, {ROUNDS} rounds of {SECONDS} s, most of the rounds; the handler alone: {}",
        thousands(whole(most))
    ));
    let bars = Bars {
        title: "Requests per second over loopback",
        y: "percent of the handler alone, median",
        scale: Scale::Linear,
        groups: &CASES.map(str::to_owned),
        series: percents.into(),
    };
    bars.draw("http.svg")
}

/// Returns the requests per second that a server of one subject answers.
fn measure(programs: &Programs, subject: &str) -> Result<f64> {
    let server = Server::start(programs, subject)?;
    let mut wrk = Command::new("taskset");
    wrk.args(["--cpu-list", CORE_OF_CLIENT, "wrk", "--threads", "1", "--connections", CONNECTIONS]);
    wrk.args(["--duration", &format!("{SECONDS}s")]);
    if !server.cookie.is_empty() {
        wrk.args(["--header", &format!("Cookie: {}", server.cookie)]);
    }
    wrk.arg(format!("http://{}{}", server.address, server.path));
    let output = output(&mut wrk)?;
    rate(&output.stdout).ok_or_else(|| output.unexpected("no rate, or requests that failed"))
}

/// Reads the requests per second from the output of `wrk`, if all requests succeeded.
fn rate(output: &str) -> Option<f64> {
    let has_failed = output.contains("Non-2xx") || output.contains("Socket errors");
    let rate = output.lines().find_map(|line| line.split_once("Requests/sec:"))?.1.trim().parse().ok()?;
    (!has_failed).then_some(rate)
}

/// A server. Dropping it ends the process.
struct Server {
    process: Child,
    address: String,
    path: String,
    cookie: String,
}

impl Server {
    fn start(programs: &Programs, subject: &str) -> Result<Self> {
        let mut taskset = Command::new("taskset");
        taskset.args(["--cpu-list", CORE_OF_SERVER]).arg(programs.path("serve")).arg(subject);
        let line = format!("{taskset:?}");
        let start = taskset.stdout(Stdio::piped()).spawn();
        let mut process = start.map_err(|source| Error::Start { line: line.clone(), source })?;
        let mut first_line = String::new();
        if let Some(stdout) = process.stdout.take() {
            // If the server ends before, its line is not complete, and that is seen below.
            let _ = BufReader::new(stdout).read_line(&mut first_line);
        }
        let mut words = first_line.trim().splitn(3, ' ').map(str::to_owned);
        let mut word = || words.next().unwrap_or_default();
        let server = Self { process, address: word(), path: word(), cookie: word() };
        if server.path.is_empty() { Err(Error::Output { line, what: "no address" }) } else { Ok(server) }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An error is fine: the process has ended by itself.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a number of requests")]
const fn whole(rate: f64) -> u64 {
    rate as u64
}

const CASES: [&str; 3] = ["untouched-no-cookie", "read-300", "write-300"];
const LAYERS: [&str; 2] = ["nexios", "tower-sessions-signed"];
const ROUNDS: usize = 5;
const SECONDS: u64 = 5;
const CONNECTIONS: &str = "64";
/// The core of `wrk`. If there is only one core, `taskset` fails and says so.
const CORE_OF_SERVER: &str = "0";
const CORE_OF_CLIENT: &str = "1";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_read_if_all_requests_succeeded() {
        let of = |more: &str| rate(&format!("  5 requests in 5.00s, 1.00MB read\n{more}Requests/sec:  51452.25\n"));
        assert_eq!(of(""), Some(51452.25));
        assert_eq!(of("  Non-2xx or 3xx responses: 5\n"), None);
        assert_eq!(of("  Socket errors: connect 0, read 1, write 0, timeout 0\n"), None);
        assert_eq!(rate(""), None);
    }
}
