//! The command line, run on small projects: what it prints, and how it exits.
//!
//! Each run's output is in `tests/snapshots/<name>`. After a change that is meant, run
//! `UPDATE_SNAPSHOTS=1 cargo test -p cargo-biztrace` and read the difference.

mod check;
mod hostile;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(name)
}

/// Runs `cargo biztrace` in a folder, as cargo would.
fn biztrace(folder: &Path, arguments: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_cargo-biztrace"))
        .arg("biztrace")
        .args(arguments.split_whitespace())
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env_remove("CLICOLOR_FORCE")
        .output()
        .expect("a binary that runs")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("text")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("text")
}

/// Runs it on a fixture, and compares what it prints and how it exits with what is recorded.
fn assert_recorded(snapshot: &str, in_fixture: &str, arguments: &str) {
    let output = biztrace(&fixture(in_fixture), arguments);
    let code = output.status.code().expect("an exit code");
    let now = format!(
        "{}--- exit code {code}\n{}",
        stdout(&output),
        stderr(&output)
    );
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/snapshots")
        .join(snapshot);
    if env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&path, &now).expect("a writable snapshot");
    }
    let recorded = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        recorded == now,
        "{snapshot}, recorded:\n{recorded}\n{snapshot}, now:\n{now}"
    );
}

/// An empty folder for one test.
fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("src")).expect("a writable folder");
    let manifest = format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n\n[workspace]\n");
    fs::write(folder.join("Cargo.toml"), manifest).expect("a writable folder");
    folder
}

#[test]
fn expand_shows_all_that_is_generated() {
    assert_recorded("expand.txt", "orders", "expand");
}

#[test]
fn expand_shows_a_change_of_the_source() {
    assert_recorded("diff.txt", "orders", "expand --diff");
}

#[test]
fn expand_takes_files_modules_and_functions() {
    let shown = |arguments: &str| {
        let output = biztrace(&fixture("orders"), arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        let lines = stdout(&output);
        let places = lines.lines().filter_map(|line| line.strip_prefix("// "));
        let places = places.filter_map(|line| Some(line.split_once(": ")?.1.to_owned()));
        places.collect::<Vec<_>>().join(" ")
    };
    let find = "orders_service::storage::Store::find";
    let both = "orders_service::storage::Store::find orders_service::storage::Cache::get";
    assert_eq!(shown("expand src/storage/mod.rs"), both);
    assert_eq!(shown("expand storage"), both);
    assert_eq!(shown("expand crate::storage::Store"), find);
    assert_eq!(shown("expand Store::find"), find);
    assert_eq!(shown("expand src/storage/mod.rs::find"), find);
    assert_eq!(
        shown("expand inner"),
        "orders_service::old::beside::outer::inner"
    );
}

#[test]
fn expand_of_nothing_is_an_error() {
    let output = biztrace(&fixture("orders"), "expand storage::fund");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`storage::fund`"));
    let output = biztrace(&fixture("orders"), "expand src/gone.rs");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("`src/gone.rs` can't be read"));
}

#[test]
fn mistakes_have_a_place_and_the_rest_is_shown() {
    assert_recorded("broken.txt", "broken", "expand");
}

#[test]
fn parse_error_in_one_file_does_not_affect_others() {
    let output = biztrace(&fixture("broken"), "expand src/good.rs");
    assert!(output.status.success(), "{}", stderr(&output));
}

#[test]
fn catalogue_has_every_span_and_tag() {
    assert_recorded("catalogue.txt", "orders", "catalogue");
    assert_recorded("catalogue.md", "orders", "catalogue --format markdown");
    assert_recorded("catalogue.json.txt", "orders", "catalogue --format json");
}

#[test]
fn catalogue_tells_types_of_one_name_apart_and_sees_tags_within_macros() {
    assert_recorded("versions.txt", "versions", "catalogue");
}

#[test]
fn catalogue_knows_the_types_of_the_workspaces_other_crates() {
    assert_recorded("workspace.txt", "workspace", "catalogue");
}

#[test]
fn catalogue_follows_scopes_as_far_as_they_are_known() {
    assert_recorded("scopes.txt", "scopes", "catalogue");
}

#[test]
fn catalogue_follows_scopes_in_time() {
    let folder = scratch("scoped");
    let mut source = String::from("fn main() { App::new().configure(f0); }\n");
    for index in 0..300 {
        let next = format!("web::scope(\"/a\").configure(f{})", index + 1);
        let circle = "configure(f0)";
        source += &format!("fn f{index}(c: C) {{ c.service({next}).service({next}).{circle}; }}\n");
    }
    source += "fn f300(c: C) { c.service(get); }\n";
    source += "#[get(\"/b\")] #[biztrace::traced_handler] async fn get() {}\n";
    fs::write(folder.join("src/main.rs"), source).expect("a writable folder");
    let output = biztrace(&folder, "catalogue");
    assert!(output.status.success(), "{}", stderr(&output));
    assert!(
        stdout(&output).contains("scoped::get: GET …/b"),
        "{}",
        stdout(&output)
    );
}

#[test]
fn expand_reaches_into_macros() {
    assert_recorded("calls.txt", "versions", "expand calls");
}

#[test]
fn an_empty_crate_has_nothing() {
    assert_recorded("empty.txt", "empty", "catalogue");
    let output = biztrace(&fixture("empty"), "expand");
    assert!(output.status.success() && output.stdout.is_empty());
}

#[test]
fn packages_are_chosen_as_by_cargo() {
    let spans = |folder: &str, arguments: &str| {
        let output = biztrace(
            &fixture(folder),
            &format!("catalogue --format json {arguments}"),
        );
        assert!(output.status.success(), "{}", stderr(&output));
        let catalogue: serde_json::Value =
            serde_json::from_slice(&output.stdout).expect("a catalogue");
        let spans = catalogue["spans"].as_array().expect("a list");
        spans
            .iter()
            .map(|span| span["name"].as_str().expect("a name").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(spans("workspace", ""), ["api_work"]);
    assert_eq!(
        spans("workspace", "--workspace"),
        ["api_work", "worker_work"]
    );
    assert_eq!(spans("workspace", "-p worker"), ["worker_work"]);
    assert_eq!(spans("workspace/worker/src", ""), ["worker_work"]);
    assert_eq!(
        spans("empty", "--manifest-path ../workspace/worker/Cargo.toml"),
        ["worker_work"]
    );
    let output = biztrace(&fixture("workspace"), "catalogue -p gone");
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("no package `gone` in this workspace: it has api, worker"));
}

#[test]
fn colour_is_for_terminals_or_on_demand() {
    let has_colour =
        |arguments: &str| stdout(&biztrace(&fixture("orders"), arguments)).contains('\x1b');
    assert!(!has_colour("expand"));
    assert!(!has_colour("expand --color never"));
    assert!(has_colour("expand --color always"));
    assert!(has_colour("expand --diff --color always"));
}

#[test]
fn this_workspaces_own_shop_has_no_mistake() {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/shop");
    for arguments in [
        "expand",
        "expand --diff",
        "catalogue",
        "catalogue --format json",
    ] {
        let output = biztrace(&shop, arguments);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(stdout(&output).contains("order.amount"), "{arguments}");
    }
}

#[test]
fn odd_files_neither_panic_nor_loop() {
    let folder = scratch("odd");
    let write =
        |file: &str, text: &[u8]| fs::write(folder.join(file), text).expect("a writable file");
    let nested = format!("fn deep() {{ {}1{}; }}\n", "(".repeat(250), ")".repeat(250));
    let too_deep = format!(
        "fn deep() {{ {}1{}; }}\n",
        "(".repeat(300_000),
        ")".repeat(300_000)
    );
    write("src/too_deep.rs", too_deep.as_bytes());
    let long = format!(
        "#[traced]\nfn long() {{ {} }}\n",
        "tag!(a = 1);\n".repeat(2000)
    );
    write("src/nested.rs", nested.as_bytes());
    write("src/long.rs", long.as_bytes());
    write("src/binary.rs", b"\xff\xfe\0");
    write(
        "src/unstable.rs",
        b"#[traced]\nfn unformatted() { macro_rules! m { x } }\n",
    );
    write(
        "src/lib.rs",
        "\u{feff}#!/usr/bin/env run\r\nmod nested;\r\nmod too_deep;\nmod long;\nmod binary;\nmod unstable;\nmod r#loop;\n#[path = \"lib.rs\"] mod again;\n\
         #[biztrace::traced]\r\nfn über(größe: u8) {}\n"
            .as_bytes(),
    );
    fs::create_dir(folder.join("src/loop")).expect("a folder");
    write("src/loop/mod.rs", b"mod r#loop;\n");
    #[cfg(unix)]
    std::os::unix::fs::symlink(folder.join("src/loop"), folder.join("src/loop/loop"))
        .expect("a symbolic link");
    for arguments in ["expand", "expand --diff", "catalogue"] {
        let output = biztrace(&folder, arguments);
        let errors = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.contains("--> src/binary.rs\n"), "{errors}");
        assert!(
            errors.contains("nested deeper than 256\n  --> src/too_deep.rs:1:"),
            "{errors}"
        );
        assert!(!errors.contains("panic"), "{errors}");
        assert!(stdout(&output).contains("über"), "{arguments}");
    }
    let output = biztrace(&folder, "expand unformatted");
    assert!(
        stdout(&output).contains("fn unformatted"),
        "{}",
        stdout(&output)
    );
    let output = biztrace(&folder, "expand über");
    assert!(
        stdout(&output).starts_with("// src/lib.rs:10: odd::über\nfn über"),
        "{}",
        stdout(&output)
    );
}
