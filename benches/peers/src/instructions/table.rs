//! The counts as a table, and the bars that biztrace is to reach.

use super::count::{Row, Subject};
use crate::report::{Bar, Limit, line, thousands};
use crate::run::Variant;

/// biztrace's added instructions ÷ the best peer's, at most.
const LIMIT: Limit = Limit::AtMost(0.25);
/// The same where biztrace records all and keeps errors and slow requests beside a tenth, and the peer records a tenth.
const KEEP_LIMIT: Limit = Limit::AtMost(0.6);
/// Instructions that a dropped trace costs less than a kept one, at least.
const DROP_LIMIT: Limit = Limit::AtLeast(1_000.0);

pub(super) const METHOD: &str = "\
Instructions of one build repeat within a per cent, but know nothing of caches, of the kernel, or of waiting. CPU time knows all of
that, and moves by a third between runs on shared cores.

Valgrind's callgrind counts in user mode: the service's whole process, all threads, with one worker and one connection. Each
request comes when the service has nothing left to do. A figure is the difference of two runs, which end when all spans
have arrived, divided by the difference in requests. *Added* is the difference to `noop`, which records nothing at any
ratio. Valgrind slows the service down, but not its timers. So no span is exported by timer: full batches are, and a flush
exports the rest. Each library draws its own trace ids, so chance decides which requests make the tenth. *Share recorded* is
the share that arrived. The instructions beside it are brought from that share to exactly a tenth, along the straight line
between nothing and everything recorded.

`biztrace, keep` is biztrace with `BIZTRACE_KEEP=errors,slow=500ms`. It records every request, and drops what is not kept when it is
over: read *kept* for *recorded* in its row. The sampler is the same as without, a trace id ratio that follows callers, as the peers
have it. No request fails. No peer can do that, so the row is compared with the best peer with a sampler at a plain tenth, which
loses errors; fastrace has no sampler.
";

/// The table, and below it the bars.
pub(super) fn draw(rows: &[Row]) -> String {
    let header = [
        "variant",
        "everything recorded: instructions",
        "added",
        "a tenth: instructions",
        "added",
        "share recorded",
        "nothing: instructions",
        "added",
    ];
    let mut table = String::new();
    line(&mut table, &header.map(String::from));
    table += &format!("|---|{}\n", "--:|".repeat(header.len() - 1));
    for row in rows {
        let count = |of: fn(&Row) -> f64| thousands(of(row).round() as u64);
        let added = |of| added(rows, row, of).map_or("–".into(), signed);
        let share = row.share.map(|share| format!("{:.1} %", 100.0 * share));
        let cells = [
            row.subject.name(),
            count(|row| row.all),
            added(|row| row.all),
            count(|row| row.tenth),
            added(|row| row.tenth),
            share.unwrap_or("–".into()),
            count(|row| row.nothing),
            added(|row| row.nothing),
        ];
        line(&mut table, &cells);
    }
    let ratio = |value| format!("{value:.3}");
    table += &sentence(&recorded(rows), ratio);
    table += &sentence(&kept(rows), ratio);
    table += &sentence(&dropped(rows), signed);
    table
}

fn sentence(bar: &Bar, number: impl Fn(f64) -> String) -> String {
    let value = bar.value.map(|value| format!(": {}", number(value)));
    format!(
        "\n{}{}; the bar is {}: {}.\n",
        bar.what,
        value.unwrap_or_default(),
        bar.limit,
        bar.verdict()
    )
}

fn find(rows: &[Row], subject: impl Into<Subject>) -> Option<&Row> {
    let subject = subject.into();
    rows.iter().find(|row| row.subject == subject)
}

const KEEPING: Subject = Subject {
    variant: Variant::Biztrace,
    keeps: true,
};

/// The variant's instructions over those of the service without tracing.
fn added(rows: &[Row], row: &Row, of: fn(&Row) -> f64) -> Option<f64> {
    let baseline = find(rows, row.subject.variant.baseline()?)?;
    Some(of(row) - of(baseline))
}

fn signed(value: f64) -> String {
    let sign = if value.round() < 0.0 { "−" } else { "" };
    format!("{sign}{}", thousands(value.abs().round() as u64))
}

/// Of `peers` the one that adds the least. Rows have delivered all of their spans, so each peer that has one may be the best.
fn best(rows: &[Row], peers: &[Variant], of: fn(&Row) -> f64) -> Option<(Variant, f64)> {
    let added = |peer: &Variant| Some((*peer, added(rows, find(rows, *peer)?, of)?));
    let peers = peers.iter().filter_map(added);
    peers.min_by(|(_, one), (_, other)| one.total_cmp(other))
}

fn against(what: &str, ours: Option<f64>, best: Option<(Variant, f64)>, limit: Limit) -> Bar {
    let name = best.map_or("the best peer's".into(), |(peer, _)| {
        format!("{}'s, the best peer", peer.name())
    });
    Bar {
        what: format!("Instructions added, {what}: biztrace's ÷ {name}"),
        value: ours.zip(best).map(|(ours, (_, peer))| ours / peer),
        upper_end: None,
        limit,
    }
}

fn recorded(rows: &[Row]) -> Bar {
    let all = |row: &Row| row.all;
    let ours = find(rows, Variant::Biztrace).and_then(|row| added(rows, row, all));
    let best = best(rows, &Variant::PEERS, all);
    against("all recorded", ours, best, LIMIT)
}

fn kept(rows: &[Row]) -> Bar {
    let tenth = |row: &Row| row.tenth;
    let ours = find(rows, KEEPING).and_then(|row| added(rows, row, tenth));
    let best = best(rows, &Variant::WITH_SAMPLER, tenth);
    against(
        "all for `Keep` and a tenth recorded",
        ours,
        best,
        KEEP_LIMIT,
    )
}

fn dropped(rows: &[Row]) -> Bar {
    Bar {
        what: "Instructions that a dropped trace costs less than a kept one".into(),
        value: find(rows, KEEPING).map(|row| row.all - row.nothing),
        upper_end: None,
        limit: DROP_LIMIT,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(variant: Variant, all: f64) -> Row {
        Row {
            subject: variant.into(),
            all,
            tenth: 1_500.4,
            nothing: 900.0,
            share: variant.baseline().map(|_| 0.1012),
        }
    }

    fn noop() -> Row {
        Row {
            tenth: 1_000.0,
            nothing: 1_000.0,
            ..row(Variant::Noop, 1_000.0)
        }
    }

    #[test]
    fn a_row_has_the_counts_and_what_is_added() {
        let table = draw(&[noop(), row(Variant::Biztrace, 3_500.0)]);
        let lines: Vec<&str> = table.lines().collect();
        assert_eq!(lines[2], "| noop | 1,000 | – | 1,000 | – | – | 1,000 | – |");
        assert_eq!(
            lines[3],
            "| biztrace | 3,500 | 2,500 | 1,500 | 500 | 10.1 % | 900 | −100 |"
        );
    }

    /// The sentences below the table.
    fn bars(rows: &[Row]) -> [String; 3] {
        let drawn = draw(rows);
        let mut lines = drawn.lines().rev().filter(|line| !line.is_empty());
        let mut last = [(); 3].map(|()| lines.next().unwrap().to_owned());
        last.reverse();
        last
    }

    #[test]
    fn the_bar_is_a_quarter_of_the_best_peer() {
        let draw_with = |biztrace| {
            let rows = [
                noop(),
                row(Variant::Biztrace, biztrace),
                row(Variant::Tracing, 21_000.0),
                row(Variant::Fastrace, 11_000.0),
            ];
            bars(&rows)[0].clone()
        };
        let what = "Instructions added, all recorded: biztrace's ÷ fastrace's, the best peer";
        let met = format!("{what}: 0.250; the bar is ≤ 0.25: met.");
        assert_eq!(draw_with(3_500.0), met);
        let missed = format!("{what}: 0.300; the bar is ≤ 0.25: missed.");
        assert_eq!(draw_with(4_000.0), missed);
    }

    #[test]
    fn keeping_is_compared_with_the_best_peer_that_samples() {
        let keeping = |tenth, nothing| Row {
            subject: KEEPING,
            tenth,
            nothing,
            ..row(Variant::Biztrace, 3_500.0)
        };
        let peer = |variant, tenth| Row {
            tenth,
            ..row(variant, 21_000.0)
        };
        let bars = |keeping| {
            bars(&[
                noop(),
                row(Variant::Biztrace, 3_500.0),
                keeping,
                peer(Variant::Opentelemetry, 6_000.0),
                peer(Variant::Tracing, 9_000.0),
                peer(Variant::Fastrace, 2_000.0),
            ])
        };
        let [_, ratio, difference] = bars(keeping(4_000.0, 2_500.0));
        let what = "Instructions added, all for `Keep` and a tenth recorded: biztrace's ÷ opentelemetry's, the best peer";
        assert_eq!(ratio, format!("{what}: 0.600; the bar is ≤ 0.6: met."));
        let what = "Instructions that a dropped trace costs less than a kept one";
        let met = format!("{what}: 1,000; the bar is ≥ 1000: met.");
        assert_eq!(difference, met);
        let [_, ratio, difference] = bars(keeping(4_100.0, 3_600.0));
        assert!(ratio.ends_with(": 0.620; the bar is ≤ 0.6: missed."));
        assert_eq!(
            difference,
            format!("{what}: −100; the bar is ≥ 1000: missed.")
        );
    }

    #[test]
    fn without_peers_the_bars_are_not_measured() {
        for bar in bars(&[noop(), row(Variant::Biztrace, 3_500.0)]) {
            assert!(bar.ends_with(": not measured."), "{bar}");
        }
    }
}
