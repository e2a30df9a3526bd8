//! What spans, traces and all telemetry may hold.

use std::time::Duration;

use super::format::{COUNT, Format, MILLISECONDS};
use super::pass::{Listing, NO_VARIABLE, Pass};
use super::sourced::Origin;

/// What one span and one trace may hold.
///
/// What goes past a limit is left out and counted: attributes, events and links in the span's own
/// `dropped_*_count` fields. Zero is a limit like any other.
///
/// The [OpenTelemetry specification][spec] defines the limits on spans and their defaults. Those
/// on traces and memory are this crate's own: they bound the memory of a trace that never ends, and of all telemetry.
///
/// ```
/// let mut limits = biztrace::settings::Limits::default();
/// limits.attributes = 64;
/// limits.attribute_value_length = Some(1024);
/// ```
///
/// [spec]: https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Attributes on a span. Default 128; `OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT`, else
    /// `OTEL_ATTRIBUTE_COUNT_LIMIT`.
    pub attributes: usize,
    /// Characters, not bytes, in a string value; longer ones are cut. `OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT`, else
    /// `OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT`.
    ///
    /// A number applies to all attributes. `None`, the default, cuts what this crate records at 4,096 characters: tags, and attributes
    /// of requests. Attributes of the OpenTelemetry API, `exception.*` and `db.query.text` have no limit then, as the specification has
    /// it.
    pub attribute_value_length: Option<usize>,
    /// Events on a span. Default 128; `OTEL_SPAN_EVENT_COUNT_LIMIT`.
    pub events: usize,
    /// Links on a span. Default 128; `OTEL_SPAN_LINK_COUNT_LIMIT`.
    pub links: usize,
    /// Attributes on one event. Default 128; `OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT`.
    pub event_attributes: usize,
    /// Attributes on one link. Default 128; `OTEL_LINK_ATTRIBUTE_COUNT_LIMIT`.
    pub link_attributes: usize,
    /// Spans of one trace that may be open in this process at a time. Default 1024. Ended spans that wait for open ones count, too,
    /// but they are exported early when they take half of it.
    pub spans_per_trace: usize,
    /// Encoded bytes that one trace may have in this process at a time. Default 1 MiB. Ended spans that wait are exported early when
    /// they take half of it.
    pub bytes_per_trace: usize,
    /// How long ended spans wait for open spans of their trace, for example below a handler that hangs, or a response without an
    /// end. Then they are exported without the open ones. Default 30 s. The export thread looks for such spans at each schedule
    /// delay, so the wait may take that much longer.
    pub hold: Duration,
    /// Bytes that all telemetry of an instance may hold: open traces, what waits for the exporters, and their requests. Default
    /// 256 MiB. Past it, spans are not recorded, and count as dropped for [`MemoryLimit`](crate::report::DropReason::MemoryLimit); what is
    /// open goes on with what it has. Each exporter keeps 1.5 MiB, and up to 128 KiB for each thread that records, and for each tier of
    /// tenants that the thread serves; less than 2 MiB for an exporter is an error. Each open trace takes blocks of 4 KiB. A quarter of it
    /// at most goes to the copies of requests' heads that tags read: past that, tags are missing and no spans
    /// ([`Report::incomplete_heads`](crate::report::Report::incomplete_heads)). The allocator's own share, up to as much again, is not counted.
    ///
    /// With several tiers of tenants, each exporter reserves half of its part beyond 2 MiB, `(memory / exporters - 2 MiB) / 2`, for ended
    /// spans on their way to it. Each tier has a share of that by its weight, which no other tier and no open trace can take. The rest is
    /// common, but for a quarter of what the exporters do not need of it: that is set aside for open traces, for each tier by its weight. What
    /// counts is the tier that is known when the trace begins. For example, of 256 MiB with one exporter and the weights 3 and 1, the tiers
    /// have 95.25 MiB and 31.75 MiB for spans on their way, their open traces 23.81 MiB and 7.94 MiB, and 97.25 MiB are common.
    pub memory: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            attributes: 128,
            attribute_value_length: None,
            events: 128,
            links: 128,
            event_attributes: 128,
            link_attributes: 128,
            spans_per_trace: 1024,
            bytes_per_trace: 1024 * 1024,
            hold: Duration::from_secs(30),
            memory: 256 * 1024 * 1024,
        }
    }
}

/// Characters of a string that this crate records, unless the settings say more.
const TEXT_LENGTH: usize = 4096;

impl Limits {
    /// Characters of a string that this crate records.
    pub(crate) fn text_length(&self) -> usize {
        self.attribute_value_length.unwrap_or(TEXT_LENGTH)
    }
}

const LENGTH: Format<Option<usize>> = Format {
    parse: |value, refused| (COUNT.parse)(value, refused).map(Some),
    shown: |value| Some(written_length(value)),
    written: written_length,
};

fn written_length(length: &Option<usize>) -> String {
    match length {
        Some(length) => length.to_string(),
        None => format!("{TEXT_LENGTH} (API: no limit)"),
    }
}

/// [`Limits`], each with its source.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct LimitSettings {
    pub(crate) limits: Limits,
    origins: [Origin; 10],
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            origins: [const { Origin::DEFAULT }; 10],
        }
    }
}

impl LimitSettings {
    /// Has the code change limits. Those that it leaves as they are keep their source.
    pub(crate) fn change(&mut self, change: impl FnOnce(&mut Limits)) {
        let before = self.shown();
        change(&mut self.limits);
        let after = self.shown();
        for (i, origin) in self.origins.iter_mut().enumerate() {
            if before.get(i) != after.get(i) {
                *origin = Origin::CODE;
            }
        }
    }

    /// The limits as text, in the order of their origins.
    fn shown(&self) -> Vec<String> {
        let mut listing = Listing::default();
        self.clone().visit(&mut Pass::Describe(&mut listing));
        let settings = listing.settings.into_iter();
        settings.map(|(_, value, _)| value).collect()
    }

    pub(super) fn visit(&mut self, pass: &mut Pass<'_>) {
        let Limits {
            attributes,
            attribute_value_length,
            events,
            links,
            event_attributes,
            link_attributes,
            spans_per_trace,
            bytes_per_trace,
            hold,
            memory,
        } = &mut self.limits;
        let [o0, o1, o2, o3, o4, o5, o6, o7, o8, o9] = &mut self.origins;
        pass.part(
            "limits.attributes",
            &[
                "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
                "OTEL_ATTRIBUTE_COUNT_LIMIT",
            ],
            &COUNT,
            attributes,
            o0,
        );
        pass.part(
            "limits.attribute_value_length",
            &[
                "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
                "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            ],
            &LENGTH,
            attribute_value_length,
            o1,
        );
        for (name, variable, value, origin) in [
            ("events", "OTEL_SPAN_EVENT_COUNT_LIMIT", events, o2),
            ("links", "OTEL_SPAN_LINK_COUNT_LIMIT", links, o3),
            (
                "event_attributes",
                "OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT",
                event_attributes,
                o4,
            ),
            (
                "link_attributes",
                "OTEL_LINK_ATTRIBUTE_COUNT_LIMIT",
                link_attributes,
                o5,
            ),
        ] {
            let name = format!("limits.{name}");
            pass.part(&name, &[variable], &COUNT, value, origin);
        }
        let mut of_ours =
            |name, value, origin| pass.part(name, &NO_VARIABLE, &COUNT, value, origin);
        of_ours("limits.spans_per_trace", spans_per_trace, o6);
        of_ours("limits.bytes_per_trace", bytes_per_trace, o7);
        pass.part("limits.hold", &NO_VARIABLE, &MILLISECONDS, hold, o8);
        pass.part("limits.memory", &NO_VARIABLE, &COUNT, memory, o9);
    }
}
