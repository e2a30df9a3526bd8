//! A module may import only what stands above it (the design's layout). This reads the sources and says who breaks it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

/// The modules from the top down; those of one row may not import one another.
const ROWS: &[&[&str]] = &[
    &["error", "diag"],
    &["attribute", "semconv"],
    &["config"],
    &["propagation", "sampling"],
    &["recorder"],
    &["pipeline"],
    &["exporter"],
    &["provider"],
];

/// `testing` sees the provider, since a capture is told its service's settings. Beside the rows: each with the row that it stands on. Side modules import neither one another nor what is below.
const SIDES: &[(&str, &str)] = &[
    ("__private", "recorder"),
    ("actix", "recorder"),
    ("client", "recorder"),
    ("testing", "provider"),
];

/// The macros' private API and the middleware serve one another: handlers are part of both.
const EXCEPTIONS: &[(&str, &str)] = &[("actix", "__private"), ("__private", "actix")];

fn row(module: &str) -> Option<usize> {
    ROWS.iter().position(|row| row.contains(&module))
}

fn may_import(importer: &str, imported: &str) -> bool {
    if importer == imported || EXCEPTIONS.contains(&(importer, imported)) {
        return true;
    }
    let stands_on = SIDES
        .iter()
        .find(|(side, _)| *side == importer)
        .map(|(_, stands_on)| *stands_on);
    match (row(importer), stands_on.and_then(row), row(imported)) {
        (Some(importer), _, Some(imported)) => imported < importer,
        (None, Some(stands_on), Some(imported)) => imported <= stands_on,
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
