//! Chooses what [`super`] shows of one span, and in which ink.

use opentelemetry_proto::tonic::{
    common::v1::{KeyValue, any_value::Value},
    trace::v1::{
        Span,
        span::{Event, Link, SpanKind},
    },
};

use unicode_width::UnicodeWidthStr;

use super::{
    style::Style,
    text::{self, Ink, Text, counted},
    tree::{Node, Trace, Visit},
};
use crate::exporter::visible::visible;
use crate::hex;

/// However deep a span is, its name gets this many columns.
const NAME_AT_LEAST: usize = 16;
/// Longer keys and names of services are cut to this many columns.
const NAME_LIMIT: usize = 60;

const STATUS_CODE: &str = "http.response.status_code";
const HTTP_ROUTE: &str = "http.route";
const URL_PATH: &str = "url.path";
const ERROR_TYPE: &str = "error.type";

/// What the middleware records of every request, what the label shows already, and what would fill the screen.
/// Compared as prefixes.
const HIDDEN: [&str; 13] = [
    "client.",
    "code.",
    "db.query.summary",
    "exception.stacktrace",
    "http.request.method",
    HTTP_ROUTE,
    STATUS_CODE,
    "network.",
    "sampling.",
    "server.",
    "url.scheme",
    "url.template",
    "user_agent.",
];
/// Technical, yet telling: shown after the business tags. Compared as prefixes.
const SUBDUED: [&str; 3] = ["http.", "otel.", "url."];

/// A span, ready to be laid out.
pub(super) struct Row {
    /// The branch of the tree, then the span's name, kind and HTTP status.
    pub(super) label: Text,
    pub(super) duration: String,
    pub(super) bar: String,
    pub(super) bar_ink: Ink,
    /// The service if it is not the caller's, what went wrong, the business tags, the rest.
    pub(super) tags: Vec<Text>,
    /// Leads each line below the span's own.
    pub(super) indent: String,
    /// Below the tags: one for each event and link.
    pub(super) paragraphs: Vec<Vec<Text>>,
}

impl Row {
    pub(super) fn new(trace: &Trace<'_>, visit: &Visit, style: Style) -> Self {
        let node = &trace.nodes[visit.node];
        let span = node.span;
        let caller = visit
            .parent
            .map_or(trace.service(), |parent| trace.nodes[parent].service);
        let duration = span
            .end_time_unix_nano
            .saturating_sub(span.start_time_unix_nano);
        let offset = span.start_time_unix_nano.saturating_sub(trace.start);
        let indent = indent(visit);
        let below = style.behind(indent.width());
        let events = span
            .events
            .iter()
            .map(|event| event_pieces(event, span, below));
        let links = span.links.iter().map(|link| link_pieces(link, below));
        Self {
            label: label(node, &branch(visit), style),
            duration: text::duration(duration),
            bar: text::bar(offset, duration, trace.duration, style.bar()),
            bar_ink: bar_ink(node),
            tags: tags(node, caller, visit.parent.is_none(), below),
            paragraphs: events.chain(links).collect(),
            indent,
        }
    }
}

/// Leads a span's own line: `│  └─ `.
fn branch(visit: &Visit) -> String {
    let Some((follows, ancestors)) = visit.siblings_follow.split_last() else {
        return String::new();
    };
    guides(visit.levels_cut, ancestors) + if *follows { "├─ " } else { "└─ " }
}

/// Leads the lines below it, down to its children: `│     │  `.
fn indent(visit: &Visit) -> String {
    guides(visit.levels_cut, &visit.siblings_follow)
        + if visit.has_children { "│  " } else { "   " }
}

fn guides(levels_cut: usize, siblings_follow: &[bool]) -> String {
    let cut = if levels_cut > 0 {
        format!("+{levels_cut} ")
    } else {
        String::new()
    };
    siblings_follow.iter().fold(cut, |guides, follows| {
        guides + if *follows { "│  " } else { "   " }
    })
}

fn label(node: &Node<'_>, branch: &str, style: Style) -> Text {
    let span = node.span;
    let mut label = Text::new(style);
    label.push(Ink::Dim, branch);
    if node.is_error() {
        label.push(Ink::Red, "✗ ");
    }
    if let Some(kind) = kind(span) {
        label.push(Ink::Dim, &format!("{kind} "));
    }
    let status = status_code(span);
    let status_width = status.map_or(0, |code| format!(" → {code}").width());
    let room = style
        .label()
        .saturating_sub(label.width + status_width)
        .max(NAME_AT_LEAST);
    let name_ink = if node.is_error() { Ink::Red } else { Ink::Bold };
    label.push(name_ink, &visible(&span.name, room));
    if let Some(code) = status {
        label.push(Ink::Dim, " → ");
        label.push(status_ink(code), &code.to_string());
    }
    label
}

fn kind(span: &Span) -> Option<&'static str> {
    match span.kind() {
        SpanKind::Server => Some("server"),
        SpanKind::Client => Some("client"),
        SpanKind::Producer => Some("producer"),
        SpanKind::Consumer => Some("consumer"),
        SpanKind::Internal | SpanKind::Unspecified => None,
    }
}

fn status_code(span: &Span) -> Option<i64> {
    match attribute(span, STATUS_CODE)? {
        Value::IntValue(code) => Some(*code),
        _ => None,
    }
}

fn attribute<'a>(span: &'a Span, key: &str) -> Option<&'a Value> {
    let attribute = span
        .attributes
        .iter()
        .find(|attribute| attribute.key == key)?;
    attribute.value.as_ref()?.value.as_ref()
}

fn status_ink(code: i64) -> Ink {
    match code {
        ..400 => Ink::Green,
        400..500 => Ink::Yellow,
        _ => Ink::Red,
    }
}

fn bar_ink(node: &Node<'_>) -> Ink {
    match node.span.kind() {
        _ if node.is_error() => Ink::Red,
        SpanKind::Server | SpanKind::Consumer => Ink::Blue,
        SpanKind::Client | SpanKind::Producer => Ink::Cyan,
        SpanKind::Internal | SpanKind::Unspecified => Ink::Green,
    }
}

fn tags(node: &Node<'_>, caller: &str, is_root: bool, style: Style) -> Vec<Text> {
    let span = node.span;
    let mut tags = Vec::new();
    if node.service != caller {
        let service = format!("[{}]", visible(node.service, NAME_LIMIT));
        tags.push(Text::of(Ink::Magenta, &service, style));
    }
    if node.is_error() {
        tags.extend(error(span, style.width).map(|error| Text::of(Ink::Red, &error, style)));
    }
    let is_told = |tag: &KeyValue| match tag.key.as_str() {
        ERROR_TYPE => node.is_error(),
        URL_PATH => {
            tag.value.as_ref().and_then(|path| path.value.as_ref()) == attribute(span, HTTP_ROUTE)
        }
        _ => false,
    };
    tags.extend(attribute_pieces(
        span.attributes.iter().filter(|tag| !is_told(tag)),
        style,
    ));
    if is_root && !span.parent_span_id.is_empty() {
        let place = if is_parent_remote(span) {
            "remote parent"
        } else {
            "parent not in this batch"
        };
        tags.push(Text::of(
            Ink::Dim,
            &format!("↑ {place} {}", hex::encode(&span.parent_span_id)),
            style,
        ));
    }
    let dropped = [
        (span.dropped_attributes_count, "attribute"),
        (span.dropped_events_count, "event"),
        (span.dropped_links_count, "link"),
    ];
    tags.extend(
        dropped
            .into_iter()
            .filter_map(|(count, noun)| dropped_piece(count, noun, style)),
    );
    tags
}

/// `type: message`, or what there is of it, in that many columns. A type that is but the HTTP status says nothing new.
fn error(span: &Span, columns: usize) -> Option<String> {
    let error_type = match attribute(span, ERROR_TYPE) {
        Some(Value::StringValue(error_type)) => error_type.as_str(),
        _ => "",
    };
    let is_status = status_code(span).is_some_and(|code| code.to_string() == error_type);
    let message = span
        .status
        .as_ref()
        .map_or("", |status| status.message.as_str());
    let parts: Vec<_> = [if is_status { "" } else { error_type }, message]
        .into_iter()
        .filter(|part| !part.is_empty())
        .map(|part| visible(part, text::VALUE_LIMIT))
        .collect();
    (!parts.is_empty()).then(|| visible(&parts.join(": "), columns))
}

/// Whether the span's flags know its parent to be of another process (OTLP, `SpanFlags`).
fn is_parent_remote(span: &Span) -> bool {
    const IS_REMOTE_IS_KNOWN_AND_TRUE: u32 = 0x300;
    span.flags & IS_REMOTE_IS_KNOWN_AND_TRUE == IS_REMOTE_IS_KNOWN_AND_TRUE
}

fn event_pieces(event: &Event, span: &Span, style: Style) -> Vec<Text> {
    let offset = event
        .time_unix_nano
        .saturating_sub(span.start_time_unix_nano);
    let mut head = Text::of(Ink::Dim, &format!("· +{} ", text::duration(offset)), style);
    let room = style.behind(head.width).width.min(text::VALUE_LIMIT);
    head.push(Ink::Yellow, &visible(&event.name, room));
    let mut pieces = vec![head];
    pieces.extend(attribute_pieces(event.attributes.iter(), style));
    pieces.extend(dropped_piece(
        event.dropped_attributes_count,
        "attribute",
        style,
    ));
    pieces
}

fn link_pieces(link: &Link, style: Style) -> Vec<Text> {
    let ids = [
        format!("↔ trace {}", hex::encode(&link.trace_id)),
        format!("span {}", hex::encode(&link.span_id)),
    ];
    let mut pieces = Vec::from(ids.map(|id| Text::of(Ink::Cyan, &id, style)));
    pieces.extend(attribute_pieces(link.attributes.iter(), style));
    pieces.extend(dropped_piece(
        link.dropped_attributes_count,
        "attribute",
        style,
    ));
    pieces
}

/// `key=value` for each attribute to be shown: business tags first, otherwise in their order.
fn attribute_pieces<'a>(
    attributes: impl Iterator<Item = &'a KeyValue>,
    style: Style,
) -> impl Iterator<Item = Text> {
    let is_under =
        |tag: &KeyValue, prefixes: &[&str]| prefixes.iter().any(|it| tag.key.starts_with(it));
    let (subdued, business): (Vec<_>, Vec<_>) = attributes
        .filter(|tag| !is_under(tag, &HIDDEN))
        .partition(|tag| is_under(tag, &SUBDUED));
    let business = business
        .into_iter()
        .map(move |tag| attribute_piece(tag, Ink::Default, style));
    business.chain(
        subdued
            .into_iter()
            .map(move |tag| attribute_piece(tag, Ink::Dim, style)),
    )
}

fn attribute_piece(attribute: &KeyValue, value_ink: Ink, style: Style) -> Text {
    // A long key leaves room for its value.
    let key = visible(&attribute.key, NAME_LIMIT.min(style.width / 2));
    let mut text = Text::of(Ink::Dim, &format!("{key}="), style);
    let room = style.behind(text.width).width.min(text::VALUE_LIMIT);
    text.push(value_ink, &text::value(attribute.value.as_ref(), room));
    text
}

fn dropped_piece(count: u32, noun: &str, style: Style) -> Option<Text> {
    (count > 0).then(|| {
        Text::of(
            Ink::Yellow,
            &format!("({} dropped)", counted(count as usize, noun)),
            style,
        )
    })
}
