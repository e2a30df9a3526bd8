//! Prints where the instructions of one request go, and the price of one more tag: the tables of `docs/performance.md`.

use std::error::Error;

use micro_bench::MORE;
use micro_bench::callgrind::{Parts, build, part_names, per_request};

/// One more tag, with the variant that has [`MORE`] of it.
const MORE_TAGS: [(&str, &str); 4] = [
    ("`i64`", "more-integers"),
    ("`f64`", "more-floats"),
    ("`&str` of 10 bytes", "more-short-texts"),
    ("`&str` of 100 bytes", "more-long-texts"),
];

fn main() -> Result<(), Box<dyn Error>> {
    let serve = build()?;
    let bare = per_request(&serve, "bare")?;
    let traced = per_request(&serve, "traced")?;
    let unsampled = per_request(&serve, "unsampled")?;
    let added = |parts: &Parts, part| parts[part] - bare.server[part];
    println!("| instructions a request | recorded | not sampled | export thread |");
    println!("|---|---:|---:|---:|");
    let row = |name, recorded: f64, unsampled: f64, export: f64| {
        println!("| {name} | {recorded:.0} | {unsampled:.0} | {export:.0} |");
    };
    for part in part_names() {
        let (recorded, unsampled) = (added(&traced.server, part), added(&unsampled.server, part));
        row(part, recorded, unsampled, traced.export[part]);
    }
    row(
        "**in all**",
        traced.total() - bare.total(),
        unsampled.total() - bare.total(),
        traced.export.values().sum(),
    );

    println!("\n| beside that | instructions |");
    println!("|---|---:|");
    for (name, variant) in MORE_TAGS {
        let more = per_request(&serve, variant)?.total() - traced.total();
        println!("| one more tag, {name} | {:.0} |", more / MORE as f64);
    }
    let strangers = per_request(&serve, "strangers")?.total();
    let strangers = strangers - per_request(&serve, "bare-for-strangers")?.total();
    let more = strangers - (traced.total() - bare.total());
    println!("| a client unlike all others, by host and agent | {more:.0} |");
    Ok(())
}
