//! Tables of our session layer beside the framework alone and beside other session layers.

use std::collections::BTreeMap;

use crate::error::Result;
use crate::plot::{Bars, Scale};
use crate::programs::{Counts, Programs};
use crate::spread::Spread;
use crate::table::{Table, thousands};

/// Measures all subjects of this build and prints the tables.
pub(crate) fn run(programs: &Programs) -> Result<()> {
    let subjects = programs.subjects();
    for framework in ["axum", "actix"] {
        Comparison::of(framework, &subjects).print(programs)?;
    }
    Ok(())
}

/// One framework's subjects, as rows and columns.
struct Comparison {
    framework: &'static str,
    subjects: Vec<String>,
    layers: Vec<String>,
    cases: Vec<String>,
}

impl Comparison {
    fn of(framework: &'static str, subjects: &[String]) -> Self {
        let mut comparison = Self { framework, subjects: Vec::new(), layers: Vec::new(), cases: Vec::new() };
        for subject in subjects {
            let [Some(of), Some(layer), Some(case)] = parts(subject) else { continue };
            if of != framework {
                continue;
            }
            comparison.subjects.push(subject.clone());
            if layer != BARE {
                add(&mut comparison.layers, layer);
                add(&mut comparison.cases, case);
            }
        }
        comparison
    }

    fn print(&self, programs: &Programs) -> Result<()> {
        let mut instructions = BTreeMap::new();
        for subject in &self.subjects {
            instructions.insert(subject.clone(), programs.instructions(subject)?);
        }
        self.print_instructions("instructions, by callgrind,", &instructions);
        self.draw_instructions(&instructions)?;
        self.print_instructions("instructions of the processor", &programs.steps(&self.subjects)?);

        let counts = programs.counts(&self.subjects)?;
        let bare = counts.get(&self.bare()).map_or(0.0, |counts| counts.allocations);
        let title = format!("{}: allocations over the handler alone, which makes {bare}", self.framework);
        self.table(|subject| Some(format!("{:.1}", counts.get(subject)?.allocations - bare))).print(&title);
        self.print_calls(programs, &counts)?;

        self.print_times(programs)
    }

    fn print_instructions(&self, what: &str, instructions: &BTreeMap<String, u64>) {
        let bare = instructions.get(&self.bare()).copied().unwrap_or(0);
        let title = format!("{}: {what} over the handler alone, which takes {}", self.framework, thousands(bare));
        self.table(|subject| Some(thousands(instructions.get(subject)?.saturating_sub(bare)))).print(&title);
    }

    /// Draws the instructions for `docs/performance.md`, if there is another layer to compare with.
    fn draw_instructions(&self, instructions: &BTreeMap<String, u64>) -> Result<()> {
        if self.layers.len() < 2 {
            return Ok(());
        }
        let bare = instructions.get(&self.bare()).copied().unwrap_or(0);
        let of = |layer: &str, case: &str| Some(instructions.get(&self.subject(layer, case))?.saturating_sub(bare));
        let series = self.layers.iter().map(|layer| {
            let heights = self.cases.iter().map(|case| of(layer, case)).collect();
            (layer.clone(), heights)
        });
        let title = format!("Instructions of a request over the handler alone, {}", self.framework);
        let (groups, series) = (&self.cases, series.collect());
        let bars = Bars { title: &title, y: "instructions", scale: Scale::Logarithmic, groups, series };
        bars.draw(&format!("requests-{}.svg", self.framework))
    }

    fn print_calls(&self, programs: &Programs, counts: &BTreeMap<String, Counts>) -> Result<()> {
        let mut table = Table::new(["case", "calls of the store", "system calls"].map(str::to_owned));
        for case in &self.cases {
            let subject = self.subject(OURS, case);
            if let Some(counts) = counts.get(&subject) {
                table.row([case.clone(), counts.store_calls.clone(), programs.system_calls(&subject)?]);
            }
        }
        table.print(&format!("{}: what ours asks of the store and of the system", self.framework));
        Ok(())
    }

    /// Prints times of whole requests, with the framework: the least and the median of the rounds, and the ratios
    /// of ours to each other layer.
    fn print_times(&self, programs: &Programs) -> Result<()> {
        let others = self.layers.iter().filter(|layer| *layer != OURS);
        let header = ["case".to_owned(), "the handler alone, ns".to_owned(), "ours, ns".to_owned()];
        let mut table = Table::new(header.into_iter().chain(others.map(|layer| format!("ours / {layer}"))));
        for case in &self.cases {
            let mut subjects = vec![self.bare()];
            subjects.extend(self.layers.iter().map(|layer| self.subject(layer, case)));
            subjects.retain(|subject| self.subjects.contains(subject));
            let times = programs.times(&subjects)?;
            let spread = |subject: &str| Some(Spread::of(times.get(subject)?));
            let Some(ours) = spread(&self.subject(OURS, case)) else { continue };
            let others = self.layers.iter().filter(|layer| *layer != OURS);
            let ratios = others.map(|layer| match spread(&self.subject(layer, case)) {
                Some(other) => ours.as_part_of(&other),
                None => String::new(),
            });
            let bare = spread(&self.bare()).map(|bare| bare.nanos()).unwrap_or_default();
            table.row([case.clone(), bare, ours.nanos()].into_iter().chain(ratios));
        }
        table.print(&format!("{}: time of a request, least / median of the rounds", self.framework));
        Ok(())
    }

    fn table(&self, cell: impl Fn(&str) -> Option<String>) -> Table {
        let mut table = Table::new(["case".to_owned()].into_iter().chain(self.layers.iter().cloned()));
        for case in &self.cases {
            let cells = self.layers.iter().map(|layer| cell(&self.subject(layer, case)).unwrap_or_default());
            table.row([case.clone()].into_iter().chain(cells));
        }
        table
    }

    fn subject(&self, layer: &str, case: &str) -> String {
        format!("{}/{layer}/{case}", self.framework)
    }

    fn bare(&self) -> String {
        self.subject(BARE, "untouched-no-cookie")
    }
}

fn parts(subject: &str) -> [Option<&str>; 3] {
    let mut parts = subject.split('/');
    [parts.next(), parts.next(), parts.next()]
}

fn add(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

const BARE: &str = "bare";
const OURS: &str = "nexios";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_become_rows_and_columns_of_their_framework() {
        let subjects = [
            "axum/bare/untouched-no-cookie",
            "axum/nexios/new",
            "axum/other/new",
            "axum/other/read",
            "actix/nexios/new",
        ];
        let axum = Comparison::of("axum", &subjects.map(str::to_owned));
        assert_eq!(
            (&axum.layers[..], &axum.cases[..]),
            (&["nexios", "other"].map(str::to_owned)[..], &["new", "read"].map(str::to_owned)[..])
        );
        assert_eq!(axum.bare(), subjects[0]);
    }
}
