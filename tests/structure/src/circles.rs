//! Finds files that import each other, directly or by way of others.

use std::collections::{BTreeMap, BTreeSet};

use crate::imports::Import;

/// Groups of files, each of which reaches each other file of its group by imports.
#[must_use]
pub fn circles(imports: &BTreeSet<Import>) -> Vec<BTreeSet<String>> {
    let mut of: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for import in imports {
        of.entry(&import.by).or_default().insert(&import.of);
    }
    let reach: BTreeMap<_, _> = of.keys().map(|file| (*file, reached(&of, file))).collect();
    let mut circles = Vec::new();
    for (file, reached) in &reach {
        let returns = |other: &&str| reach.get(other).is_some_and(|back| back.contains(file));
        let circle: BTreeSet<_> = reached.iter().copied().filter(returns).collect();
        if circle.first() == Some(file) {
            circles.push(circle.into_iter().map(str::to_owned).collect());
        }
    }
    circles
}

/// The files that `file` imports, and those that they import.
fn reached<'a>(of: &BTreeMap<&'a str, BTreeSet<&'a str>>, file: &str) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut next: Vec<_> = of[file].iter().copied().collect();
    while let Some(file) = next.pop() {
        if reached.insert(file) {
            next.extend(of.get(file).into_iter().flatten());
        }
    }
    reached
}
