//! The counts as a table, and the bar that biztrace is to reach.

use super::count::Row;
use crate::report::{Bar, Limit, line, thousands};
use crate::run::Variant;

/// biztrace's added instructions ÷ the best peer's, at most.
const LIMIT: f64 = 0.25;

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
";

/// The table, and below it the bar.
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
            row.variant.name().into(),
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
    let bar = bar(rows);
    let value = bar.value.map(|value| format!(": {value:.3}"));
    format!(
        "{table}\n{}{}; the bar is ≤ {LIMIT}: {}.\n",
        bar.what,
        value.unwrap_or_default(),
        bar.verdict()
    )
}

/// The variant's instructions over those of the service without tracing.
fn added(rows: &[Row], row: &Row, of: fn(&Row) -> f64) -> Option<f64> {
    let baseline = row.variant.baseline()?;
    let baseline = rows.iter().find(|row| row.variant == baseline)?;
    Some(of(row) - of(baseline))
}

fn signed(value: f64) -> String {
    let sign = if value.round() < 0.0 { "−" } else { "" };
    format!("{sign}{}", thousands(value.abs().round() as u64))
}

/// Rows have delivered all of their spans, so each peer that has one may be the best.
fn bar(rows: &[Row]) -> Bar {
    let added = |variant: Variant| {
        let row = rows.iter().find(|row| row.variant == variant)?;
        added(rows, row, |row| row.all)
    };
    let peers = Variant::PEERS.into_iter();
    let best = peers
        .filter_map(|peer| Some((peer, added(peer)?)))
        .min_by(|(_, one), (_, other)| one.total_cmp(other));
    let name = best.map_or("the best peer's".into(), |(peer, _)| {
        format!("{}'s, the best peer", peer.name())
    });
    let ratio = best.and_then(|(_, peer)| Some(added(Variant::Biztrace)? / peer));
    Bar {
        what: format!("Instructions added, all recorded: biztrace's ÷ {name}"),
        value: ratio,
        upper_end: None,
        limit: Limit::AtMost(LIMIT),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(variant: Variant, all: f64) -> Row {
        Row {
            variant,
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

    #[test]
    fn the_bar_is_a_quarter_of_the_best_peer() {
        let draw_with = |biztrace| {
            let rows = [
                noop(),
                row(Variant::Biztrace, biztrace),
                row(Variant::Tracing, 21_000.0),
                row(Variant::Fastrace, 11_000.0),
            ];
            draw(&rows).lines().last().map(String::from)
        };
        let what = "Instructions added, all recorded: biztrace's ÷ fastrace's, the best peer";
        let met = format!("{what}: 0.250; the bar is ≤ 0.25: met.");
        assert_eq!(draw_with(3_500.0), Some(met));
        let missed = format!("{what}: 0.300; the bar is ≤ 0.25: missed.");
        assert_eq!(draw_with(4_000.0), Some(missed));
    }

    #[test]
    fn without_peers_the_bar_is_not_measured() {
        let table = draw(&[noop(), row(Variant::Biztrace, 3_500.0)]);
        assert!(
            table.ends_with("the bar is ≤ 0.25: not measured.\n"),
            "{table}"
        );
    }
}
