//! `cargo +nightly fuzz run requests -- -max_len=4096 -timeout=1` in `runtime`.

#![no_main]

#[path = "../../tests/fuzzed/requests.rs"]
mod requests;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| requests::serve(bytes));
