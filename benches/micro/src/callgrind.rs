//! Counts instructions with valgrind's callgrind: nearly the same on every run of a build, whatever else the machine does.

use std::collections::HashMap;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the instructions of a thread were spent on, by source file: the first row that names a part of a file's path has
/// them. What is in no row, the standard library and the allocator among them, counts for its caller.
const PARTS: [(&str, &[&str]); 11] = [
    (
        "clock",
        &["recorder/clock.rs", "unix/time.rs", "clock_gettime"],
    ),
    ("ids", &["id_generator", "/rand-", "/rand_", "chacha"]),
    ("caller's context", &["runtime/src/propagation/"]),
    (
        "copy of the head",
        &[
            "recorder/head_copy.rs",
            "inbound/request_head.rs",
            "actix/request.rs",
        ],
    ),
    ("verdict", &["runtime/src/sampling/"]),
    (
        "attributes",
        &[
            "runtime/src/attribute/",
            "recorder/attributes.rs",
            "recorder/open.rs",
        ],
    ),
    (
        "current span",
        &[
            "/opentelemetry-0",
            "recorder/active.rs",
            "recorder/current.rs",
            "recorder/span.rs",
        ],
    ),
    (
        "hand-over and export",
        &[
            "runtime/src/pipeline/",
            "recorder/runs.rs",
            "runtime/src/exporter/",
        ],
    ),
    ("sealing", &["recorder/seal.rs"]),
    (
        "middleware and macros",
        &[
            "recorder/annotated.rs",
            "recorder/handler.rs",
            "recorder/request_reader.rs",
            "runtime/src/__private",
            "runtime/src/actix/",
            "runtime/src/inbound/",
            "runtime/src/semconv/",
        ],
    ),
    ("span and trace", &["runtime/src/"]),
];

/// What is in no part, nor called from one: the framework's own work.
pub const REST: &str = "actix-web, tokio and the rest";

/// Instructions, by what they were spent on.
pub type Parts = HashMap<&'static str, f64>;

/// What a number of requests took.
#[derive(Debug)]
pub struct Run {
    /// Of the thread that serves the requests.
    pub server: Parts,
    /// Of the export thread, and of nothing if there was nothing to export.
    pub export: Parts,
}

impl Run {
    /// Of the thread that serves the requests, in all.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.server.values().sum()
    }
}

/// The names of all parts, in the order in which tables have them.
pub fn part_names() -> impl Iterator<Item = &'static str> {
    PARTS.into_iter().map(|(name, _)| name).chain([REST])
}

/// Whether valgrind is on this machine.
#[must_use]
pub fn is_available() -> bool {
    let valgrind = Command::new("valgrind").arg("--version").output();
    valgrind.is_ok_and(|output| output.status.success())
}

/// Builds the program that serves requests, optimised as for benchmarks, and returns its path.
///
/// # Errors
///
/// If it cannot be built.
pub fn build() -> Result<PathBuf, Box<dyn Error>> {
    let arguments = [
        "build",
        "--profile",
        "bench",
        "-p",
        "micro-bench",
        "--bin",
        "serve",
    ];
    let cargo = Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--message-format=json-render-diagnostics")
        .stderr(Stdio::inherit())
        .output()?;
    if !cargo.status.success() {
        return Err("the benchmark does not build".into());
    }
    let messages = String::from_utf8(cargo.stdout)?;
    let mut paths = messages.lines().filter_map(|line| {
        let (_, rest) = line.split_once("\"executable\":\"")?;
        rest.split('"').next()
    });
    paths
        .next_back()
        .map(PathBuf::from)
        .ok_or_else(|| "cargo names no executable".into())
}

/// Instructions for one request, without what comes before the first one and after the last.
///
/// # Errors
///
/// If callgrind cannot be run, or writes what is not understood.
pub fn per_request(serve: &Path, variant: &str) -> Result<Run, Box<dyn Error>> {
    const FEW: usize = 1_000;
    const MANY: usize = 3_000;
    let few = cheapest(serve, variant, FEW)?;
    let many = cheapest(serve, variant, MANY)?;
    let difference = |few: &Parts, many: &Parts| -> Parts {
        let of = |part| many.get(part).unwrap_or(&0.0) - few.get(part).unwrap_or(&0.0);
        part_names()
            .map(|part| (part, of(part) / (MANY - FEW) as f64))
            .collect()
    };
    Ok(Run {
        server: difference(&few.server, &many.server),
        export: difference(&few.export, &many.export),
    })
}

/// The cheapest of several runs, of each thread. In one of four, threads meet in another order, the allocator finds less in its bins, and
/// each request takes 70 instructions more.
fn cheapest(serve: &Path, variant: &str, requests: usize) -> Result<Run, Box<dyn Error>> {
    const RUNS: usize = 5;
    let total = |parts: &Parts| parts.values().sum::<f64>();
    let mut cheapest = run(serve, variant, requests)?;
    for _ in 1..RUNS {
        let Run { server, export } = run(serve, variant, requests)?;
        if total(&server) < total(&cheapest.server) {
            cheapest.server = server;
        }
        if total(&export) < total(&cheapest.export) {
            cheapest.export = export;
        }
    }
    Ok(cheapest)
}

fn run(serve: &Path, variant: &str, requests: usize) -> Result<Run, Box<dyn Error>> {
    let directory = tempfile::tempdir()?;
    let out = directory.path().join("out");
    let valgrind = Command::new("valgrind")
        .args(["--tool=callgrind", "--separate-threads=yes"])
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(serve)
        .args([variant, &requests.to_string()])
        .output()?;
    if !valgrind.status.success() {
        let said = String::from_utf8_lossy(&valgrind.stderr);
        return Err(format!("callgrind failed: {said}").into());
    }
    let mut run = Run {
        server: Parts::new(),
        export: Parts::new(),
    };
    for thread in 1.. {
        let Ok(profile) = fs::read_to_string(out.with_file_name(format!("out-{thread:02}"))) else {
            break;
        };
        if thread == 1 {
            run.server = Profile::parse(&profile).parts();
        } else if profile.contains("pipeline::worker::Worker") {
            run.export = Profile::parse(&profile).parts();
        }
    }
    Ok(run)
}

/// A thread's profile as callgrind writes it: functions, the lines of other files that are inlined there, and calls.
#[derive(Debug, Default)]
struct Profile {
    /// Instructions of a function's own, by part.
    own: HashMap<usize, HashMap<Option<&'static str>, f64>>,
    /// The calls of a function.
    callers: HashMap<usize, Vec<Call>>,
}

/// Calls from one place.
#[derive(Debug)]
struct Call {
    from: usize,
    part: Option<&'static str>,
    cost: f64,
}

impl Profile {
    fn parse(text: &str) -> Self {
        let mut profile = Self::default();
        let (mut files, mut functions) = (Names::default(), Names::default());
        // The function being read, its part, and the part of the line being read.
        let (mut function, mut function_part, mut part) = (0, None, None);
        let mut file_part = None;
        let mut callee = None;
        for line in text.lines() {
            let (key, value) = line.split_once('=').unwrap_or(("", line));
            match key {
                "fl" => file_part = part_of(files.name(value).1),
                "fn" => {
                    let (id, name) = functions.name(value);
                    function = id;
                    function_part = part_of(name).or(file_part);
                    part = function_part;
                }
                "fi" | "fe" => part = part_of(files.name(value).1).or(function_part),
                "cfi" | "cfl" => {
                    files.name(value);
                }
                "cfn" => callee = Some(functions.name(value).0),
                "" if line
                    .starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) =>
                {
                    let cost = line.split(' ').nth(1).and_then(|cost| cost.parse().ok());
                    let cost: f64 = cost.unwrap_or_default();
                    match callee.take() {
                        Some(callee) => {
                            let callers = profile.callers.entry(callee).or_default();
                            callers.push(Call {
                                from: function,
                                part,
                                cost,
                            });
                        }
                        None => {
                            let own = profile.own.entry(function).or_default();
                            *own.entry(part).or_default() += cost;
                        }
                    }
                }
                _ => {}
            }
        }
        profile
    }

    fn parts(&self) -> Parts {
        let mut parts = Parts::new();
        let mut shares = HashMap::new();
        for (function, own) in &self.own {
            for (part, cost) in own {
                match part {
                    Some(part) => *parts.entry(part).or_default() += cost,
                    None => {
                        for (part, share) in self.shares(*function, &mut shares) {
                            *parts.entry(part).or_default() += share * cost;
                        }
                    }
                }
            }
        }
        parts
    }

    /// On whose behalf a function that is in no part runs, by what its calls cost.
    fn shares(&self, function: usize, known: &mut HashMap<usize, Parts>) -> Parts {
        if let Some(shares) = known.get(&function) {
            return shares.clone();
        }
        // For a function that calls itself: what it does on its own behalf is nobody else's.
        known.insert(function, Parts::from([(REST, 1.0)]));
        let callers = self.callers.get(&function).map_or(&[][..], Vec::as_slice);
        let total: f64 = callers.iter().map(|call| call.cost).sum();
        let mut shares = Parts::new();
        for call in callers {
            let share = call.cost / total.max(1.0);
            match call.part {
                Some(part) => *shares.entry(part).or_default() += share,
                None => {
                    for (part, of_caller) in self.shares(call.from, known) {
                        *shares.entry(part).or_default() += share * of_caller;
                    }
                }
            }
        }
        if total == 0.0 {
            shares.insert(REST, 1.0);
        }
        known.insert(function, shares.clone());
        shares
    }
}

fn part_of(path: &str) -> Option<&'static str> {
    let is_of = |(_, paths): &&(&str, &[&str])| paths.iter().any(|part| path.contains(part));
    PARTS.iter().find(is_of).map(|(name, _)| *name)
}

/// Names are written once, with a number that stands for them from then on.
#[derive(Debug, Default)]
struct Names(HashMap<usize, String>);

impl Names {
    fn name(&mut self, text: &str) -> (usize, &str) {
        let text = text.trim_start_matches('(');
        let (id, name) = text.split_once(')').unwrap_or((text, ""));
        let id = id.parse().unwrap_or_default();
        if !name.is_empty() {
            self.0.insert(id, name.trim_start().to_owned());
        }
        (id, self.0.get(&id).map_or("", String::as_str))
    }
}
