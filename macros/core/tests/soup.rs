//! No tokens make a macro panic, and a whole item stays whole: a few thousand random ones, and the corpus of the fuzzer.
//!
//! `cargo +nightly fuzz run soup` in `macros/core` looks for more.

#[path = "soup/expand.rs"]
mod expand;

use std::{fs, thread};

use expand::{SEPARATOR, expand};
use proptest::collection::vec;
use proptest::prelude::{ProptestConfig, any};
use proptest::proptest;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1024) })]

    #[test]
    fn of_arguments(name in any::<u8>(), args in vec(any::<u8>(), 0..24), item in any::<u8>()) {
        expand(&[&[name], &args[..], &[SEPARATOR, item]].concat());
    }

    #[test]
    fn of_items(name in any::<u8>(), args in any::<u8>(), item in vec(any::<u8>(), 0..24)) {
        expand(&[&[name, args, SEPARATOR], &item[..]].concat());
    }

    #[test]
    fn of_both(bytes in vec(any::<u8>(), 0..48)) {
        expand(&bytes);
    }
}

#[test]
fn of_the_corpus() {
    let expand_all = || {
        let corpus = concat!(env!("CARGO_MANIFEST_DIR"), "/fuzz/corpus/soup");
        let mut files = 0;
        for file in fs::read_dir(corpus).unwrap() {
            let path = file.unwrap().path();
            println!("{}", path.display());
            expand(&fs::read(path).unwrap());
            files += 1;
        }
        assert!(files > 0, "there is nothing in {corpus}");
    };
    // Deep nesting takes as much stack as rustc has, and more than a test has.
    let thread = thread::Builder::new().stack_size(8 << 20);
    thread.spawn(expand_all).unwrap().join().unwrap();
}
