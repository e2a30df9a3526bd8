//! Files of JSON lines: how they are replaced, and what they survive.

use biztrace::Telemetry;
use biztrace::report::DropReason;
use biztrace::settings::JsonFile;
use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, Tracer as _, TracerProvider as _};

#[test]
fn files_have_a_request_a_line_and_are_replaced_when_full() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let file = JsonFile::new(&path).max_bytes(2000).keep(2);
    let telemetry = Telemetry::builder()
        .service("orders", "1")
        .json_file(file)
        .max_export_batch_size(1)
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    for number in 0..20_i64 {
        let mut span = tracer.start(format!("span {number}"));
        span.set_attribute(KeyValue::new("order.id", number));
        span.end();
    }
    let report = telemetry.shutdown_blocking();
    assert_eq!(
        (report.delivered, report.dropped.total()),
        (20, 0),
        "{report}"
    );

    let mut files: Vec<_> = folder
        .path()
        .read_dir()
        .unwrap()
        .map(|file| file.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, ["traces.jsonl", "traces.jsonl.1", "traces.jsonl.2"]);
    assert!(
        folder
            .path()
            .join("traces.jsonl.1")
            .metadata()
            .unwrap()
            .len()
            <= 2000
    );
    let text = std::fs::read_to_string(path).unwrap();
    let last: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    let span = &last["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["name"], "span 19");
    assert_eq!(
        (
            span["traceId"].as_str().unwrap().len(),
            span["spanId"].as_str().unwrap().len()
        ),
        (32, 16)
    );
    assert!(
        span["startTimeUnixNano"].is_string() && span["kind"].is_i64(),
        "{span}"
    );
    let attributes = span["attributes"].as_array().unwrap();
    let id = attributes
        .iter()
        .find(|it| it["key"] == "order.id")
        .unwrap();
    assert_eq!(id["value"]["intValue"], "19");

    let nowhere = JsonFile::new(folder.path().join("no/traces.jsonl"));
    let error = Telemetry::builder()
        .json_file(nowhere)
        .build()
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("`TelemetryBuilder::json_file`: ") && error.contains("no/traces.jsonl"),
        "{error}"
    );
}

#[test]
fn set_up_that_fails_leaves_no_empty_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("old.jsonl"), "").unwrap();
    let builder = || {
        Telemetry::builder()
            .json_file(JsonFile::new(path("new.jsonl")))
            .json_file(JsonFile::new(path("old.jsonl")))
    };
    let nowhere = JsonFile::new(path("no/traces.jsonl"));
    assert!(builder().json_file(nowhere).build().is_err());
    assert!(!path("new.jsonl").exists() && path("old.jsonl").exists());
    builder().build().unwrap().shutdown_blocking();
    assert!(path("new.jsonl").exists());
}

#[test]
fn file_that_cannot_be_replaced_resumes_when_it_can() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let in_the_way = folder.path().join("traces.jsonl.1");
    std::fs::create_dir(&in_the_way).unwrap();
    let file = JsonFile::new(&path).max_bytes(1).keep(1);
    let telemetry = Telemetry::builder().json_file(file).build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    let send = |name: &'static str| {
        tracer.start(name).end();
        telemetry.force_flush_blocking()
    };
    assert_eq!(send("first").delivered, 1);
    std::fs::write(in_the_way.join("note"), "").unwrap();
    let report = send("second");
    assert_eq!(report.dropped.get(DropReason::Refused), 1, "{report}");

    // Somebody else has put the full file away, too.
    std::fs::remove_dir_all(&in_the_way).unwrap();
    std::fs::rename(&path, folder.path().join("away")).unwrap();
    assert_eq!(send("third").delivered, 2);
    assert_eq!(send("fourth").delivered, 3);
    let text = std::fs::read_to_string(&in_the_way).unwrap();
    assert!(text.contains("third"), "{text}");
}

#[test]
fn a_file_that_somebody_deletes_renames_or_cuts_short_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    // As a process leaves it that was killed within a line.
    std::fs::write(&path, "{\"resourceSpans\":[").unwrap();
    let telemetry = Telemetry::builder().json_file(JsonFile::new(&path));
    let telemetry = telemetry.build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    let send = |name: &'static str| {
        tracer.start(name).end();
        telemetry.force_flush_blocking();
        std::fs::read_to_string(&path).unwrap()
    };
    let text = send("first");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert!(
        lines[1].starts_with('{') && lines[1].contains("first"),
        "{text}"
    );
    std::fs::remove_file(&path).unwrap();
    let text = send("second");
    assert!(text.starts_with('{') && text.contains("second"), "{text}");
    let away = folder.path().join("traces.old");
    std::fs::rename(&path, &away).unwrap();
    std::fs::write(&path, "").unwrap();
    let text = send("third");
    assert!(text.contains("third"), "{text}");
    assert!(!std::fs::read_to_string(away).unwrap().contains("third"));
    let file = std::fs::File::options().write(true).open(&path).unwrap();
    file.set_len(20).unwrap();
    let text = send("fourth");
    let lines: Vec<_> = text.lines().collect();
    assert!(
        lines.len() == 2 && lines[1].starts_with('{') && lines[1].contains("fourth"),
        "{text}"
    );
    assert_eq!(telemetry.shutdown_blocking().delivered, 4);
}

#[cfg(unix)]
fn mode(path: &std::path::Path) -> u32 {
    use std::os::unix::fs::PermissionsExt;

    path.metadata().unwrap().permissions().mode() & 0o777
}

#[cfg(unix)]
fn set_mode(path: &std::path::Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;

    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[cfg(unix)]
#[test]
fn files_are_for_their_owner_alone_unless_the_owner_says_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let full = |number: usize| folder.path().join(format!("traces.jsonl.{number}"));
    let file = JsonFile::new(&path).max_bytes(1);
    let telemetry = Telemetry::builder().json_file(file).build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    let send = || {
        tracer.start("span").end();
        telemetry.force_flush_blocking();
    };
    assert_eq!(mode(&path), 0o600);
    send();
    send();
    assert_eq!((mode(&path), mode(&full(1))), (0o600, 0o600));
    std::fs::remove_file(&path).unwrap();
    send();
    assert_eq!(mode(&path), 0o600);
    // For a collector of another user, in the owner's group.
    set_mode(&path, 0o640);
    send();
    assert_eq!((mode(&path), mode(&full(1))), (0o640, 0o640));
    assert_eq!(telemetry.shutdown_blocking().delivered, 4);
}

#[cfg(unix)]
#[test]
fn link_is_refused_where_everybody_may_make_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let target = folder.path().join("target");
    std::fs::write(&target, "").unwrap();
    std::os::unix::fs::symlink(&target, &path).unwrap();
    let build = || Telemetry::builder().json_file(JsonFile::new(&path)).build();
    let send = |telemetry: &Telemetry| {
        let tracer = telemetry.tracer_provider().tracer("library");
        tracer.start("span").end();
        telemetry.force_flush_blocking()
    };
    // A link of the owner's own.
    let telemetry = build().unwrap();
    assert_eq!(send(&telemetry).delivered, 1);
    assert!(target.metadata().unwrap().len() > 0);

    set_mode(folder.path(), 0o1777);
    let error = build().unwrap_err().to_string();
    assert!(
        error.contains("symbolic link") && error.contains("folder of the service's own"),
        "{error}"
    );
    // Nor is a link followed that takes the file's place later, to a file that exists or not.
    let [other, new] = ["other", "new"].map(|name| folder.path().join(name));
    std::fs::write(&other, "").unwrap();
    for target in [&other, &new] {
        std::fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink(target, &path).unwrap();
        let report = send(&telemetry);
        assert_eq!(report.delivered, 1, "{report}");
    }
    assert_eq!(other.metadata().unwrap().len(), 0);
    assert!(!new.exists());
    let report = telemetry.shutdown_blocking();
    assert_eq!(report.dropped.get(DropReason::Refused), 2, "{report}");
}

#[cfg(unix)]
fn refusal(path: &std::path::Path) -> String {
    let built = Telemetry::builder().json_file(JsonFile::new(path)).build();
    let error = built.unwrap_err().to_string();
    assert!(error.contains("folder of the service's own"), "{error}");
    error
}

#[cfg(unix)]
fn send_to(path: &std::path::Path) -> u64 {
    let file = JsonFile::new(path).max_bytes(1);
    let telemetry = Telemetry::builder().json_file(file).build().unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    for _ in 0..2 {
        tracer.start("span").end();
        telemetry.force_flush_blocking();
    }
    telemetry.shutdown_blocking().delivered
}

/// In `/tmp`, and in a folder without the sticky bit.
#[cfg(unix)]
const SHARED: [u32; 2] = [0o1777, 0o777];

#[cfg(unix)]
#[test]
fn what_others_may_have_put_in_a_shared_folder_is_refused() {
    use std::os::unix::fs::{chown, symlink};

    for shared in SHARED {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        set_mode(folder.path(), shared);
        let own = path("own");
        std::fs::create_dir(&own).unwrap();
        std::fs::write(own.join("secret"), "secret").unwrap();

        std::fs::hard_link(own.join("secret"), path("hard.jsonl")).unwrap();
        let error = refusal(&path("hard.jsonl"));
        assert!(error.contains("hard link"), "{error}");

        symlink(own.join("secret"), path("link.jsonl")).unwrap();
        symlink(&own, path("link")).unwrap();
        for linked in ["link.jsonl", "link/new.jsonl", "own/../link/new.jsonl"] {
            let error = refusal(&path(linked));
            assert!(error.contains("symbolic link"), "{error}");
        }
        // Nor by a link of the service's own.
        let elsewhere = tempfile::tempdir().unwrap();
        let by_link = elsewhere.path().join("traces.jsonl");
        symlink(path("link/new.jsonl"), &by_link).unwrap();
        let error = refusal(&by_link);
        assert!(error.contains("symbolic link"), "{error}");
        assert!(!own.join("new.jsonl").exists());

        // Only root can give something away.
        let others = path("others");
        std::fs::create_dir(&others).unwrap();
        std::fs::write(path("others.jsonl"), "").unwrap();
        let given = chown(&others, Some(65_534), None)
            .and_then(|()| chown(path("others.jsonl"), Some(65_534), None));
        if given.is_ok() {
            for name in ["others.jsonl", "others/new.jsonl"] {
                let error = refusal(&path(name));
                assert!(error.contains("another user (uid 65534)"), "{error}");
            }
            assert!(!others.join("new.jsonl").exists());
        }
        let secret = std::fs::read_to_string(own.join("secret")).unwrap();
        assert_eq!(secret, "secret");
    }
}

#[cfg(unix)]
#[test]
fn own_files_in_a_shared_folder_work() {
    use std::os::unix::fs::{chown, symlink};

    for shared in SHARED {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        set_mode(folder.path(), shared);
        std::fs::create_dir(path("own")).unwrap();
        // A volume that is mounted there.
        std::fs::create_dir(path("volume")).unwrap();
        set_mode(&path("volume"), 0o777);
        for name in ["new.jsonl", "own/new.jsonl", "volume/new.jsonl"] {
            assert_eq!(send_to(&path(name)), 2, "{name}");
            // After a restart.
            assert_eq!(send_to(&path(name)), 2, "{name}");
            assert_eq!(mode(&path(name)), 0o600, "{name}");
        }
        // As logrotate makes it.
        std::fs::write(path("rotated.jsonl"), "").unwrap();
        set_mode(&path("rotated.jsonl"), 0o640);
        assert_eq!(send_to(&path("rotated.jsonl")), 2);
        let elsewhere = tempfile::tempdir().unwrap();
        let by_link = elsewhere.path().join("traces.jsonl");
        symlink(path("target.jsonl"), &by_link).unwrap();
        let telemetry = Telemetry::builder().json_file(JsonFile::new(&by_link));
        telemetry.build().unwrap().shutdown_blocking();
        assert!(path("target.jsonl").exists());

        // A volume without modes shows this for everything. In `/tmp` it is a file that others may write to.
        std::fs::write(path("open.jsonl"), "").unwrap();
        set_mode(&path("open.jsonl"), 0o777);
        if shared == 0o777 {
            assert_eq!(send_to(&path("open.jsonl")), 2);
        } else {
            let error = refusal(&path("open.jsonl"));
            assert!(
                error.contains("writable by everybody (mode 777)"),
                "{error}"
            );
        }
    }
    // In a folder that only its owner may write to, the owner of a file does not matter.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    std::fs::write(&path, "").unwrap();
    set_mode(&path, 0o666);
    let _ = chown(&path, Some(65_534), None);
    assert_eq!(send_to(&path), 2);
}

#[cfg(unix)]
#[test]
fn a_device_is_written_to() {
    let file = JsonFile::new("/dev/null");
    let telemetry = Telemetry::builder().json_file(file).build().unwrap();
    telemetry
        .tracer_provider()
        .tracer("library")
        .start("span")
        .end();
    assert_eq!(telemetry.shutdown_blocking().delivered, 1);
}

#[test]
fn line_has_no_character_that_a_reader_does_not_see() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let hostile = "a\u{1b}[2J\u{7f}\u{85}\u{9b}31m\u{2028}\u{2029}\u{202e}\u{2066}\u{200b}\u{feff}\u{3164}\u{2800}\u{e0041}支付宝🦀";
    let telemetry = Telemetry::builder()
        .json_file(JsonFile::new(&path))
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    let mut span = tracer.start(hostile);
    span.set_attribute(KeyValue::new(hostile, hostile));
    span.end();
    assert_eq!(telemetry.shutdown_blocking().delivered, 1);
    let text = std::fs::read_to_string(path).unwrap();
    let line = text.strip_suffix('\n').unwrap();
    let shown = |c: char| c.is_ascii_graphic() || c == ' ' || "支付宝🦀".contains(c);
    assert!(line.chars().all(shown), "{line:?}");
    let line: serde_json::Value = serde_json::from_str(line).unwrap();
    let span = &line["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["name"], hostile);
    let attribute = &span["attributes"][0];
    assert_eq!(attribute["key"], hostile);
    assert_eq!(attribute["value"]["stringValue"], hostile);
}

#[cfg(unix)]
#[test]
fn a_named_pipe_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("traces.jsonl");
    let made = std::process::Command::new("mkfifo").arg(&path).status();
    assert!(made.unwrap().success());
    let error = Telemetry::builder().json_file(JsonFile::new(path)).build();
    let error = error.unwrap_err().to_string();
    assert!(error.contains("`TelemetryBuilder::json_stdout`"), "{error}");
}

#[test]
fn no_file_is_ever_deleted_if_that_is_what_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    let file = JsonFile::new(folder.path().join("traces.jsonl"));
    let telemetry = Telemetry::builder()
        .json_file(file.max_bytes(1).keep(usize::MAX))
        .max_export_batch_size(1)
        .build()
        .unwrap();
    let tracer = telemetry.tracer_provider().tracer("library");
    for _ in 0..7 {
        tracer.start("span").end();
    }
    assert_eq!(telemetry.shutdown_blocking().delivered, 7);
    assert_eq!(folder.path().read_dir().unwrap().count(), 7);
}
