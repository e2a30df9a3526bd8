//! A module may import only what stands above it (the design's layout). This reads the sources and says who breaks it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the top down; those of one row may not import one another.
const ROWS: &[&[&str]] = &[
    &["error", "diag"],
    &["attribute"],
    &["semconv"],
    &["config"],
    &["propagation", "sampling"],
    &["recorder"],
    &["pipeline"],
    &["exporter"],
    &["provider"],
];

/// Beside the rows: each module with what it stands on, a row or another module that stands on one. They import neither one another nor
/// what is below.
const SIDES: &[(&str, &str)] = &[
    ("__private", "recorder"),
    ("actix", "inbound"),
    ("client", "recorder"),
    ("inbound", "recorder"),
    // A capture is told its service's settings.
    ("testing", "provider"),
];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

fn stands_on(module: &str) -> Option<&'static str> {
    let mut sides = SIDES.iter();
    let (_, stands_on) = sides.find(|(side, _)| *side == module)?;
    Some(stands_on)
}

fn may_import(importer: &str, imported: &str) -> bool {
    match (stands_on(importer), row(importer), row(imported)) {
        _ if importer == imported => true,
        (Some(base), _, _) => base == imported || may_import(base, imported),
        (None, Some(importer), Some(imported)) => imported < importer,
        _ => false,
    }
}

fn sources(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn modules_import_only_what_stands_above_them() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let mut broken = Vec::new();
    for file in &files {
        let path = file.strip_prefix(&src).unwrap();
        let importer = path
            .iter()
            .next()
            .unwrap()
            .to_str()
            .unwrap()
            .trim_end_matches(".rs");
        if importer == "lib"
            || path
                .components()
                .any(|part| part.as_os_str().to_string_lossy().starts_with("tests"))
        {
            continue;
        }
        let text = fs::read_to_string(file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests").next().unwrap();
        let lines = code
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"));
        for line in lines {
            // The only module that knows the server's types is the adapter to it.
            if line.contains("actix_web") && importer != "actix" {
                broken.push(format!("{}: {importer} names actix_web", path.display()));
            }
            for import in line.split("crate::").skip(1) {
                let imported: String = import
                    .chars()
                    .take_while(|c| c.is_alphanumeric() || *c == '_')
                    .collect();
                let is_module = imported.starts_with(|c: char| c.is_lowercase() || c == '_')
                    && !imported.is_empty();
                if is_module && !may_import(importer, &imported) {
                    broken.push(format!("{}: {importer} imports {imported}", path.display()));
                }
            }
        }
    }
    assert!(
        files.len() > 20,
        "the sources are where this test looks for them"
    );
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
