//! Counts of the system calls that `strace` prints.

use std::collections::BTreeMap;

/// Counts the calls of one operation, if there were `operations` between the looks at `/begin` and at `/end`.
///
/// A count has one decimal if the operations did not all make the same calls. Returns `None` if a look is missing.
pub(crate) fn of_each(trace: &str, operations: usize) -> Option<String> {
    let (_, trace) = trace.split_once("\"/begin\"")?;
    let (trace, _) = trace.split_once("\"/end\"")?;
    // The last line begins the second look.
    let (trace, _) = trace.rsplit_once('\n')?;
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    // The first line is the rest of the first look.
    for name in trace.lines().skip(1).filter_map(name) {
        *counts.entry(name).or_default() += 1;
    }
    let each = counts.iter().map(|(name, count)| match (count / operations, count % operations) {
        (each, 0) => format!("{name} {each}"),
        (each, rest) => format!("{name} {each}.{}", rest * 10 / operations),
    });
    let each = each.collect::<Vec<_>>().join(", ");
    Some(if each.is_empty() { "-".to_owned() } else { each })
}

/// Returns the name of the call that a line begins. With several threads, `[pid 4711] ` is in front of it.
fn name(line: &str) -> Option<&str> {
    let call = line.strip_prefix("[pid").and_then(|line| Some(line.split_once("] ")?.1)).unwrap_or(line);
    let (name, _) = call.split_once('(')?;
    // `<... flock resumed>` is the end of a call that another thread interrupted, and `--- SIGCHLD` is no call.
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_').then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRACE: &str = r#"openat(AT_FDCWD, "/etc/ld.so.cache", O_RDONLY|O_CLOEXEC) = 3
statx(AT_FDCWD, "/begin", AT_STATX_SYNC_AS_STAT, STATX_ALL, 0x7ffe) = -1 ENOENT (No such file or directory)
[pid  4712] flock(9, LOCK_EX|LOCK_NB <unfinished ...>
[pid  4711] openat(3, "ab/abcd", O_RDONLY) = 10
[pid  4712] <... flock resumed>) = 0
--- SIGCHLD {si_signo=SIGCHLD} ---
openat(3, "cd/cdef", O_RDONLY) = 10
flock(9, LOCK_UN) = 0
statx(AT_FDCWD, "/end", AT_STATX_SYNC_AS_STAT, STATX_ALL, 0x7ffe) = -1 ENOENT (No such file or directory)
close(3) = 0
"#;

    #[test]
    fn calls_between_the_marks_are_counted_for_each_operation() {
        assert_eq!(of_each(TRACE, 2).as_deref(), Some("flock 1, openat 1"));
        assert_eq!(of_each(TRACE, 1).as_deref(), Some("flock 2, openat 2"));
    }

    #[test]
    fn operations_that_differ_have_a_fraction() {
        assert_eq!(of_each(TRACE, 4).as_deref(), Some("flock 0.5, openat 0.5"));
    }

    #[test]
    fn a_trace_without_the_marks_has_no_number() {
        assert_eq!(of_each("openat(3) = 4\n", 1), None);
    }

    #[test]
    fn no_calls_are_a_dash() {
        let trace = "statx(AT_FDCWD, \"/begin\") = -1\nstatx(AT_FDCWD, \"/end\") = -1\n";
        assert_eq!(of_each(trace, 100).as_deref(), Some("-"));
    }
}
