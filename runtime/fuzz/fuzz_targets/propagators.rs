//! `cargo +nightly fuzz run propagators -- -max_len=16384 -timeout=1` in `runtime`.

#![no_main]

#[path = "../../tests/fuzzed/propagators.rs"]
mod propagators;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| propagators::propagate(bytes));
