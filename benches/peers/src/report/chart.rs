//! The report as a picture: what tracing adds to a request, one bar for each library.

use super::summary::Row;
use crate::run::{Scenario, Variant};
use crate::stats::Estimate;

const WIDTH: f64 = 720.0;
/// Where bars begin: their names end shortly before.
const LEFT: f64 = 128.0;
/// Room for the number at the longest bar's end.
const RIGHT: f64 = 88.0;
const TOP: f64 = 68.0;
const ROW: f64 = 36.0;
const BAR: f64 = 18.0;

/// Colours for light backgrounds, and for dark ones where the viewer says so; both are readable on either.
const STYLE: &str = "\
text { font: 13px system-ui, -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #6e7781; }
.title { font-size: 15px; font-weight: 600; }
.ours { font-weight: 600; }
.value { font-variant-numeric: tabular-nums; }
rect { fill: #b4bcc4; }
rect.ours { fill: #0f8a7e; }
line { stroke: #6e7781; stroke-width: 1.5; }
@media (prefers-color-scheme: dark) {
  text { fill: #b1bac4; }
  rect { fill: #6e7781; }
  rect.ours { fill: #2bb5a6; }
  line { stroke: #c9d1d9; }
}";

/// Draws what the libraries add when everything is recorded; nothing, if that was not measured.
pub(super) fn draw(rows: &[Row]) -> Option<String> {
    let recorded = rows.iter().filter(|row| row.scenario == Scenario::All);
    let bars: Vec<(Variant, Estimate)> = recorded
        .filter_map(|row| Some((row.variant, row.added?)))
        .collect();
    let longest = bars.iter().map(|(_, added)| added.high).reduce(f64::max)?;
    let scale = (WIDTH - LEFT - RIGHT) / longest.max(f64::MIN_POSITIVE);
    let height = TOP + ROW * bars.len() as f64;
    let bars = bars.iter().enumerate().map(|(index, &(variant, added))| {
        let middle = TOP + ROW * (index as f64 + 0.5);
        bar(variant, added, middle, scale)
    });
    let bars: String = bars.collect();
    Some(format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" aria-labelledby="title">
<style>
{STYLE}
</style>
<text class="title" id="title" x="0" y="20">CPU time that tracing adds to a request</text>
<text x="0" y="42">Everything recorded and exported, over the same service without tracing. Medians with 95 % intervals.</text>
{bars}</svg>
"#
    ))
}

/// A bar around the height `middle`: name, bar, whiskers, number.
fn bar(variant: Variant, added: Estimate, middle: f64, scale: f64) -> String {
    let x = |value: f64| LEFT + value.max(0.0) * scale;
    let (low, median, high) = (x(added.low), x(added.median), x(added.high));
    format!(
        r#"<text class="{class}" x="{name_end}" y="{baseline:.1}" text-anchor="end">{name}</text>
<rect class="{class}" x="{LEFT}" y="{top:.1}" width="{width:.1}" height="{BAR}" rx="2"/>
<line x1="{low:.1}" y1="{middle:.1}" x2="{high:.1}" y2="{middle:.1}"/>
<line x1="{low:.1}" y1="{cap_top:.1}" x2="{low:.1}" y2="{cap_end:.1}"/>
<line x1="{high:.1}" y1="{cap_top:.1}" x2="{high:.1}" y2="{cap_end:.1}"/>
<text class="{class} value" x="{value_start:.1}" y="{baseline:.1}">{value:.1} µs</text>
"#,
        class = if variant == Variant::Biztrace {
            "ours"
        } else {
            "peer"
        },
        name = variant.name(),
        name_end = LEFT - 12.0,
        baseline = middle + 4.5,
        top = middle - BAR / 2.0,
        width = median - LEFT,
        cap_top = middle - 4.0,
        cap_end = middle + 4.0,
        value_start = median.max(high) + 10.0,
        value = added.median,
    )
}
