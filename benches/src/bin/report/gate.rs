//! The gate: requests of ours, and operations of the file store, may cost what `benches/gate.json` says.
//!
//! The file has the numbers that come out the same each time. These are instructions under callgrind, within a
//! tolerance, and the exact numbers of allocations, calls of the store and system calls. Another compiler makes other
//! code, and the C library and *ring* choose their code by what the processor can do. So instructions are compared only
//! with the tools and the processor that they were counted with.

use std::collections::BTreeMap;
use std::fs;
use std::process::Command;

use serde::{Deserialize, Serialize};

use crate::command::output;
use crate::error::{Error, Result};
use crate::programs::Programs;
use crate::table::{Table, thousands};

/// The numbers, and the tools that counted them.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    counted_with: String,
    #[serde(flatten)]
    costs: Costs,
}

/// The costs of all requests and operations, by name.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Costs {
    requests: BTreeMap<String, Cost>,
    /// The system calls of operations of the file store.
    operations: BTreeMap<String, String>,
}

/// The costs of one request over the framework alone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Cost {
    instructions: u64,
    allocations: u64,
    store_calls: String,
    system_calls: String,
}

/// Measures and prints all costs, and fails if one is not as in the file. Fewer instructions do not fail.
pub(crate) fn check(programs: &Programs) -> Result<()> {
    let text = fs::read_to_string(FILE).map_err(|source| Error::Read { path: FILE.into(), source })?;
    let kept: Kept = serde_json::from_str(&text).map_err(|source| Error::Json { path: FILE.into(), source })?;
    let tools = tools()?;
    let same_tools = tools == kept.counted_with;
    if !same_tools {
        println!("\n!!! INSTRUCTIONS NOT CHECKED: they were counted with {}, and this is {tools}\n", kept.counted_with);
    }
    let mut findings = findings(&kept.costs, &measure(programs)?, same_tools);
    if !findings.is_empty() {
        // Ids and the seeds of hash tables are random, so the growing tables of `new` make a difference of a percent or
        // two.
        println!("\nThese are not the numbers in the file, so everything is measured once more.");
        findings = self::findings(&kept.costs, &measure(programs)?, same_tools);
    }
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() { Ok(()) } else { Err(Error::Dearer(findings.len())) }
}

/// Measures all costs and writes them into the file.
pub(crate) fn update(programs: &Programs) -> Result<()> {
    let kept = Kept { counted_with: tools()?, costs: measure(programs)? };
    let text = serde_json::to_string_pretty(&kept).map_err(|source| Error::Json { path: FILE.into(), source })?;
    fs::write(FILE, text + "\n").map_err(|source| Error::Write { path: FILE.into(), source })
}

fn measure(programs: &Programs) -> Result<Costs> {
    Ok(Costs { requests: requests(programs)?, operations: operations(programs)? })
}

fn operations(programs: &Programs) -> Result<BTreeMap<String, String>> {
    let mut operations = BTreeMap::new();
    let mut table = Table::new(["operation", "system calls"].map(str::to_owned));
    for name in programs.file_operations() {
        let calls = programs.system_calls(name)?;
        table.row([name.to_owned(), calls.clone()]);
        operations.insert(name.to_owned(), calls);
    }
    table.print("System calls of the file store:");
    Ok(operations)
}

fn requests(programs: &Programs) -> Result<BTreeMap<String, Cost>> {
    let subjects = programs.subjects();
    let counts = programs.counts(&subjects)?;
    let mut bare = BTreeMap::new();
    let mut costs = BTreeMap::new();
    let header = ["request", "instructions", "allocations", "store calls", "system calls"];
    let mut table = Table::new(header.map(str::to_owned));
    for subject in subjects {
        let Some(counts) = counts.get(&subject) else { continue };
        let framework = subject.split('/').next().unwrap_or_default().to_owned();
        let cost = Cost {
            instructions: programs.instructions(&subject)?,
            // A table that grows now and then adds a fraction of an allocation.
            allocations: whole(counts.allocations),
            store_calls: counts.store_calls.clone(),
            system_calls: programs.system_calls(&subject)?,
        };
        // The framework alone comes before the layers on it.
        let Some(base) = bare.get(&framework) else {
            bare.insert(framework, cost);
            continue;
        };
        let cost = cost.over(base);
        table.row([
            subject.clone(),
            thousands(cost.instructions),
            cost.allocations.to_string(),
            cost.store_calls.clone(),
            cost.system_calls.clone(),
        ]);
        costs.insert(subject, cost);
    }
    table.print("What a request costs over the framework alone:");
    Ok(costs)
}

impl Cost {
    fn over(&self, base: &Self) -> Self {
        Self {
            instructions: self.instructions.saturating_sub(base.instructions),
            allocations: self.allocations.saturating_sub(base.allocations),
            store_calls: self.store_calls.clone(),
            system_calls: self.system_calls.clone(),
        }
    }
}

/// Returns the costs that are not as in the file. Fewer instructions are only printed, so that you write them down.
fn findings(kept: &Costs, now: &Costs, same_tools: bool) -> Vec<String> {
    let mut findings = Vec::new();
    for (name, calls, before) in in_both(&now.operations, &kept.operations, &mut findings) {
        if calls != before {
            findings.push(format!("{name}: system calls are {calls}, and {before} before; {ADVICE}"));
        }
    }
    for (subject, cost, before) in in_both(&now.requests, &kept.requests, &mut findings) {
        let mut is = |what: &str, now: String, before: String| {
            findings.push(format!("{subject}: {what} {now}, and {before} before; {ADVICE}"));
        };
        if cost.allocations != before.allocations {
            is("allocations are", cost.allocations.to_string(), before.allocations.to_string());
        }
        if cost.store_calls != before.store_calls {
            is("store calls are", cost.store_calls.clone(), before.store_calls.clone());
        }
        if cost.system_calls != before.system_calls {
            is("system calls are", cost.system_calls.clone(), before.system_calls.clone());
        }
        let tolerance = before.instructions * TOLERANCE_PERCENT / 100;
        if same_tools && cost.instructions > before.instructions + tolerance {
            is("instructions are", thousands(cost.instructions), thousands(before.instructions));
        }
        if same_tools && cost.instructions + tolerance < before.instructions {
            println!("{subject}: cheaper than {} instructions; {ADVICE}", thousands(before.instructions));
        }
    }
    findings
}

/// Returns the costs that are measured and in the file. A name that is missing on one side becomes a finding.
fn in_both<'a, T>(
    now: &'a BTreeMap<String, T>,
    kept: &'a BTreeMap<String, T>,
    findings: &mut Vec<String>,
) -> Vec<(&'a String, &'a T, &'a T)> {
    for name in kept.keys().filter(|name| !now.contains_key(*name)) {
        findings.push(format!("{name}: is in {FILE}, but is not measured any more"));
    }
    for name in now.keys().filter(|name| !kept.contains_key(*name)) {
        findings.push(format!("{name}: is not in {FILE}; {ADVICE}"));
    }
    now.iter().filter_map(|(name, cost)| Some((name, cost, kept.get(name)?))).collect()
}

/// Returns what the number of instructions depends on beside our code: compiler, valgrind, C library, processor.
fn tools() -> Result<String> {
    let first_line = |program: &str| -> Result<String> {
        let output = output(Command::new(program).arg("--version"))?;
        Ok(output.stdout.lines().next().unwrap_or_default().trim().to_owned())
    };
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let vectors = if processor.contains(" avx2 ") { "with AVX2" } else { "without AVX2" };
    Ok([first_line("rustc")?, first_line("valgrind")?, first_line("ldd")?, vectors.to_owned()].join("; "))
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small number that is not negative")]
const fn whole(allocations: f64) -> u64 {
    allocations as u64
}

const FILE: &str = "benches/gate.json";
const TOLERANCE_PERCENT: u64 = 3;
const ADVICE: &str = "if that is meant, write it down with `cargo xtask bench --gate --update`";

#[cfg(test)]
mod tests {
    use super::*;

    fn costs(instructions: u64, allocations: u64, store_calls: &str) -> Costs {
        let (store_calls, system_calls) = (store_calls.to_owned(), "getrandom 1".to_owned());
        let cost = Cost { instructions, allocations, store_calls, system_calls };
        let operations = BTreeMap::from([("file/load".to_owned(), "close 1, openat 1".to_owned())]);
        Costs { requests: BTreeMap::from([("axum/nexios/read-300".to_owned(), cost)]), operations }
    }

    #[test]
    fn a_request_that_has_become_dearer_is_found() {
        let kept = costs(10_000, 20, "load 1");
        for (now, finding) in [
            (costs(10_000, 20, "load 1"), None),
            (costs(10_300, 20, "load 1"), None),
            (costs(9_000, 20, "load 1"), None),
            (costs(10_301, 20, "load 1"), Some("instructions are 10,301, and 10,000 before")),
            (costs(10_000, 21, "load 1"), Some("allocations are 21, and 20 before")),
            (costs(10_000, 19, "load 1"), Some("allocations are 19, and 20 before")),
            (costs(10_000, 20, "load 2"), Some("store calls are load 2, and load 1 before")),
        ] {
            let found = findings(&kept, &now, true);
            match finding {
                None => assert_eq!(found, [""; 0]),
                Some(finding) => assert!(found.len() == 1 && found[0].contains(finding), "{found:?}"),
            }
        }
    }

    #[test]
    fn changed_system_calls_are_found() {
        let kept = costs(10_000, 20, "load 1");
        let mut now = costs(10_000, 20, "load 1");
        "close 1, fstat 1, openat 1".clone_into(now.operations.get_mut("file/load").unwrap());
        "-".clone_into(&mut now.requests.get_mut("axum/nexios/read-300").unwrap().system_calls);
        let found = findings(&kept, &now, true);
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("close 1, fstat 1, openat 1, and close 1, openat 1 before"), "{found:?}");
        assert!(found[1].contains("system calls are -, and getrandom 1 before"), "{found:?}");
    }

    #[test]
    fn with_other_tools_all_but_instructions_is_compared() {
        let kept = costs(10_000, 20, "load 1");
        assert_eq!(findings(&kept, &costs(90_000, 20, "load 1"), false), [""; 0]);
        assert_eq!(findings(&kept, &costs(90_000, 21, "load 1"), false).len(), 1);
    }

    #[test]
    fn a_name_on_one_side_only_is_found() {
        let some = costs(10_000, 20, "load 1");
        assert_eq!(findings(&some, &Costs::default(), true).len(), 2);
        assert_eq!(findings(&Costs::default(), &some, true).len(), 2);
    }
}
