//! Puts values into words for [`super`]: attribute values, durations, times, bars and colours.
//! What came from outside leaves here without a character that a terminal would act upon.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value::Value};

use unicode_width::UnicodeWidthStr;

use super::style::Style;
use crate::exporter::visible::{is_active, visible};
use crate::hex;

/// Columns of a value at the most. What is longer ends in `…`.
pub(super) const VALUE_LIMIT: usize = 80;

/// The graphic renditions of ECMA-48 that the tree uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Default,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
    Blue,
    Magenta,
    Cyan,
}

impl Ink {
    fn rendition(self) -> &'static str {
        match self {
            Self::Default => "",
            Self::Bold => "1",
            Self::Dim => "2",
            Self::Red => "31",
            Self::Green => "32",
            Self::Yellow => "33",
            Self::Blue => "34",
            Self::Magenta => "35",
            Self::Cyan => "36",
        }
    }
}

/// Text in several inks, which knows how many columns it takes.
pub(super) struct Text {
    style: Style,
    pub(super) width: usize,
    pub(super) written: String,
}

impl Text {
    pub(super) fn new(style: Style) -> Self {
        Self {
            style,
            width: 0,
            written: String::new(),
        }
    }

    /// `text` in one ink.
    pub(super) fn of(ink: Ink, text: &str, style: Style) -> Self {
        let mut all = Self::new(style);
        all.push(ink, text);
        all
    }

    /// Appends `text`, which must be free of control characters (see [`visible`]).
    pub(super) fn push(&mut self, ink: Ink, text: &str) {
        self.width += text.width();
        if !self.style.has_colours || ink == Ink::Default || text.is_empty() {
            self.written.push_str(text);
        } else {
            self.written
                .push_str(&format!("\x1b[{}m{text}\x1b[0m", ink.rendition()));
        }
    }

    pub(super) fn append(&mut self, other: &Self) {
        self.width += other.width;
        self.written.push_str(&other.written);
    }

    pub(super) fn pad_to(&mut self, width: usize) {
        let missing = width.saturating_sub(self.width);
        self.push(Ink::Default, &" ".repeat(missing));
    }
}

/// An attribute value as a user would write it, in at most that many columns. A string is bare unless that would make it ambiguous.
pub(super) fn value(value: Option<&AnyValue>, columns: usize) -> String {
    let Some(value) = value.and_then(|value| value.value.as_ref()) else {
        return "null".to_owned();
    };
    match value {
        Value::StringValue(text) => string(text, columns),
        Value::BoolValue(value) => value.to_string(),
        Value::IntValue(value) => value.to_string(),
        // Debug, unlike Display, sets a double apart from an integer: 2.0.
        Value::DoubleValue(value) => format!("{value:?}"),
        Value::ArrayValue(array) => {
            let items: Vec<_> = array
                .values
                .iter()
                .take(columns)
                .map(|item| self::value(Some(item), columns))
                .collect();
            visible(&format!("[{}]", items.join(", ")), columns)
        }
        Value::KvlistValue(list) => {
            let pairs = list.values.iter().take(columns);
            let pairs: Vec<_> = pairs.map(|it| pair(it, columns)).collect();
            visible(&format!("{{{}}}", pairs.join(", ")), columns)
        }
        Value::BytesValue(bytes) => visible(&format!("0x{}", hex::encode(bytes)), columns),
        // An index into a table that only profiles have: to be treated as absent (OTLP, common.proto).
        Value::StringValueStrindex(_) => "null".to_owned(),
    }
}

fn pair(attribute: &KeyValue, columns: usize) -> String {
    format!(
        "{}={}",
        visible(&attribute.key, columns),
        value(attribute.value.as_ref(), columns)
    )
}

fn string(text: &str, columns: usize) -> String {
    let ambiguous = |c: char| c.is_whitespace() || is_active(c) || matches!(c, '"' | '\\');
    if !text.is_empty() && !text.contains(ambiguous) {
        return visible(text, columns);
    }
    let quoted = text.replace('\\', r"\\").replace('"', r#"\""#);
    format!("\"{}\"", visible(&quoted, columns.saturating_sub(2)))
}

/// Three significant digits and a unit: `12.4ms`. At most seven columns up to a day.
pub(super) fn duration(nanos: u64) -> String {
    let (per_unit, unit) = match nanos {
        0..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => (1e3, "µs"),
        1_000_000..1_000_000_000 => (1e6, "ms"),
        _ => (1e9, "s"),
    };
    let amount = nanos as f64 / per_unit;
    let decimals = match amount {
        ..10.0 => 2,
        ..100.0 => 1,
        _ => 0,
    };
    format!("{amount:.decimals$}{unit}")
}

/// The time of day in UTC, to the millisecond: `13:45:24.123`.
pub(super) fn time_of_day(unix_nanos: u64) -> String {
    let millis = unix_nanos / 1_000_000;
    let (seconds, minutes, hours) = (millis / 1_000, millis / 60_000, millis / 3_600_000);
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        hours % 24,
        minutes % 60,
        seconds % 60,
        millis % 1_000
    )
}

/// Where `offset..offset + length` lies within `total`, drawn `columns` wide to an eighth of a column.
///
/// Unicode fills blocks by eighths from the left only, so a bar's end is exact to an eighth and its start to a half.
/// However short, it leaves a mark.
pub(super) fn bar(offset: u64, length: u64, total: u64, columns: usize) -> String {
    let eighths = columns as u128 * 8;
    let scaled = |nanos: u64| u128::from(nanos) * eighths / u128::from(total.max(1));
    let start = scaled(offset).min(eighths - 1);
    let end = scaled(offset.saturating_add(length)).clamp(start + 1, eighths);
    (0..columns as u128)
        .map(|column| {
            let within = |eighth: u128| eighth.saturating_sub(column * 8).min(8) as usize;
            cell(within(start), within(end))
        })
        .collect()
}

/// The block that comes closest to filling `from..to` of eight eighths.
fn cell(from: usize, to: usize) -> char {
    const FROM_THE_LEFT: [char; 9] = [' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'];
    match (from, to) {
        (from, to) if from >= to => ' ',
        (7, _) => '▕',
        (0..=2, 8) => '█',
        (0..=3, to) => FROM_THE_LEFT[to],
        _ => '▐',
    }
}

/// A number with its noun: `2 spans`.
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::{ArrayValue, KeyValueList};

    use super::*;

    fn any(value: Value) -> AnyValue {
        AnyValue { value: Some(value) }
    }

    #[test]
    fn values_read_as_their_type() {
        let array = |values| Value::ArrayValue(ArrayValue { values });
        let pair = KeyValue {
            key: "k".to_owned(),
            value: Some(any(Value::IntValue(1))),
            ..KeyValue::default()
        };
        let cases = [
            (Value::BoolValue(true), "true"),
            (Value::IntValue(i64::MIN), "-9223372036854775808"),
            (Value::DoubleValue(2.0), "2.0"),
            (Value::DoubleValue(f64::NAN), "NaN"),
            (array(vec![]), "[]"),
            (
                array(vec![
                    any(Value::IntValue(1)),
                    any(Value::BoolValue(false)),
                    AnyValue::default(),
                ]),
                "[1, false, null]",
            ),
            (
                Value::KvlistValue(KeyValueList { values: vec![pair] }),
                "{k=1}",
            ),
            (Value::BytesValue(vec![0xde, 0xad]), "0xdead"),
        ];
        for (value, expected) in cases {
            assert_eq!(super::value(Some(&any(value)), 80), expected);
        }
    }

    #[test]
    fn strings_are_quoted_where_bare_ones_would_mislead() {
        let cases = [
            ("alipay", "alipay"),
            ("it's", "it's"),
            ("支付宝", "支付宝"),
            ("", r#""""#),
            ("two words", r#""two words""#),
            (r#"say "hi""#, r#""say \"hi\"""#),
            (r"C:\dir", r#""C:\\dir""#),
            ("a\nb\x1b[0m", r#""a\nb\u{1b}[0m""#),
            ("\u{202e}gnp", r#""\u{202e}gnp""#),
            ("x\u{2800}order.paid=true", r#""x\u{2800}order.paid=true""#),
        ];
        for (text, expected) in cases {
            assert_eq!(string(text, 80), expected);
        }
        let cut = [
            ("éééé", "éééé"),
            ("ééééé", "ééé…"),
            ("a b", r#""a…""#),
            ("支付宝", "支…"),
        ];
        for (text, expected) in cut {
            assert_eq!(string(text, 4), expected);
        }
    }

    #[test]
    fn durations_have_three_digits() {
        let cases = [
            (0, "0ns"),
            (999, "999ns"),
            (1_500, "1.50µs"),
            (12_400_000, "12.4ms"),
            (999_000_000, "999ms"),
            (1_240_000_000, "1.24s"),
            (86_400_000_000_000, "86400s"),
        ];
        for (nanos, expected) in cases {
            assert_eq!(duration(nanos), expected);
        }
    }

    #[test]
    fn time_of_day_is_of_any_day() {
        assert_eq!(time_of_day(0), "00:00:00.000");
        assert_eq!(time_of_day(86_399_999_999_999), "23:59:59.999");
        assert_eq!(time_of_day(u64::MAX), "23:34:33.709");
    }

    #[test]
    fn bars_lie_where_the_time_was_spent() {
        let cases = [
            ((0, 100, 100), "████"),
            ((0, 50, 100), "██  "),
            ((50, 50, 100), "  ██"),
            ((38, 25, 100), " ▐▌ "),
            ((0, 3, 100), "▏   "),
            ((0, 97, 100), "███▉"),
            // Too short for an eighth, at either end and beyond it.
            ((0, 0, 100), "▏   "),
            ((100, 0, 100), "   ▕"),
            ((200, 50, 100), "   ▕"),
            ((0, 0, 0), "▏   "),
            ((u64::MAX, u64::MAX, u64::MAX), "   ▕"),
        ];
        for ((offset, length, total), expected) in cases {
            assert_eq!(
                bar(offset, length, total, 4),
                expected,
                "{offset}+{length} of {total}"
            );
        }
    }
}
