//! What a live session takes in the store in memory.

use super::programs::Programs;
use super::table::{Table, thousands};
use crate::error::{Error, Result};

/// Measures and prints it.
pub(super) fn run(programs: &Programs) -> Result<()> {
    let line = programs.program("memory");
    let output = line.output()?.stdout;
    let mut table = Table::new(["sessions", "bytes as JSON", "logged in", "bytes of memory each"].map(str::to_owned));
    for text in output.lines() {
        let row = row(text).ok_or_else(|| Error::Output { line: line.to_string(), what: "no bytes" })?;
        table.row(row);
    }
    table.print("the store in memory, with all that is around a session");
    Ok(())
}

/// Size, whether somebody is logged in, number and bytes, with tabs between them.
fn row(text: &str) -> Option<[String; 4]> {
    let words: Vec<&str> = text.split('\t').collect();
    let [len, is_logged_in, count, bytes] = words[..] else { return None };
    let number = |text: &str| text.parse().ok().map(thousands);
    let is_logged_in = if is_logged_in == "true" { "yes" } else { "no" };
    Some([number(count)?, number(len)?, is_logged_in.to_owned(), number(bytes)?])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_becomes_a_row() {
        assert_eq!(row("4059\ttrue\t1000\t3879"), Some(["1,000", "4,059", "yes", "3,879"].map(str::to_owned)));
        assert_eq!(row("4059\ttrue\t1000\tmany"), None);
        assert_eq!(row(""), None);
    }
}
