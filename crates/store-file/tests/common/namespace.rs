//! A mount namespace for one test. The test can mount what it likes there, and nobody else sees it.

use std::env;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::NamedTempFile;

const INSIDE: &str = "NEXIOS_TEST_INSIDE";

/// Returns whether the test is inside of such a namespace. Outside, it runs the test of this name again inside, and
/// checks that it passes.
///
/// Root can make such a namespace. Other users become the root of a user namespace for it, if the system lets them.
pub(crate) fn entered(test: &str) -> bool {
    if let Some(report) = env::var_os(INSIDE) {
        std::fs::write(report, test).unwrap();
        return true;
    }
    let report = NamedTempFile::new().unwrap();
    let mut command = Command::new("unshare");
    if !rustix::process::geteuid().is_root() {
        command.args(["--user", "--map-root-user"]);
    }
    command.arg("--mount").arg(env::current_exe().unwrap()).args(["--exact", test, "--nocapture"]);
    let status = command.env(INSIDE, report.path()).status().expect("`unshare`, of util-linux, is installed");
    let ran = std::fs::read_to_string(report.path()).unwrap();
    assert!(ran == test, "{test} could not have a mount namespace: that takes root, or user namespaces for everybody");
    assert!(status.success(), "{test} has failed inside of its mount namespace");
    false
}

/// Mounts a file system in memory.
pub(crate) fn mount_memory(options: &str, at: &Path) {
    assert_done(&mount(&["-t", "tmpfs", "-o", options, "tmpfs"], at));
}

/// Makes something appear at another place, too.
pub(crate) fn bind(what: &str, at: &Path) {
    assert_done(&mount(&["--bind", what], at));
}

/// Makes a mounted file system read-only (`ro`) or writable (`rw`). Returns whether that worked.
pub(crate) fn remounted(how: &str, at: &Path) -> bool {
    mount(&["-o", &format!("remount,{how}")], at).status.success()
}

pub(crate) fn unmount(at: &Path) {
    assert_done(&Command::new("umount").arg(at).output().expect("`umount` is installed"));
}

fn mount(args: &[&str], at: &Path) -> Output {
    Command::new("mount").args(args).arg(at).output().expect("`mount` is installed")
}

fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
