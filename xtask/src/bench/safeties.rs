//! What a request takes more with encryption at rest and with synced files, each beside the same without it.

use super::options::Options;
use super::programs::Programs;
use super::spread::Spread;
use super::table::Table;
use crate::error::{Error, Result};

/// Measures and prints it.
pub(super) fn run(programs: &Programs, options: &Options) -> Result<()> {
    let dir = options.empty_dir()?;
    let line = programs.program("safeties").args([dir.path().to_string_lossy().into_owned()]);
    let measured = Measured::read(&line.output()?.stdout);
    let measured = measured.ok_or_else(|| Error::Output { line: line.to_string(), what: "no times" })?;
    measured.table().print("a request with what can be switched on: us, least / median");
    Ok(())
}

/// The nanoseconds of the rounds of each case on each store, in the order in which they were printed.
#[derive(Default)]
struct Measured {
    cases: Vec<String>,
    stores: Vec<String>,
    rows: Vec<Row>,
}

struct Row {
    case: String,
    store: String,
    nanos: Vec<u64>,
}

impl Measured {
    /// Lines of a case, a store and the nanoseconds, with tabs between them.
    fn read(printed: &str) -> Option<Self> {
        let mut measured = Self::default();
        for line in printed.lines() {
            let mut words = line.split('\t');
            let (case, store, nanos) = (words.next()?, words.next()?, words.next()?.parse().ok()?);
            measured.add(case, store, nanos);
        }
        Some(measured)
    }

    fn add(&mut self, case: &str, store: &str, nanos: u64) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.case == case && row.store == store) {
            row.nanos.push(nanos);
            return;
        }
        for (name, names) in [(case, &mut self.cases), (store, &mut self.stores)] {
            if !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
        self.rows.push(Row { case: case.to_owned(), store: store.to_owned(), nanos: vec![nanos] });
    }

    fn table(&self) -> Table {
        let mut table = Table::new(["store"].into_iter().map(str::to_owned).chain(self.cases.iter().cloned()));
        for store in &self.stores {
            let cells = self.cases.iter().map(|case| {
                let row = self.rows.iter().find(|row| row.case == *case && row.store == *store);
                row.map(|row| Spread::of(&row.nanos).micros()).unwrap_or_default()
            });
            table.row([store.clone()].into_iter().chain(cells));
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_become_the_cell_of_their_store_and_case() {
        let printed = "read\tmemory\t2000\nread\tfiles\t7000\nread\tmemory\t1000\nnew\tfiles\t40000\n";
        let measured = Measured::read(printed).unwrap();
        assert_eq!(
            (&measured.cases[..], &measured.stores[..]),
            (&["read", "new"].map(str::to_owned)[..], &["memory", "files"].map(str::to_owned)[..],)
        );
        assert_eq!(measured.rows[0].nanos, [2000, 1000]);
        assert!(Measured::read("read\tmemory\n").is_none());
    }
}
