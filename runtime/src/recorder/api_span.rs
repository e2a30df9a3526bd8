//! The OpenTelemetry API over a span.

use std::borrow::Cow;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{SpanContext, Status};

use super::exception_policy;
use super::local::LocalSpan;
use super::open::Attributes;
use super::span::Span;
use crate::semconv::Outcome;

impl opentelemetry::trace::Span for Span {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        if let Some(local) = &self.local {
            local.add_event(&name.into(), timestamp, Attributes::Api(&attributes, 0));
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.local.as_ref().is_some_and(LocalSpan::is_recording)
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        if let Some(local) = &self.local {
            local.tag(|tags| tags.set_any(attribute.key.as_str(), &attribute.value));
        }
    }

    fn set_attributes(&mut self, attributes: impl IntoIterator<Item = KeyValue>) {
        if let Some(local) = &self.local {
            // The iterator is the user's code.
            let mut tags = local.tags();
            for attribute in attributes {
                tags.set_any(attribute.key.as_str(), &attribute.value);
            }
            local.append(&tags);
        }
    }

    fn set_status(&mut self, status: Status) {
        if let Some(local) = &self.local {
            local.set_status(status);
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(local) = &self.local {
            local.set_name(&new_name.into());
        }
    }

    fn add_link(&mut self, span_context: SpanContext, attributes: Vec<KeyValue>) {
        if let Some(local) = &self.local {
            local.add_link(&span_context, Attributes::Api(&attributes, 0));
        }
    }

    fn end(&mut self) {
        if let Some(local) = &self.local
            && exception_policy::end(local, Outcome::Ok)
        {
            local.give_cell_back();
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(local) = &self.local {
            exception_policy::end_with_timestamp(local, timestamp);
        }
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if self.ends_on_drop
            && let Some(mut local) = self.local.take()
        {
            // The list's reference goes first, so that ours is the last and the trace's buffers are reused.
            self.listed = None;
            if exception_policy::end(&local, Outcome::Ok) {
                local.recycle();
            }
        }
    }
}
