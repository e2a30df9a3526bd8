//! Ended spans, as runs of one instrumentation scope each.
//!
//! ```text
//! bytes  │ 0x12 len Span │ 0x12 len Span │ 0x12 len Span │ 0x12 len Span │
//! runs   │ scope A, 2 spans, end ────────┤ scope B, 1 ───┤ scope A, 1 ───┤
//! ```
//! Each span stands there as field 2 of a `ScopeSpans`, so that a request to the receiver is made by framing runs.
//! A trace collects its ended spans so, and a thread's chunk the traces that are kept.

use std::fmt;

use super::scope::Scope;
use crate::attribute::wire;

#[derive(Default)]
pub(crate) struct EncodedSpans {
    bytes: Vec<u8>,
    runs: Vec<ScopeRun>,
    spans: usize,
}

/// How much it is, and not what.
impl fmt::Debug for EncodedSpans {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncodedSpans")
            .field("spans", &self.spans)
            .field("bytes", &self.bytes.len())
            .finish_non_exhaustive()
    }
}

pub(crate) struct ScopeRun {
    pub(crate) scope: Scope,
    pub(crate) spans: usize,
    /// Where the run's bytes end; they start where the run before ends.
    end: usize,
}

impl EncodedSpans {
    /// An empty one with room for that many bytes.
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self {
            bytes: Vec::with_capacity(bytes),
            ..Self::default()
        }
    }

    pub(crate) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    pub(crate) fn spans(&self) -> usize {
        self.spans
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.spans == 0
    }

    /// Appends one span, which `write` puts at the end of the buffer.
    pub(crate) fn push(&mut self, scope: &Scope, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.extend_run(scope, 1);
    }

    /// Adds all spans of `other` at the end.
    #[inline]
    pub(crate) fn append(&mut self, other: &Self) {
        let mut start = 0;
        for run in &other.runs {
            self.bytes.extend_from_slice(&other.bytes[start..run.end]);
            self.extend_run(&run.scope, run.spans);
            start = run.end;
        }
    }

    /// Keeps at most `spans` spans and `bytes` bytes, but one span at the least, and returns the rest.
    pub(crate) fn split_off(&mut self, spans: usize, bytes: usize) -> Self {
        let (mut first, mut rest) = (Self::default(), Self::default());
        for (run, mut run_bytes) in self.iter() {
            while !run_bytes.is_empty() {
                let (_, tail) = wire::split_field(run_bytes);
                let (span, _) = run_bytes.split_at(run_bytes.len() - tail.len());
                let fits = first.spans < spans && first.len() + span.len() <= bytes;
                let to = if rest.is_empty() && (fits || first.is_empty()) {
                    &mut first
                } else {
                    &mut rest
                };
                to.push(&run.scope, |out| out.extend_from_slice(span));
                run_bytes = tail;
            }
        }
        *self = first;
        rest
    }

    #[inline]
    fn extend_run(&mut self, scope: &Scope, spans: usize) {
        self.spans += spans;
        let end = self.bytes.len();
        match self.runs.last_mut() {
            Some(run) if run.scope == *scope => {
                run.spans += spans;
                run.end = end;
            }
            _ => self.runs.push(ScopeRun {
                scope: scope.clone(),
                spans,
                end,
            }),
        }
    }

    /// The runs with their bytes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&ScopeRun, &[u8])> {
        let starts = std::iter::once(0).chain(self.runs.iter().map(|run| run.end));
        self.runs
            .iter()
            .zip(starts)
            .map(|(run, start)| (run, &self.bytes[start..run.end]))
    }

    pub(crate) fn clear(&mut self) {
        self.bytes.clear();
        self.runs.clear();
        self.spans = 0;
    }

    /// Empties this and gives back memory beyond `bytes`.
    pub(crate) fn reset(&mut self, bytes: usize) {
        self.clear();
        self.bytes.shrink_to(bytes);
    }
}
