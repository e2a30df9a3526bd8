//! What was measured, and on what.

use std::path::Path;
use std::process::Command;
use std::thread::available_parallelism;

use anyhow::Result;
use serde::Serialize;

use crate::run::Variant;

const CARGO_LOCK: &str = include_str!("../../../../Cargo.lock");
const ROOT: &str = env!("CARGO_MANIFEST_DIR");

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Environment {
    pub(crate) date: String,
    pub(crate) cores: usize,
    pub(crate) cpu: String,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    pub(crate) go: String,
    pub(crate) commit: String,
    pub(crate) command: String,
    pub(crate) packages: Vec<Package>,
}

/// A library that a variant uses.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Package {
    pub(crate) variant: Variant,
    pub(crate) name: &'static str,
    pub(crate) version: String,
}

impl Environment {
    pub(crate) fn new(variants: &[Variant]) -> Result<Self> {
        let go_mod = std::fs::read_to_string(Path::new(ROOT).join("gin/go.mod"));
        let go_mod = go_mod.unwrap_or_default();
        let packages = variants.iter().flat_map(|&variant| {
            let package = |name: &'static str| {
                let (name, series) = name.split_once('@').unwrap_or((name, ""));
                let version = if variant.is_go() {
                    go_version(&go_mod, name)
                } else {
                    crate_version(CARGO_LOCK, name, series)
                };
                Package {
                    variant,
                    name,
                    version,
                }
            };
            let packages = packages(variant).iter().copied().map(package);
            packages.collect::<Vec<_>>()
        });
        let arguments = std::env::args()
            .skip(1)
            .map(|argument| format!(" {argument}"));
        let arguments: String = arguments.collect();
        let separator = if arguments.is_empty() { "" } else { " --" };
        Ok(Self {
            date: output("date", &["-u", "+%Y-%m-%d"]),
            cores: available_parallelism()?.get(),
            cpu: cpu_model(&std::fs::read_to_string("/proc/cpuinfo")?),
            kernel: output("uname", &["-sr"]),
            rustc: output("rustc", &["--version"]),
            go: output("go", &["version"]),
            commit: output("git", &["describe", "--always", "--dirty"]),
            command: format!("cargo run --release -p peers-bench{separator}{arguments}"),
            packages: packages.collect(),
        })
    }

    /// When it was, and on which machine.
    pub(crate) fn machine(&self) -> String {
        let Self {
            date,
            cores,
            cpu,
            kernel,
            rustc,
            ..
        } = self;
        format!("{date}, {cores} cores of {cpu}, {kernel}, {rustc}")
    }
}

/// What the variant has over the bare service; `name@series` where the workspace has more than one series of a crate.
fn packages(variant: Variant) -> &'static [&'static str] {
    match variant {
        Variant::Bare => &["actix-web"],
        Variant::Noop => &[],
        Variant::Biztrace => &["biztrace"],
        Variant::Opentelemetry => &[
            "opentelemetry-instrumentation-actix-web",
            "opentelemetry@0.33",
            "opentelemetry_sdk@0.33",
            "opentelemetry-otlp@0.33",
        ],
        Variant::Tracing => &[
            "tracing",
            "tracing-actix-web",
            "tracing-opentelemetry@0.33",
            "opentelemetry_sdk@0.32",
            "opentelemetry-otlp@0.32",
        ],
        Variant::Fastrace => &[
            "fastrace",
            "fastrace-opentelemetry",
            "opentelemetry-otlp@0.33",
        ],
        Variant::Gin => &["github.com/gin-gonic/gin"],
        Variant::Otelgin => &[
            "go.opentelemetry.io/contrib/instrumentation/github.com/gin-gonic/gin/otelgin",
            "go.opentelemetry.io/otel/sdk",
            "go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp",
        ],
    }
}

/// What a command says in its first line; nothing, if it is not there.
fn output(command: &str, arguments: &[&str]) -> String {
    let output = Command::new(command)
        .args(arguments)
        .current_dir(ROOT)
        .output();
    let stdout = output.map(|output| output.stdout).unwrap_or_default();
    let stdout = String::from_utf8_lossy(&stdout);
    stdout.lines().next().unwrap_or("unknown").to_owned()
}

fn cpu_model(cpuinfo: &str) -> String {
    let mut lines = cpuinfo.lines();
    let model = lines.find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    model.map_or("unknown", |(_, model)| model).to_owned()
}

/// The versions that start with `series`.
fn crate_version(lock: &str, name: &str, series: &str) -> String {
    let name = format!("name = \"{name}\"");
    let lines = || lock.lines().zip(lock.lines().skip(1));
    let versions = lines().filter_map(|(line, next)| {
        let version = next.strip_prefix("version = ")?.trim_matches('"');
        (line == name && version.starts_with(series)).then_some(version)
    });
    some_of(versions)
}

fn go_version(go_mod: &str, module: &str) -> String {
    let lines = go_mod
        .lines()
        .map(|line| line.trim_start_matches("require "));
    some_of(lines.filter_map(|line| {
        let mut words = line.split_whitespace();
        (words.next() == Some(module)).then(|| words.next())?
    }))
}

/// More than one, where the workspace has several versions of a crate.
fn some_of<'a>(versions: impl Iterator<Item = &'a str>) -> String {
    let versions: Vec<&str> = versions.collect();
    if versions.is_empty() {
        "unknown".into()
    } else {
        versions.join(" and ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_found_where_they_are_locked() {
        let lock = "[[package]]\nname = \"a\"\nversion = \"1.2.3\"\n\n[[package]]\nname = \"a-b\"\nversion = \"4.0.0\"\n\n\
                    [[package]]\nname = \"a\"\nversion = \"2.0.0\"\n";
        assert_eq!(crate_version(lock, "a", ""), "1.2.3 and 2.0.0");
        assert_eq!(crate_version(lock, "a", "2.0"), "2.0.0");
        assert_eq!(crate_version(lock, "a-b", ""), "4.0.0");
        assert_eq!(crate_version(lock, "b", ""), "unknown");
        assert_ne!(crate_version(CARGO_LOCK, "actix-web", ""), "unknown");

        let go_mod = "module shop\n\ngo 1.25\n\nrequire example.com/a v1.0.0\n\nrequire (\n\texample.com/a/b v0.2.0 // indirect\n)\n";
        assert_eq!(go_version(go_mod, "example.com/a"), "v1.0.0");
        assert_eq!(go_version(go_mod, "example.com/a/b"), "v0.2.0");
    }
}
