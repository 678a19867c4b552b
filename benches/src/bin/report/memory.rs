//! The table of the memory that a live session takes in the store in memory.

use crate::command::output;
use crate::error::Result;
use crate::programs::Programs;
use crate::table::{Table, thousands};

/// Measures the memory and prints the table.
pub(crate) fn run(programs: &Programs) -> Result<()> {
    let output = output(&mut programs.program("memory"))?;
    let mut table = Table::new(["sessions", "bytes as JSON", "logged in", "bytes of memory each"].map(str::to_owned));
    for line in output.stdout.lines() {
        table.row(row(line).ok_or_else(|| output.unexpected("no bytes"))?);
    }
    table.print("the store in memory, with all that is around a session");
    Ok(())
}

/// Reads a line with four words and tabs between them: the size, whether a user is logged in, the number and the bytes.
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
