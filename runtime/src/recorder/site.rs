//! What is known of an annotated function at compile time.

use opentelemetry::trace::SpanKind;

use crate::semconv::QuerySummary;

/// An annotated function: its span's name and kind, its path, and the summary of its query.
#[derive(Debug)]
pub struct Site {
    pub(crate) name: &'static str,
    pub(crate) function: &'static str,
    pub(crate) kind: SpanKind,
    query_summary: Option<&'static str>,
}

impl Site {
    /// A function at the path `function`, whose span is called `name`.
    #[must_use]
    pub const fn new(name: &'static str, function: &'static str) -> Self {
        Self {
            name,
            function,
            kind: SpanKind::Internal,
            query_summary: None,
        }
    }

    /// The same with a span of another kind than internal.
    #[must_use]
    pub const fn kind(mut self, kind: SpanKind) -> Self {
        self.kind = kind;
        self
    }

    /// The same for a function that asks a database with a query of that summary.
    #[must_use]
    pub const fn query(mut self, summary: &'static QuerySummary) -> Self {
        self.query_summary = summary.get();
        self
    }

    /// The same with the summary as the span's name, if there is one.
    #[must_use]
    pub const fn named_by_query(self, summary: &'static QuerySummary) -> Self {
        let mut site = self.query(summary);
        if let Some(summary) = site.query_summary {
            site.name = summary;
        }
        site
    }

    /// `db.query.summary`, if the function has a query with an operation.
    #[must_use]
    pub fn query_summary(&self) -> Option<&'static str> {
        self.query_summary
    }
}
