//! The links between the Markdown files.

use std::path::Path;

use super::Finding;

/// Finds relative links to files that do not exist. `file` is the path from the root of the file with this `text`.
///
/// A target with `::` is an item of Rust, in a page that rustdoc includes. Rustdoc checks those.
pub(super) fn check(root: &Path, file: &str, text: &str) -> Vec<Finding> {
    if !file.ends_with(".md") {
        return Vec::new();
    }
    let dead = |(_, target): &(usize, &str)| path_of(target).is_some_and(|path| !exists(root, file, path));
    let finding = |(line, target)| {
        Finding::new(format!("{file}:{line}"), format!("the link to `{target}` leads nowhere; correct its path"))
    };
    targets(text).into_iter().filter(dead).map(finding).collect()
}

fn exists(root: &Path, file: &str, path: &str) -> bool {
    let from_root = path.strip_prefix('/').map(|path| root.join(path));
    from_root.unwrap_or_else(|| root.join(file).with_file_name("").join(path)).exists()
}

/// Returns the part of a link's target that is a path in the repository, if there is one.
fn path_of(target: &str) -> Option<&str> {
    let path = target.split(['#', '?']).next().unwrap_or(target);
    let elsewhere = path.is_empty() || path.contains("::") || path.contains("://") || path.starts_with("mailto:");
    (!elsewhere).then_some(path)
}

/// Returns the targets of all links outside of code, `[text](target)` and `[name]: target`, with their line numbers.
fn targets(text: &str) -> Vec<(usize, &str)> {
    let mut targets = Vec::new();
    let mut fence = None;
    for (number, line) in (1..).zip(text.lines()) {
        let start = line.trim_start();
        let opens = ["```", "~~~"].into_iter().find(|mark| start.starts_with(mark));
        match (fence, opens) {
            (None, Some(mark)) => fence = Some(mark),
            (Some(open), Some(mark)) if open == mark => fence = None,
            (Some(_), _) => {}
            (None, None) => targets.extend(targets_in_line(start).into_iter().map(|target| (number, target))),
        }
    }
    targets
}

fn targets_in_line(line: &str) -> Vec<&str> {
    if let Some((_, target)) = line.strip_prefix('[').and_then(|rest| rest.split_once("]: ")) {
        return first_word(target).into_iter().collect();
    }
    let mut targets = Vec::new();
    for (start, _) in line.match_indices("](") {
        let in_code = line[..start].matches('`').count() % 2 == 1;
        let target = line[start + 2..].split(')').next().and_then(first_word);
        targets.extend(target.filter(|_| !in_code));
    }
    targets
}

/// Returns the target without the title after it and the angle brackets around it.
fn first_word(target: &str) -> Option<&str> {
    target.split_whitespace().next().map(|word| word.trim_start_matches('<').trim_end_matches('>'))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn links_are_read_and_code_is_not() {
        let text = "See [a](a.md), ![b](b.png \"title\") and [`c`](<c.md>).\n\
                    `[no](code.md)` but [yes](d.md#part)\n\
                    ```md\n[no](fence.md)\n```\n\
                    [name]: e.md\n";
        assert_eq!(targets(text), [(1, "a.md"), (1, "b.png"), (1, "c.md"), (2, "d.md#part"), (6, "e.md")]);
    }

    #[test]
    fn only_a_path_in_the_repository_must_exist() {
        let cases = [
            ("a.md", Some("a.md")),
            ("../a.md#part", Some("../a.md")),
            ("#part", None),
            ("https://www.rfc-editor.org/rfc/rfc6265", None),
            ("mailto:a@example.org", None),
            ("crate::SessionStore", None),
        ];
        for (target, expected) in cases {
            assert_eq!(path_of(target), expected, "{target}");
        }
    }

    #[test]
    fn a_dead_link_is_found_from_the_folder_of_its_file() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir(root.path().join("docs")).unwrap();
        fs::write(root.path().join("docs/a.md"), "").unwrap();

        let text = "[1](a.md) [2](docs/a.md)\n[3](../docs/a.md) [4](/docs/a.md) [5](.)\n";
        let findings = check(root.path(), "docs/b.md", text);
        assert_eq!(findings.len(), 1, "{findings:?}");
        assert_eq!(findings[0].place, "docs/b.md:1");
        assert!(findings[0].what.contains("`docs/a.md`"), "{findings:?}");
        assert_eq!(check(root.path(), "docs/b.rs", text), []);
    }
}
