//! What rustc says of a mistake in an annotated function: `fail/<case>.rs`, answered by `fail/<case>.stderr`.
//!
//! The words are rustc's and change with it, so they are held against the workspace's `rust-version` only. After a change
//! that is meant, run `TRYBUILD=overwrite cargo test -p ui --test ui` and read the difference.

use std::io::{self, Write};
use std::process::Command;

const STATED: &str = env!("CARGO_PKG_RUST_VERSION");

#[test]
fn rustc_points_at_the_users_code() {
    let version = Command::new("rustc").arg("--version").output().unwrap();
    let running = String::from_utf8(version.stdout).unwrap();
    if !running.starts_with(&format!("rustc {STATED}.")) {
        // Written past the test harness, which keeps the output of a test that passes to itself.
        writeln!(
            io::stderr(),
            "\nSKIPPED: rustc's messages are known for rustc {STATED} only, and this is {running}\n"
        )
        .unwrap();
        return;
    }
    trybuild::TestCases::new().compile_fail("fail/*.rs");
}
