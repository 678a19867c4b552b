//! The privileges of root, which reads every file whatever its mode. A test of modes has to do without them.

use std::env;
use std::process::Command;

use tempfile::NamedTempFile;

const WITHOUT: &str = "NEXIOS_TEST_WITHOUT_PRIVILEGES";

/// Returns whether the test has no privileges. If it has them, it runs the test of this name again without them, and
/// checks that it passes.
///
/// The test then runs as the same user, so the files that it creates are its own.
pub(crate) fn dropped(test: &str) -> bool {
    if let Some(report) = env::var_os(WITHOUT) {
        std::fs::write(report, test).unwrap();
        return true;
    }
    if !rustix::process::geteuid().is_root() {
        return true;
    }
    let report = NamedTempFile::new().unwrap();
    let mut command = Command::new("setpriv");
    command.args(["--inh-caps=-all", "--bounding-set=-all"]).arg(env::current_exe().unwrap());
    command.args(["--exact", test, "--nocapture"]).env(WITHOUT, report.path());
    let status = command.status().expect("`setpriv`, of util-linux, is installed");
    let ran = std::fs::read_to_string(report.path()).unwrap();
    assert!(status.success() && ran == test, "{test} has failed without privileges");
    false
}
