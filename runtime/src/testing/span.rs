//! A captured span and what a test may want to know of it.

use std::fmt;
use std::time::Duration;

use opentelemetry::trace::{SpanId, SpanKind, Status, TraceId};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::trace::SpanData;

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct CapturedSpan(SpanData);

impl CapturedSpan {
    /// In the order of their ends.
    pub(super) fn all(captured: Vec<SpanData>) -> Vec<Self> {
        let mut spans: Vec<_> = captured.into_iter().map(Self).collect();
        spans.sort_by_key(|span| span.0.end_time);
        spans
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> SpanKind {
        self.0.span_kind.clone()
    }

    /// The name of its instrumentation scope: the library that made it.
    #[must_use]
    pub fn scope(&self) -> &str {
        self.0.instrumentation_scope.name()
    }

    /// The id of its trace.
    #[must_use]
    pub fn trace_id(&self) -> TraceId {
        self.0.span_context.trace_id()
    }

    /// Its id.
    #[must_use]
    pub fn span_id(&self) -> SpanId {
        self.0.span_context.span_id()
    }

    /// The id of its parent, if it has one.
    #[must_use]
    pub fn parent_span_id(&self) -> Option<SpanId> {
        let parent = self.0.parent_span_id;
        (parent != SpanId::INVALID).then_some(parent)
    }

    /// Whether its parent is a span of another process.
    #[must_use]
    pub fn has_remote_parent(&self) -> bool {
        self.0.parent_span_is_remote
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> Status {
        self.0.status.clone()
    }

    /// How long it took.
    #[must_use]
    pub fn duration(&self) -> Duration {
        let duration = self.0.end_time.duration_since(self.0.start_time);
        duration.unwrap_or_default()
    }

    /// The value of an attribute.
    #[must_use]
    pub fn tag(&self, key: &str) -> Option<Value> {
        let mut attributes = self.0.attributes.iter();
        let attribute = attributes.find(|attribute| attribute.key.as_str() == key)?;
        Some(attribute.value.clone())
    }

    /// The names of its events.
    pub fn events(&self) -> impl Iterator<Item = &str> {
        self.0.events.iter().map(|event| &*event.name)
    }

    /// All of it, as the OpenTelemetry SDK has it.
    #[must_use]
    pub fn data(&self) -> &SpanData {
        &self.0
    }

    /// Asserts that an attribute has that value, of that type.
    ///
    /// # Panics
    ///
    /// If it has another value or is not there. The message lists what is.
    #[track_caller]
    pub fn assert_tag(&self, key: &str, expected: impl Into<Value>) -> &Self {
        let expected = expected.into();
        match self.tag(key) {
            Some(value) if value == expected => self,
            Some(value) => panic!(
                "{key} is {}, not {}, on {self:#}",
                shown(&value),
                shown(&expected)
            ),
            None => panic!(
                "there is no {key}, expected {}, on {self:#}",
                shown(&expected)
            ),
        }
    }

    /// Asserts that an attribute is absent.
    ///
    /// # Panics
    ///
    /// If it is there.
    #[track_caller]
    pub fn assert_no_tag(&self, key: &str) -> &Self {
        if let Some(value) = self.tag(key) {
            panic!(
                "{key} is {}, but should be absent, on {self:#}",
                shown(&value)
            );
        }
        self
    }

    /// Asserts that its status is an error.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn assert_error(&self) -> &Self {
        assert!(
            matches!(self.status(), Status::Error { .. }),
            "the status is {:?} on {self:#}",
            self.status()
        );
        self
    }

    /// Asserts that its status is not an error.
    ///
    /// # Panics
    ///
    /// If it is one.
    #[track_caller]
    pub fn assert_no_error(&self) -> &Self {
        assert!(
            !matches!(self.status(), Status::Error { .. }),
            "the status is {:?} on {self:#}",
            self.status()
        );
        self
    }

    /// Asserts that it is a child of `parent`, in the same trace.
    ///
    /// # Panics
    ///
    /// If it is not.
    #[track_caller]
    pub fn assert_child_of(&self, parent: &Self) -> &Self {
        let is_child =
            self.trace_id() == parent.trace_id() && self.parent_span_id() == Some(parent.span_id());
        assert!(is_child, "not a child of {parent}: {self}");
        self
    }
}

/// Name, ids, status and attributes, in one line. `{:#}` has a line for each attribute.
impl fmt::Display for CapturedSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{:?} ({:?}, trace {}, span {}",
            self.name(),
            self.kind(),
            self.trace_id(),
            self.span_id()
        )?;
        if let Some(parent) = self.parent_span_id() {
            write!(f, ", parent {parent}")?;
        }
        write!(f, ", status {:?})", self.status())?;
        let before_each = if f.alternate() { "\n  " } else { " " };
        for KeyValue { key, value, .. } in &self.0.attributes {
            write!(f, "{before_each}{key}={}", shown(value))?;
        }
        Ok(())
    }
}

/// A value of each type as Rust writes it: `"7"`, `7` and `7.0` differ.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => format!("{:?}", text.as_str()),
        Value::F64(number) => format!("{number:?}"),
        value => value.to_string(),
    }
}
