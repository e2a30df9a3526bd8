//! The account of all spans: where each recorded span is, or what became of it.

use std::fmt;
use std::sync::Arc;

/// Why spans were not delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DropReason {
    /// The queue was full: the receiver is slower than the service.
    QueueFull,
    /// The trace had as many spans as [`Limits::spans_per_trace`](crate::settings::Limits::spans_per_trace) allows.
    TraceLimit,
    /// Telemetry held as much memory as [`Limits::memory`](crate::settings::Limits::memory) allows.
    MemoryLimit,
    /// The receiver could not be reached.
    Unreachable,
    /// The receiver answered the request with an error.
    Refused,
    /// The receiver took the request, but not all of its spans.
    Rejected,
    /// The request was sent and no proper answer came: the spans may have arrived.
    Unknown,
    /// The span ended while the shutdown was under way, below a span that was open.
    Unfinished,
    /// The export thread ended before they were sent: the shutdown's deadline had passed, or the exporter has panicked.
    Shutdown,
    /// The sampler did not keep the trace, whose spans were recorded for it to decide: not a loss.
    SampledOut,
}

impl DropReason {
    const ALL: [Self; 10] = [
        Self::QueueFull,
        Self::TraceLimit,
        Self::MemoryLimit,
        Self::Unreachable,
        Self::Refused,
        Self::Rejected,
        Self::Unknown,
        Self::Unfinished,
        Self::Shutdown,
        Self::SampledOut,
    ];

    /// The reason as it is logged, for example `queue_full`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::TraceLimit => "trace_limit",
            Self::MemoryLimit => "memory_limit",
            Self::Unreachable => "unreachable",
            Self::Refused => "refused",
            Self::Rejected => "rejected",
            Self::Unknown => "unknown",
            Self::Unfinished => "unfinished",
            Self::Shutdown => "shutdown",
            Self::SampledOut => "sampled_out",
        }
    }
}

/// Spans that were not delivered, by reason.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Dropped([u64; DropReason::ALL.len()]);

impl Dropped {
    /// Spans dropped for that reason.
    #[must_use]
    pub fn get(&self, reason: DropReason) -> u64 {
        self.0[reason as usize]
    }

    /// Spans dropped.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }

    /// Spans that were to be delivered.
    pub(super) fn lost(&self) -> Self {
        let mut lost = *self;
        lost.0[DropReason::SampledOut as usize] = 0;
        lost
    }

    /// Spans that were dropped after `earlier`.
    pub(super) fn since(&self, earlier: &Self) -> Self {
        let mut later = *self;
        let counts = later.0.iter_mut().zip(earlier.0);
        counts.for_each(|(spans, before)| *spans = spans.saturating_sub(before));
        later
    }

    /// The reasons for which spans were dropped, with their number.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        DropReason::ALL
            .into_iter()
            .zip(self.0)
            .filter(|(_, spans)| *spans > 0)
    }

    pub(super) fn add(&mut self, reason: DropReason, spans: u64) {
        self.0[reason as usize] += spans;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.0
            .iter_mut()
            .zip(other.0)
            .for_each(|(sum, spans)| *sum += spans);
    }
}

impl fmt::Display for Dropped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, (reason, spans)) in self.iter().enumerate() {
            let separator = if i > 0 { ", " } else { "" };
            write!(f, "{separator}{} {spans}", reason.as_str())?;
        }
        Ok(())
    }
}

/// What became of the spans recorded so far.
///
/// Each span is counted when it ends and is in exactly one place: `recorded` is the sum of the others at any time, and
/// after a shutdown nothing is `waiting`. A process that is killed takes its waiting spans with it.
///
/// With several exporters a span counts once for each: each has its own account, in
/// [`exporters`](Self::exporters).
///
/// As text, a report names first the spans of all tiers together, then each tier.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// Spans that have ended.
    pub recorded: u64,
    /// Spans that the receiver has acknowledged, or that the console has shown.
    pub delivered: u64,
    /// Spans that were not delivered, by reason.
    pub dropped: Dropped,
    /// Spans on their way.
    pub waiting: u64,
    /// The accounts of the exporters, in the order in which they were named, those of `TelemetryBuilder::span_exporter` last.
    pub exporters: Vec<ExporterReport>,
    /// The accounts of the tiers of tenants, for all exporters together. Empty without tenants.
    pub tiers: Vec<TierReport>,
    /// Requests whose heads were not copied whole: no spans are lost, but tags that read a header, a cookie or the query may be
    /// missing. A copy has at most 16 KiB and 100 lines, and all copies together a quarter of
    /// [`Limits::memory`](crate::settings::Limits::memory). `RequestTracing::readable_headers` narrows what is copied.
    pub incomplete_heads: u64,
    /// Traces that were not recorded here, and that their callers in other services had not sampled. No spans are counted for them
    /// elsewhere in this report. A trace that [`RuleCondition::never`](crate::settings::RuleCondition::never) drops below such a caller is
    /// among them. `RequestTracing::trust` says which callers decide, and
    /// [`ParentBased`](crate::settings::ParentBased) how far.
    pub unsampled_by_callers: u64,
}

/// What became of the spans that one exporter was to deliver; as in [`Report`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExporterReport {
    /// The exporter as `OTEL_TRACES_EXPORTER` names it, for example `otlp`.
    pub exporter: &'static str,
    /// Spans that have ended.
    pub recorded: u64,
    /// Spans that the receiver has acknowledged, or that the console has shown.
    pub delivered: u64,
    /// Spans that were not delivered, by reason.
    pub dropped: Dropped,
    /// Spans on their way.
    pub waiting: u64,
    /// The accounts of the tiers of tenants, in the order of the settings. Empty without tenants.
    pub tiers: Vec<TierReport>,
}

/// What became of a tier's spans: of those whose traces were handed over to an exporter, or were not kept.
///
/// `kept` is the sum of `delivered`, `waiting`, and of what was `dropped` for all reasons but
/// [`SampledOut`](DropReason::SampledOut), whose spans were not kept. Other spans have no tier, and only count in the sums of [`Report`]:
/// spans whose traces are open or undecided, and spans that were lost before their traces were handed over
/// ([`TraceLimit`](DropReason::TraceLimit), [`Unfinished`](DropReason::Unfinished), and part of
/// [`MemoryLimit`](DropReason::MemoryLimit)).
///
/// A receiver that rejects part of a request does not say whose spans they are. They are attributed to the tiers in proportion to their
/// spans in the request.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct TierReport {
    /// The tier's name.
    pub tier: Arc<str>,
    /// Spans of kept traces that were handed over to the exporter.
    pub kept: u64,
    /// Spans that the receiver has acknowledged, or that the console has shown.
    pub delivered: u64,
    /// Spans that were not delivered, by reason.
    pub dropped: Dropped,
    /// Spans on their way.
    pub waiting: u64,
}

impl ExporterReport {
    /// Without any spans.
    pub(super) fn new(exporter: &'static str) -> Self {
        Self {
            exporter,
            recorded: 0,
            delivered: 0,
            dropped: Dropped::default(),
            waiting: 0,
            tiers: Vec::new(),
        }
    }
}

impl Report {
    /// Adds a tier of an exporter to the same tier of others.
    fn add_tier(&mut self, tier: &TierReport) {
        let Some(sum) = self.tiers.iter_mut().find(|sum| sum.tier == tier.tier) else {
            self.tiers.push(tier.clone());
            return;
        };
        sum.kept += tier.kept;
        sum.delivered += tier.delivered;
        sum.dropped.merge(&tier.dropped);
        sum.waiting += tier.waiting;
    }
}

impl FromIterator<ExporterReport> for Report {
    fn from_iter<I: IntoIterator<Item = ExporterReport>>(exporters: I) -> Self {
        let mut sum = Self::default();
        for report in exporters {
            sum.recorded += report.recorded;
            sum.delivered += report.delivered;
            sum.dropped.merge(&report.dropped);
            sum.waiting += report.waiting;
            report.tiers.iter().for_each(|tier| sum.add_tier(tier));
            sum.exporters.push(report);
        }
        sum
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.exporters {
            [] => f.write_str("nothing is exported"),
            [only] => only.fmt(f),
            all => all.iter().enumerate().try_for_each(|(i, report)| {
                let separator = if i > 0 { "; " } else { "" };
                write!(f, "{separator}{}: {report}", report.exporter)
            }),
        }?;
        match self.incomplete_heads {
            0 => Ok(()),
            1 => f.write_str("; the head of 1 request was not copied whole"),
            many => write!(f, "; the heads of {many} requests were not copied whole"),
        }?;
        match self.unsampled_by_callers {
            0 => Ok(()),
            1 => f.write_str("; 1 trace not recorded, which its caller had not sampled"),
            many => write!(
                f,
                "; {many} traces not recorded, which their callers had not sampled"
            ),
        }
    }
}

impl fmt::Display for ExporterReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} spans recorded, ", self.recorded)?;
        write_outcome(f, self.delivered, &self.dropped, self.waiting)?;
        self.tiers
            .iter()
            .try_for_each(|tier| write!(f, "; tier {tier}"))
    }
}

impl fmt::Display for TierReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} kept, ", self.tier, self.kept)?;
        write_outcome(f, self.delivered, &self.dropped, self.waiting)
    }
}

fn write_outcome(
    f: &mut fmt::Formatter<'_>,
    delivered: u64,
    dropped: &Dropped,
    waiting: u64,
) -> fmt::Result {
    write!(f, "{delivered} delivered, {} dropped", dropped.total())?;
    if dropped.total() > 0 {
        write!(f, " ({dropped})")?;
    }
    if waiting > 0 {
        write!(f, ", {waiting} waiting")?;
    }
    Ok(())
}
