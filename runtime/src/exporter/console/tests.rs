//! Trees as they are printed. The expected texts document the layout.

mod fixture;

use opentelemetry_proto::tonic::{
    common::v1::{ArrayValue, any_value::Value},
    trace::v1::{
        Span,
        span::{Event, Link, SpanKind},
    },
};

use unicode_width::UnicodeWidthStr;

use super::{Style, render, style::DEFAULT_WIDTH};
use fixture::{MICROS, REMOTE_PARENT, START, failed, int, order, recorded_by, span, tag, text};

const PLAIN: Style = Style {
    has_colours: false,
    width: DEFAULT_WIDTH,
};
const COLOUR: Style = Style {
    has_colours: true,
    ..PLAIN
};

fn plain(spans: Vec<Span>) -> String {
    render(&[recorded_by("shop", spans)], PLAIN)
}

/// What a terminal shows of text with escape codes; panics where one is not of the form that [`render`] may write.
fn without_colour(coloured: &str) -> String {
    let mut parts = coloured.split("\x1b[");
    let mut shown = parts.next().unwrap_or_default().to_owned();
    let mut is_inked = false;
    for part in parts {
        let (rendition, rest) = part.split_once('m').expect("a code ends in m");
        assert!(
            rendition.parse::<u8>().is_ok(),
            "not a rendition: {rendition:?}"
        );
        assert_eq!(
            rendition == "0",
            is_inked,
            "ink on and off take turns: {part:?}"
        );
        is_inked = !is_inked;
        assert!(
            !is_inked || !rest.contains('\n'),
            "ink must not run into the next line: {rest:?}"
        );
        shown.push_str(rest);
    }
    assert!(!is_inked);
    shown
}

#[test]
fn two_services_are_one_tree() {
    let expected = "\
storefront  4bf92f3577b34da6a3ce929d0e0e4736  13:45:24.123 UTC  12.4ms  5 spans  1 error
server POST /orders/{id} → 402                 12.4ms ████████████████  order.id=42 order.amount=99.5
│  payment.method=card url.path=/orders/42
├─ client POST → 200                           8.10ms  ██████████▌      url.full=http://127.0.0.1:8081/stock/A-1/reserve
│  └─ server POST /stock/{sku}/reserve → 200   6.10ms   ▐███████▍       [inventory] stock.sku=A-1 stock.left=7
│     └─ client UPDATE stock                   5.60ms   ▕███████▏       db.system.name=sqlite
│           db.query.text=\"UPDATE stock SET left = left - ?1 WHERE sku = ?2 AND left >= ?1\"
└─ ✗ charge                                    2.50ms             ███▍  PaymentDeclined: insufficient funds
      payment.decline_code=51
      · +2.40ms retry attempt=2

";
    assert_eq!(render(&order(), PLAIN), expected);
}

#[test]
fn what_is_unusual_is_said() {
    let spans = vec![
        Span {
            kind: SpanKind::Server.into(),
            flags: REMOTE_PARENT,
            status: failed(""),
            attributes: vec![
                text("http.route", "/crash"),
                text("url.path", "/crash"),
                text("error.type", "500"),
                int("http.response.status_code", 500),
            ],
            ..span("GET /crash", 1, 0xb7, 0, 900)
        },
        Span {
            kind: SpanKind::Consumer.into(),
            links: vec![Link {
                trace_id: vec![0xab; 16],
                span_id: vec![0xcd; 8],
                attributes: vec![int("messaging.kafka.offset", 9)],
                ..Link::default()
            }],
            dropped_attributes_count: 2,
            dropped_links_count: 1,
            ..span("process orders", 2, 0xc8, 450, 700)
        },
        Span {
            events: vec![Event {
                time_unix_nano: START + 750 * MICROS,
                name: "exception".to_owned(),
                attributes: vec![
                    text("exception.type", "std::io::Error"),
                    text("exception.message", "connection reset"),
                    text("exception.stacktrace", "0: main\n1: start"),
                ],
                dropped_attributes_count: 3,
            }],
            ..span("clock set back", 3, 2, 700, 600)
        },
    ];
    let expected = "\
shop  4bf92f3577b34da6a3ce929d0e0e4736  13:45:24.123 UTC  900µs  3 spans  1 error
✗ server GET /crash → 500    900µs ████████████████  ↑ remote parent 00000000000000b7
consumer process orders      250µs         ████▍     ↑ parent not in this batch 00000000000000c8 (2 attributes dropped)
│  (1 link dropped)
│  ↔ trace abababababababababababababababab span cdcdcdcdcdcdcdcd messaging.kafka.offset=9
└─ clock set back              0ns             ▌
      · +50.0µs exception exception.type=std::io::Error exception.message=\"connection reset\" (3 attributes dropped)

";
    assert_eq!(plain(spans), expected);
}

#[test]
fn tags_that_do_not_fit_beside_go_below() {
    let numbered = |number: i64| int(&format!("cart.item.{number}"), 1_000_000 + number);
    let spans = vec![
        Span {
            attributes: (0..12).map(numbered).collect(),
            ..span("checkout", 1, 0, 0, 10)
        },
        Span {
            attributes: vec![text("note", &"n".repeat(200))],
            ..span(&"long ".repeat(30), 2, 1, 5, 10)
        },
    ];
    let expected = "\
shop  4bf92f3577b34da6a3ce929d0e0e4736  13:45:24.123 UTC  10.0µs  2 spans
checkout                                           10.0µs ████████████████  cart.item.0=1000000 cart.item.1=1000001
│  cart.item.2=1000002 cart.item.3=1000003 cart.item.4=1000004 cart.item.5=1000005 cart.item.6=1000006
│  cart.item.7=1000007 cart.item.8=1000008 cart.item.9=1000009 cart.item.10=1000010 cart.item.11=1000011
└─ long long long long long long long long long…   5.00µs         ████████
      note=nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn…

";
    assert_eq!(plain(spans), expected);
}

/// As a terminal of 80 columns shows it.
#[test]
fn narrow_terminal_shows_whole_lines() {
    let narrow = Style { width: 80, ..PLAIN };
    let expected = "\
storefront  4bf92f3577b34da6a3ce929d0e0e4736  13:45:24.123 UTC  12.4ms  5 spans
   1 error
server POST /orders/{id} → 402        12.4ms ██████████  order.id=42
│  order.amount=99.5 payment.method=card url.path=/orders/42
├─ client POST → 200                  8.10ms ▐██████▎
│  │  url.full=http://127.0.0.1:8081/stock/A-1/reserve
│  └─ server POST /stock/{sk… → 200   6.10ms  ▐████▌     [inventory]
│     │  stock.sku=A-1 stock.left=7
│     └─ client UPDATE stock          5.60ms  ▐████▎     db.system.name=sqlite
│           db.query.text=\"UPDATE stock SET left = left - ?1 WHERE sku = ?2 AN…\"
└─ ✗ charge                           2.50ms        ▐█▋
      PaymentDeclined: insufficient funds payment.decline_code=51
      · +2.40ms retry attempt=2

";
    assert_eq!(render(&order(), narrow), expected);

    let long = "long ".repeat(60);
    let attributes = vec![
        text(&long, &long),
        text("note", &"支付宝".repeat(60)),
        text("error.type", &long),
        tag(
            "list",
            Value::ArrayValue(ArrayValue {
                values: text("", &long).value.into_iter().collect(),
            }),
        ),
    ];
    let event = Event {
        name: long.clone(),
        attributes: attributes.clone(),
        dropped_attributes_count: 7,
        ..Event::default()
    };
    let link = Link {
        trace_id: vec![1; 16],
        span_id: vec![2; 8],
        attributes: attributes.clone(),
        ..Link::default()
    };
    let spans = (1..=20).map(|id| Span {
        kind: SpanKind::Consumer.into(),
        status: failed(&long),
        attributes: attributes.clone(),
        events: vec![event.clone()],
        links: vec![link.clone()],
        ..span(&long, id, id - 1, 10 * id, 1_000_000_000 * id)
    });
    let batch = [recorded_by(&long, spans.collect())];
    for width in 72..200 {
        let shown = render(&batch, Style { width, ..PLAIN });
        let widest = shown.lines().map(UnicodeWidthStr::width).max();
        assert!(widest <= Some(width), "{widest:?} in {width}:\n{shown}");
    }
}

#[test]
fn colours_add_nothing_but_ink() {
    let coloured = render(&order(), COLOUR);
    assert!(
        coloured.contains("\x1b[31mcharge\x1b[0m"),
        "an error is red"
    );
    let trimmed: String = without_colour(&coloured)
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    assert_eq!(trimmed, render(&order(), PLAIN));
}

#[test]
fn nothing_recorded_reaches_the_terminal_as_a_command() {
    let hostile = "\x1b]0;owned\x07\x1b[2J\r\n\u{9b}31m\u{202e}";
    let attributes = vec![
        text(hostile, hostile),
        tag(
            "list",
            Value::ArrayValue(ArrayValue {
                values: text("", hostile).value.into_iter().collect(),
            }),
        ),
        text("error.type", hostile),
    ];
    let spans = vec![Span {
        status: failed(hostile),
        attributes: attributes.clone(),
        events: vec![Event {
            name: hostile.to_owned(),
            attributes: attributes.clone(),
            ..Event::default()
        }],
        links: vec![Link {
            attributes,
            ..Link::default()
        }],
        ..span(hostile, 1, 0, 0, 1)
    }];
    for style in [PLAIN, COLOUR] {
        let shown = without_colour(&render(&[recorded_by(hostile, spans.clone())], style));
        let active = |c: char| c != '\n' && (c.is_control() || c == '\u{202e}');
        assert!(!shown.contains(active), "{shown:?}");
        assert!(shown.contains(r"\u{1b}]0;owned\u{7}"), "{shown}");
    }
}

#[test]
fn every_span_is_printed_once_whatever_the_ids_say() {
    let cases = [
        ("its own parent", vec![(1, 1)], "a"),
        ("a cycle", vec![(1, 2), (2, 3), (3, 1)], "a\n└─ c\n   └─ b"),
        (
            "below a cycle",
            vec![(9, 1), (1, 2), (2, 1)],
            "b\n├─ a\n└─ c",
        ),
        ("an id twice", vec![(1, 0), (1, 0), (2, 1)], "a\n└─ c\nb"),
        ("no ids", vec![(0, 0), (0, 0)], "a\nb"),
        (
            "siblings by start",
            vec![(1, 0), (2, 1), (3, 1), (4, 2)],
            "a\n├─ b\n│  └─ d\n└─ c",
        ),
    ];
    for (case, ids, expected) in cases {
        let mut spans = Vec::new();
        for ((id, parent), name) in ids.into_iter().zip(["a", "b", "c", "d"]) {
            let start = spans.len() as u64;
            spans.push(span(name, id, parent, start, start));
        }
        spans.reverse();
        let printed = plain(spans);
        let labels: Vec<_> = printed
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once("  0ns"))
            .map(|(label, _)| label.trim_end())
            .collect();
        assert_eq!(labels.join("\n"), expected, "{case}");
    }
}

#[test]
fn deep_traces_stay_narrow() {
    let levels = 10_000;
    let spans = (1..=levels)
        .map(|id| span("nested", id, id - 1, id, 2 * levels - id))
        .collect();
    let printed = plain(spans);
    assert_eq!(printed.lines().count() as u64, 1 + levels + 1);
    assert!(printed.lines().all(|line| line.width() <= DEFAULT_WIDTH));
    let last = printed
        .lines()
        .rfind(|line| line.contains("nested"))
        .expect("a last level");
    assert!(
        last.starts_with("+9991                      └─ nested"),
        "{last}"
    );
}

#[test]
fn traces_come_in_the_order_of_their_start() {
    let other = |id: u8, start| Span {
        trace_id: vec![id; 16],
        ..span("other", 1, 0, start, start + 2_000)
    };
    let printed = render(
        &[
            recorded_by("b", vec![other(0xbb, 5)]),
            recorded_by("a", vec![other(0xcc, 9), other(0xaa, 1)]),
        ],
        PLAIN,
    );
    let expected = "\
a  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa  13:45:24.123 UTC  2.00ms  1 span
other   2.00ms ████████████████

b  bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb  13:45:24.123 UTC  2.00ms  1 span
other   2.00ms ████████████████

a  cccccccccccccccccccccccccccccccc  13:45:24.123 UTC  2.00ms  1 span
other   2.00ms ████████████████

";
    assert_eq!(printed, expected);
    assert_eq!(render(&[], PLAIN), "");
}
