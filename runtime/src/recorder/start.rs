//! Starts spans: the first local span of a trace, and children.

use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::trace::{SpanContext, SpanId, SpanKind};

use super::head_copy::HeadCopy;
use super::inherited::Inherited;
use super::instance::{NewSpan, Recorder, Sampled};
use super::local::LocalSpan;
use super::noted_tenant::NotedTenant;
use super::open::{OpenSpan, Parent, value_limits};
use super::scope::Scope;
use super::state::State;
use super::trace::TraceRef;
use crate::attribute::Tags;
use crate::propagation::ParentDecision;

/// A span about to start.
pub(crate) struct Start<'a> {
    pub(crate) name: &'a str,
    pub(crate) kind: SpanKind,
    pub(crate) scope: Scope,
    /// When it started, if not now.
    pub(crate) time: Option<SystemTime>,
    /// Sets the attributes that it has from the start. Not called for a span that is not recorded.
    pub(crate) tags: Option<&'a dyn Fn(&mut Tags)>,
    /// Copies the head of the request whose SERVER span this is.
    pub(crate) head: Option<&'a dyn Fn(&mut HeadCopy)>,
}

impl<'a> Start<'a> {
    /// A span of this crate's own that starts now.
    pub(crate) fn now(name: &'a str, kind: SpanKind) -> Self {
        Self {
            name,
            kind,
            scope: Scope::Biztrace,
            time: None,
            tags: None,
            head: None,
        }
    }
}

/// A span that was asked for.
#[derive(Debug)]
pub(crate) enum Started {
    Recording(LocalSpan),
    /// Not recorded; the context to propagate in its place.
    Dropped(SpanContext),
}

impl Recorder {
    /// Starts the first local span of a trace, below `parent` if there is one.
    pub(crate) fn start(
        self: &Arc<Self>,
        parent: Option<&SpanContext>,
        start: Start<'_>,
    ) -> Started {
        let by_parent = ParentDecision::FromFlags;
        let (name, kind) = (start.name, &start.kind);
        match self.sample(parent, by_parent, name, kind, None) {
            Sampled::Record(new) => self.record(new, start),
            Sampled::Drop(context) => Started::Dropped(context),
        }
    }

    /// Starts the first local span of a trace that is recorded.
    pub(crate) fn record(self: &Arc<Self>, new: NewSpan, start: Start<'_>) -> Started {
        let NewSpan {
            context,
            parent,
            mut decision,
            tenant,
        } = new;
        let id = context.span_id();
        let added = decision.added.take();
        let tenants = self.tenants.clone();
        let tenant = tenants.map(|tenants| NotedTenant::new(tenants, tenant));
        let trace = TraceRef::new(self, context, decision, tenant);
        match open(trace, id, parent, None, start) {
            Ok(span) => {
                if let Some(added) = added {
                    span.tag(|tags| {
                        for attribute in &added.attributes {
                            tags.set_any(attribute.key.as_str(), &attribute.value);
                        }
                    });
                }
                Started::Recording(span)
            }
            Err(trace) => Started::Dropped(self.silent_child(&trace.context)),
        }
    }
}

impl LocalSpan {
    /// Opens a child of this span, which may have ended. It is dropped where there is no room for it.
    pub(crate) fn start_child(self, start: Start<'_>) -> Started {
        let id = self.recorder().new_span_id();
        let (trace, slot, parent) = self.into_parts();
        let parent = Parent {
            id: parent,
            is_remote: false,
        };
        match open(trace, id, Some(parent), Some(slot), start) {
            Ok(child) => Started::Recording(child),
            Err(trace) => Started::Dropped(trace.recorder.silent_child(&trace.context)),
        }
    }
}

/// Opens a span of a trace: the first here, or the child of the one in `parent_slot`. Gives the trace back where there
/// is no room for it, or nothing is recorded any more.
fn open(
    trace: TraceRef,
    id: SpanId,
    parent: Option<Parent>,
    parent_slot: Option<u32>,
    start: Start<'_>,
) -> Result<LocalSpan, TraceRef> {
    if !trace.recorder.phase.admits() {
        return Err(trace);
    }
    let trace = trace.for_child();
    let Recorder {
        clock,
        limits,
        sink,
        ..
    } = &*trace.recorder;
    let time = match start.time {
        Some(time) => trace.clock.given(time, &**clock),
        None if parent_slot.is_some() => trace.clock.now(&**clock),
        None => trace.clock.start_time(),
    };
    let mut state = trace.lock();
    if trace.is_done() {
        // Its last span has ended since it was asked.
        drop(state);
        return open(trace, id, parent, parent_slot, start);
    }
    let parent_slot = parent_slot.zip(parent);
    let (request, inherited) = parent_slot
        .map(|(slot, parent)| handed_to_child(&mut state, slot, parent.id))
        .unwrap_or_default();
    let inherits = !inherited.is_empty();
    let is_entry = parent_slot.is_none() || start.kind == SpanKind::Server;
    let (slot, span) = match state.open(start.name, limits) {
        Ok(opened) => opened,
        Err(why) => {
            sink.refused(why);
            let is_done = state.open_spans() == 0;
            if is_done {
                trace.set_done(&mut state);
            }
            drop(state);
            if is_done {
                trace.give_cell_back();
            }
            return Err(trace);
        }
    };
    span.id = id;
    span.parent = parent;
    span.is_first = parent_slot.is_none();
    span.scope = start.scope;
    span.kind = start.kind;
    span.start = time;
    span.request = request;
    span.inherited = inherited;
    span.tags.limits = value_limits(limits);
    let mut has_head = true;
    if let Some(copy) = start.head {
        span.request = Some((slot, id));
        has_head = state.copy_head(slot, copy);
    }
    if is_entry && !trace.recorder.tags.is_empty() {
        let append = |span: &mut OpenSpan, room| span.append(&trace.recorder.tags, limits, room);
        let limit = limits.bytes_per_trace;
        // The verdict notes them once, on the trace's first span here.
        match parent_slot {
            None => state.update(slot, id, limit, append),
            Some(_) => state.preset(slot, id, limit, append),
        };
    }
    if inherits {
        state.preset(slot, id, limits.bytes_per_trace, |span, room| {
            span.inherit(limits, room);
        });
    }
    if let Some(tags) = start.tags {
        state.update(slot, id, limits.bytes_per_trace, |span, room| {
            span.write(limits, room, tags);
        });
    }
    drop(state);
    if !has_head {
        trace.recorder.cells.heads.count_incomplete();
    }
    Ok(LocalSpan::new(trace, slot, id))
}

/// What a span below the one in `slot`, which may have ended, starts with: the request that it belongs to, and its set.
pub(super) fn handed_to_child(
    state: &mut State,
    slot: u32,
    id: SpanId,
) -> (Option<(u32, SpanId)>, Inherited) {
    match state.get(slot, id) {
        Some(parent) => (parent.request, parent.inherited.clone()),
        None => (None, state.inherited.get(id).unwrap_or_default()),
    }
}
