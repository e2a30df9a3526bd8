//! A module of the runtime imports only what stands above it (`docs/architecture.md` has the table).

use std::collections::BTreeSet;

use structure::{CrateSources, folder, imports};

/// The modules from the top down. Modules of one row never import one another.
const ROWS: &[&[&str]] = &[
    &["diag", "error", "hex", "network", "token"],
    &["thread"],
    &["attribute"],
    &["sampling"],
    &["semconv"],
    &["config"],
    &["propagation"],
    &["recorder"],
    &["pipeline"],
    &["exporter"],
    &["remote_sampling"],
    &["provider"],
];

/// The modules beside the rows. Each stands on a row, or on another side module, and may import what that may import. Side modules never
/// import one another otherwise.
const SIDES: &[(&str, &str)] = &[
    ("client", "recorder"),
    ("inbound", "recorder"),
    ("__private", "inbound"),
    ("actix", "inbound"),
    // A capture takes the settings of the service that it tests.
    ("testing", "provider"),
];

/// Imports that break the table today. Each row says why. New ones are not wanted.
const EXCEPTIONS: &[(&str, &str)] = &[];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

fn may_import(importer: &str, imported: &str) -> bool {
    let base = SIDES.iter().find(|(side, _)| *side == importer);
    match (base, row(importer), row(imported)) {
        (Some((_, base)), _, _) => *base == imported || may_import(base, imported),
        (None, Some(importer), Some(imported)) => imported < importer,
        _ => false,
    }
}

/// The module of the crate's root that a file belongs to.
fn top(file: &str) -> &str {
    let top = file.split('/').next().unwrap_or(file);
    top.strip_suffix(".rs").unwrap_or(top)
}

#[test]
fn modules_import_only_what_stands_above_them() {
    let all = imports(&CrateSources::read(&folder("runtime/src")));
    assert!(all.len() > 100, "the imports are found");
    let mut used = BTreeSet::new();
    let mut broken = Vec::new();
    for import in &all {
        let (importer, imported) = (top(&import.by), top(&import.of));
        // The root declares all modules, and re-exports what users name.
        if importer == "lib" || importer == imported || may_import(importer, imported) {
            continue;
        }
        if EXCEPTIONS.contains(&(importer, imported)) {
            used.insert((importer, imported));
        } else {
            broken.push(format!(
                "{} imports {} of {}",
                import.by, import.path, import.of
            ));
        }
    }
    assert!(
        broken.is_empty(),
        "these imports break the table of layers:\n{}",
        broken.join("\n")
    );
    for exception in EXCEPTIONS {
        assert!(
            used.contains(exception),
            "{exception:?} is not needed any more: delete its row of EXCEPTIONS"
        );
    }
}
