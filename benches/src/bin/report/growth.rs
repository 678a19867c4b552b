//! Tables and plots of times that grow with something.

use std::collections::BTreeMap;

use crate::command::output;
use crate::error::Result;
use crate::options::Options;
use crate::plot::{Plot, Series};
use crate::programs::Programs;
use crate::spread::Spread;
use crate::table::{Table, thousands};

/// Measures the times, prints them, and draws them for `docs/performance.md`.
pub(crate) fn run(programs: &Programs, options: &Options) -> Result<()> {
    let dir = options.empty_dir()?;
    let sessions = options.sessions_or(DEFAULT_SESSIONS).to_string();
    let output = output(programs.program("growth").arg(dir.path()).arg(sessions))?;
    let measured = read(&output.stdout).ok_or_else(|| output.unexpected("no times"))?;
    for (name, what, x) in PLOTS {
        let Some(series) = measured.get(name) else { continue };
        table(x, series).print(&format!("{what}, ns, median of the rounds"));
        Plot { title: what, x, y: "nanoseconds", series: lines(series) }.draw(&format!("growth-{name}.svg"))?;
    }
    Ok(())
}

/// For each plot: the name of what grows, the title, and the words for the x axis.
const PLOTS: [(&str, &str, &str); 5] = [
    ("size", "A request, with the size of its session", "bytes of the session's other key"),
    ("values", "A request, with the values of its session", "the session's other keys"),
    ("sessions", "An operation of a store, with the sessions in it", "sessions of 1,009 bytes"),
    ("clients", "A request, with the clients at the same time", "clients"),
    ("keys", "The verification of a cookie, with the keys in the ring", "keys"),
];

/// The nanoseconds of the rounds, by the size that was reached.
type Points = BTreeMap<u64, Vec<u64>>;

/// Reads lines with four words and tabs between them: what grows, what was measured, the size, and the nanoseconds.
fn read(printed: &str) -> Option<BTreeMap<String, BTreeMap<String, Points>>> {
    let mut measured: BTreeMap<String, BTreeMap<String, Points>> = BTreeMap::new();
    for line in printed.lines() {
        let mut words = line.split('\t');
        let (grows, series) = (words.next()?, words.next()?);
        let (to, nanos) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
        let of = measured.entry(grows.to_owned()).or_default().entry(series.to_owned()).or_default();
        of.entry(to).or_default().push(nanos);
    }
    Some(measured)
}

fn table(x: &str, series: &BTreeMap<String, Points>) -> Table {
    let mut table = Table::new([x.to_owned()].into_iter().chain(series.keys().cloned()));
    let mut all: Vec<u64> = series.values().flat_map(|points| points.keys().copied()).collect();
    all.sort_unstable();
    all.dedup();
    for to in all {
        let cells = series.values().map(|points| points.get(&to).map(|nanos| median(nanos)));
        let cells = cells.map(|nanos| nanos.map(thousands).unwrap_or_default());
        table.row([thousands(to)].into_iter().chain(cells));
    }
    table
}

fn lines(series: &BTreeMap<String, Points>) -> Vec<Series> {
    let line = |(name, points): (&String, &Points)| Series {
        name: name.clone(),
        points: points.iter().map(|(to, nanos)| (*to, median(nanos))).collect(),
    };
    series.iter().map(line).collect()
}

fn median(nanos: &[u64]) -> u64 {
    u64::try_from(Spread::of(nanos).median.as_nanos()).unwrap_or(u64::MAX)
}

/// The default is small, because a million files need 6 GB and some minutes.
const DEFAULT_SESSIONS: usize = 100_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_become_their_median() {
        let printed = "keys\tforged\t1\t300\nkeys\tforged\t1\t200\nkeys\tforged\t1\t900\nkeys\tforged\t32\t9000\n";
        let measured = read(printed).unwrap();
        let lines = lines(&measured["keys"]);
        assert_eq!(lines, [Series { name: "forged".to_owned(), points: vec![(1, 300), (32, 9000)] }]);
        assert_eq!(read("keys\tforged\t1\n"), None);
    }
}
