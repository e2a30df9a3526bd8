//! A process of a test's own: the test runs its executable again, for this one test.

use std::env;
use std::process::Command;

const CHILD: &str = "TEST_CHILD";

/// Runs the test of that name again, in a process of its own with `variables`. Returns what that process wrote to stderr, and `None`
/// in that process. `test` is the path that the test harness shows, as in `module::test_function`.
///
/// # Panics
///
/// If the test fails in its process, or if there is no test of that name.
#[must_use]
pub fn rerun(test: &str, variables: &[(&str, &str)]) -> Option<String> {
    if env::var_os(CHILD).is_some() {
        return None;
    }
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .envs(variables.iter().copied())
        .env(CHILD, "1")
        .output()
        .unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{test}:\n{stdout}\n{stderr}");
    assert!(stdout.contains("running 1 test"), "no test named {test}");
    Some(stderr)
}
