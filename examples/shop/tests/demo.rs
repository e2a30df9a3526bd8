//! Runs the shop as people do, and reads what it prints.

use std::process::{Command, Output};

fn shop(arguments: &[&str], environment: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_shop"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("OTEL_") || name.starts_with("BIZTRACE_") {
            command.env_remove(&*name);
        }
    }
    command
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .expect("the shop runs")
}

fn text(bytes: &[u8]) -> &str {
    str::from_utf8(bytes).expect("the shop prints UTF-8")
}

/// The trees of a demo, without what biztrace says of itself after five seconds.
fn trees(output: &Output) -> String {
    let lines = text(&output.stderr).split_inclusive('\n');
    lines
        .filter(|line| !line.starts_with("biztrace: "))
        .collect()
}

/// The lines of the tree whose root begins with `root`.
fn tree<'a>(trees: &'a str, root: &str) -> &'a str {
    trees
        .split("\n\n")
        .find(|tree| {
            tree.lines()
                .nth(1)
                .is_some_and(|line| line.starts_with(root))
        })
        .unwrap_or_else(|| panic!("no tree of {root} in\n{trees}"))
}

#[test]
fn the_demo_shows_its_traces_and_their_number() {
    let output = shop(&["--demo"], &[]);
    let (said, trees) = (text(&output.stdout), &*trees(&output));
    assert!(output.status.success(), "{said}\n{trees}");

    let cases: [(&str, &[&str]); 7] = [
        (
            "server POST /orders → 201",
            &[
                "order.sku=tea-oolong",
                "order.amount=38.7",
                "order.express=true",
                "order.coupon=SPRING",
                "payment.method=card",
                "user.tier=gold",
                "order.id=1",
                "├─ authorise",
                "├─ client POST /stock/{sku}/reserve → 200",
                "│  └─ server POST /stock/{sku}/reserve → 200",
                "tenant.id=berlin stock.sku=tea-oolong",
                "│     └─ client UPDATE stock",
                "└─ client INSERT orders",
                "db.system.name=sqlite",
            ],
        ),
        (
            "server POST /orders → 402",
            &[
                "└─ ✗ authorise",
                "Declined",
                "payment.decline_code=limit_exceeded",
            ],
        ),
        (
            "server POST /orders → 409",
            &["└─ ✗ client POST /stock/{sku}/reserve → 409"],
        ),
        (
            "server GET /orders/{id} → 404",
            &["order.id=99", "└─ client SELECT orders"],
        ),
        ("✗ server GET /crash", &["panic"]),
        (
            "server GET /reports/sales → 200",
            &["report.currency=EUR", "└─ client SELECT sales"],
        ),
        (
            "server GET /reports/sales  ",
            &["cancelled", "└─ client SELECT sales"],
        ),
    ];
    for (root, parts) in cases {
        let tree = tree(trees, root);
        for part in parts {
            assert!(tree.contains(part), "{part} is not in\n{tree}");
        }
    }
    assert!(!trees.contains("/health"), "{trees}");

    let [spans, requests] = said.lines().rev().take(2).collect::<Vec<_>>()[..] else {
        panic!("no summary in\n{said}");
    };
    assert_eq!(
        requests,
        "12 requests: 4 × 200 OK, 2 × 201 Created, 1 × 400 Bad Request, 1 × 402 Payment Required, \
         1 × 404 Not Found, 1 × 409 Conflict, 1 × no answer, 1 × given up"
    );
    let shown: u64 = trees.lines().filter_map(spans_in).sum();
    assert_eq!(
        spans,
        format!("{shown} spans recorded, {shown} delivered, 0 dropped")
    );
}

/// The number of spans that the first line of a tree gives.
fn spans_in(line: &str) -> Option<u64> {
    let number = |part: &str| {
        part.trim_end_matches('s')
            .strip_suffix(" span")?
            .parse()
            .ok()
    };
    line.split("  ").find_map(number)
}

#[test]
fn the_demo_keeps_errors_and_slow_reports_at_ratio_zero() {
    // As docs/guide/sampling.md shows it.
    let output = shop(
        &["--demo"],
        &[
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0"),
            ("BIZTRACE_KEEP", "errors,slow=100ms"),
        ],
    );
    let (said, trees) = (text(&output.stdout), &*trees(&output));
    assert!(output.status.success(), "{said}\n{trees}");

    for root in [
        "server POST /orders → 402",
        "server POST /orders → 409",
        "✗ server GET /crash",
        "server GET /reports/sales → 200",
    ] {
        tree(trees, root);
    }
    // A slow machine makes other requests slow, too.
    for tree in trees.split("\n\n").filter(|tree| !tree.is_empty()) {
        let has_failed = tree.lines().next().is_some_and(|it| it.contains(" error"));
        assert!(has_failed || is_slow(tree), "kept for nothing:\n{tree}");
    }

    let spans = said.lines().last().unwrap_or_default();
    let shown: u64 = trees.lines().filter_map(spans_in).sum();
    assert!(spans.contains(&format!(" {shown} delivered")), "{spans}");
}

/// Whether the first span of a tree took at least 100 ms.
fn is_slow(tree: &str) -> bool {
    let root = tree.lines().nth(1).unwrap_or_default();
    root.split_whitespace().any(|word| {
        let seconds = word.strip_suffix("ms").map(|it| (it, 1e-3));
        let seconds = seconds.or_else(|| word.strip_suffix('s').map(|it| (it, 1.0)));
        seconds
            .and_then(|(number, unit)| Some(number.parse::<f64>().ok()? * unit >= 0.1))
            .unwrap_or_default()
    })
}

#[test]
fn the_demo_fails_where_its_spans_are_lost() {
    let output = shop(
        &["--demo"],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")],
    );
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stdout).contains("unreachable"),
        "{}",
        text(&output.stdout)
    );
    assert!(
        text(&output.stderr).contains("spans were lost"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn an_unknown_argument_is_refused() {
    let output = shop(&["--dmeo"], &[]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(text(&output.stderr), "usage: shop [--demo]\n");
}
