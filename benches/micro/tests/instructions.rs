//! Holds the hot path to its budget, in instructions: `docs/performance.md` says where they go.

use std::process::Command;
use std::thread;

use micro_bench::callgrind::{Parts, Run, build, is_available, per_request};

/// The compiler that the budgets are true for: another one makes other code of the same source.
const RUSTC: &str = "rustc 1.95";

/// Instructions that recording adds to one request on the thread that serves it.
const RECORDED: f64 = 15_060.0;
/// The same where the sampler drops the trace.
const UNSAMPLED: f64 = 3_590.0;
/// Instructions of the export thread for one request of two spans.
const EXPORT: f64 = 1_040.0;
/// Instructions that a trace costs less if the verdict drops it, exporting included, at least.
const DROPPED: f64 = 1_000.0;

#[test]
fn the_hot_path_takes_no_more_instructions_than_it_did() {
    let version = Command::new("rustc").arg("--version").output();
    let version = version.map_or_else(
        |_| String::new(),
        |output| String::from_utf8_lossy(&output.stdout).into_owned(),
    );
    if !is_available() || !version.starts_with(RUSTC) || !cfg!(target_arch = "x86_64") {
        eprintln!(
            "SKIPPED: counting instructions takes valgrind and {RUSTC} on x86-64; this is {version}"
        );
        return;
    }
    let serve = build().expect("the benchmark builds");
    let [bare, traced, unsampled, kept, dropped] = thread::scope(|scope| {
        let serve = &serve;
        let count = |variant| scope.spawn(move || per_request(serve, variant).ok());
        ["bare", "traced", "unsampled", "kept", "dropped"]
            .map(count)
            .map(|run| run.join().ok().flatten().expect("callgrind runs"))
    });
    let total = |parts: &Parts| parts.values().sum::<f64>();
    for (what, expected, counted) in [
        (
            "recording",
            RECORDED,
            total(&traced.server) - total(&bare.server),
        ),
        (
            "not sampled",
            UNSAMPLED,
            total(&unsampled.server) - total(&bare.server),
        ),
        ("exporting", EXPORT, total(&traced.export)),
    ] {
        println!("{what}: {counted:.0} instructions a request");
        assert!(
            (counted / expected - 1.0).abs() <= 0.03,
            "{what} a request took {expected} instructions, and now takes {counted:.0}: where this is meant, set the new \
             figure here and in docs/performance.md (`cargo run -p micro-bench --bin budget`)"
        );
    }
    let whole = |run: &Run| total(&run.server) + total(&run.export);
    let less = whole(&kept) - whole(&dropped);
    println!("dropped by the verdict: {less:.0} instructions a request less than kept");
    assert!(
        less >= DROPPED,
        "a request that the verdict drops takes {less:.0} instructions less than one that it keeps, and is to take {DROPPED} less"
    );
}
