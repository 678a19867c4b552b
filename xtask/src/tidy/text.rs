//! The check of text files for leftovers and untidy lines.

use super::Finding;

/// Leftovers in Rust code, with advice. Each is written in two pieces, so that this file may contain it.
const LEFTOVERS: &[(&str, &str)] = &[
    (concat!("todo", "!"), "finish it, or describe it in an issue"),
    (concat!("unimplemented", "!"), "finish it, or take it out of the API"),
    (concat!("dbg", "!"), "take it out, or make it a tracing event"),
    (concat!("#[", "ignore"), "a test that does not run proves nothing: repair it or take it out"),
];

/// The ends of the names of files that consist of lines.
const LINES: &[&str] = &[".rs", ".toml", ".md", ".lock", ".yml", ".yaml", ".sh", ".sql", ".html", ".css", ".js"];

/// Checks one file. `file` is its path from the root.
pub(super) fn check(file: &str, text: &str) -> Vec<Finding> {
    let is = |ends: &[&str]| ends.iter().any(|end| file.ends_with(end));
    let mut findings = Vec::new();
    for (number, line) in (1..).zip(text.split('\n')) {
        if is(&[".rs", ".toml", ".md"]) && line.ends_with(char::is_whitespace) {
            findings.push(Finding::new(format!("{file}:{number}"), "take out the white space at the end of the line"));
        }
        for (leftover, advice) in LEFTOVERS.iter().filter(|(leftover, _)| is(&[".rs"]) && line.contains(leftover)) {
            findings.push(Finding::new(format!("{file}:{number}"), format!("`{leftover}` is left over; {advice}")));
        }
    }
    if is(LINES) && !text.is_empty() && !text.ends_with('\n') {
        findings.push(Finding::new(file, "end the last line with a newline"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leftovers_are_found_in_rust_code_only() {
        for (leftover, _) in LEFTOVERS {
            let text = format!("fn a() {{\n    {leftover}\n}}\n");
            let findings = check("src/a.rs", &text);
            assert_eq!(findings.len(), 1, "{leftover}");
            assert_eq!(findings[0].place, "src/a.rs:2");
            assert_eq!(check("docs/a.md", &text), []);
        }
    }

    #[test]
    fn lines_end_cleanly() {
        let cases = [
            ("a.rs", "mod a;\n", 0),
            ("a.rs", "", 0),
            ("a.rs", "mod a; \n", 1),
            ("a.md", "one\t\ntwo  \n", 2),
            ("a.toml", "[a]\r\n", 1),
            ("a.md", "no newline", 1),
            ("a.sh", "trailing \n", 0),
            ("a.bin", "no newline", 0),
        ];
        for (file, text, expected) in cases {
            assert_eq!(check(file, text).len(), expected, "{file}: {text:?}");
        }
    }
}
