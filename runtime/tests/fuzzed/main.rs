//! Replays the inputs that the fuzzers keep in `runtime/fuzz/corpus`. The targets in `runtime/fuzz/fuzz_targets` run the same
//! checks on new inputs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod propagators;
mod requests;

use std::fs;
use std::path::Path;

fn replay(corpus: &str, check: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/corpus")
        .join(corpus);
    let mut inputs = 0;
    let files =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    for file in files {
        let path = file.unwrap().path();
        println!("{}", path.display());
        check(&fs::read(path).unwrap());
        inputs += 1;
    }
    assert!(inputs > 0, "{} is empty", folder.display());
}

#[test]
fn propagators_read_what_they_write_for_each_kept_input() {
    replay("propagators", propagators::propagate);
}

#[test]
fn service_answers_and_records_each_kept_input() {
    replay("requests", requests::serve);
}
