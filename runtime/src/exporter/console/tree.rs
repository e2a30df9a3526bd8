//! Joins the spans of a batch into trees, by their ids. [`super`] draws them.

use std::collections::{HashMap, HashSet};

use opentelemetry_proto::tonic::{
    common::v1::any_value,
    trace::v1::{ResourceSpans, Span, status::StatusCode},
};

/// One span, and the service that recorded it.
#[derive(Clone, Copy)]
pub(super) struct Node<'a> {
    pub(super) span: &'a Span,
    pub(super) service: &'a str,
}

impl Node<'_> {
    pub(super) fn is_error(&self) -> bool {
        let status = self.span.status.as_ref();
        status.is_some_and(|status| status.code() == StatusCode::Error)
    }
}

/// The spans of a batch that share a trace id, in the order of their start.
///
/// Each span is in it exactly once, below its parent if the batch has that, whatever the ids say:
/// a cycle is cut at its earliest span, and of two spans with one id, the earlier gets the children.
pub(super) struct Trace<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    /// When the earliest span started, in nanoseconds since the Unix epoch.
    pub(super) start: u64,
    /// From there to the end of the latest span, in nanoseconds.
    pub(super) duration: u64,
    parents: Vec<Option<usize>>,
    children: Vec<Vec<usize>>,
    /// Never empty.
    roots: Vec<usize>,
}

/// A step of [`Trace::walk`].
pub(super) struct Visit {
    /// Index into [`Trace::nodes`].
    pub(super) node: usize,
    pub(super) parent: Option<usize>,
    pub(super) has_children: bool,
    /// One entry for each ancestor below the root, and one for the span itself: does a later sibling follow?
    /// Empty for a root.
    pub(super) siblings_follow: Vec<bool>,
    /// How many outer entries of `siblings_follow` were left out.
    pub(super) levels_cut: usize,
}

/// The traces of a batch, the earliest first.
pub(super) fn traces(batch: &[ResourceSpans]) -> Vec<Trace<'_>> {
    let mut nodes_by_trace = HashMap::<&[u8], Vec<Node<'_>>>::new();
    for resource_spans in batch {
        let service = service_name(resource_spans);
        for span in resource_spans
            .scope_spans
            .iter()
            .flat_map(|scope| &scope.spans)
        {
            nodes_by_trace
                .entry(&span.trace_id)
                .or_default()
                .push(Node { span, service });
        }
    }
    let mut traces: Vec<_> = nodes_by_trace.into_values().map(Trace::new).collect();
    traces.sort_by_key(|trace| (trace.start, trace.id()));
    traces
}

fn service_name(resource_spans: &ResourceSpans) -> &str {
    let attributes = resource_spans
        .resource
        .iter()
        .flat_map(|resource| &resource.attributes);
    let name = attributes
        .filter(|attribute| attribute.key == "service.name")
        .find_map(
            |attribute| match attribute.value.as_ref()?.value.as_ref()? {
                any_value::Value::StringValue(name) => Some(name.as_str()),
                _ => None,
            },
        );
    name.unwrap_or("unknown_service")
}

/// The index of each span's parent, where it has one and the trace has that.
fn parents(nodes: &[Node<'_>]) -> Vec<Option<usize>> {
    let mut index_by_id = HashMap::<&[u8], usize>::new();
    for (index, node) in nodes.iter().enumerate() {
        index_by_id.entry(&node.span.span_id).or_insert(index);
    }
    // "No parent" is no id, even if a malformed span has none either.
    index_by_id.remove([].as_slice());
    nodes
        .iter()
        .map(|node| {
            index_by_id
                .get(node.span.parent_span_id.as_slice())
                .copied()
        })
        .collect()
}

impl<'a> Trace<'a> {
    /// `nodes` must not be empty.
    fn new(mut nodes: Vec<Node<'a>>) -> Self {
        nodes.sort_by_key(|node| node.span.start_time_unix_nano);
        let start = nodes[0].span.start_time_unix_nano;
        let end = nodes
            .iter()
            .map(|node| node.span.end_time_unix_nano)
            .fold(start, u64::max);

        let parents = parents(&nodes);
        let mut children = vec![Vec::new(); nodes.len()];
        for (index, parent) in parents.iter().enumerate() {
            if let Some(parent) = *parent {
                children[parent].push(index);
            }
        }
        let roots = (0..nodes.len())
            .filter(|index| parents[*index].is_none())
            .collect();
        let mut trace = Self {
            nodes,
            start,
            duration: end - start,
            parents,
            children,
            roots,
        };
        trace.cut_cycles();
        trace
    }

    /// Makes a root of the earliest span of each cycle. Linear in the number of spans.
    fn cut_cycles(&mut self) {
        let mut reached = vec![false; self.nodes.len()];
        for root in &self.roots {
            self.mark_reached(*root, &mut reached);
        }
        for index in 0..self.nodes.len() {
            if reached[index] {
                continue;
            }
            let root = self.earliest_in_cycle_above(index);
            if let Some(parent) = self.parents[root].take() {
                self.children[parent].retain(|child| *child != root);
            }
            self.mark_reached(root, &mut reached);
            self.roots.push(root);
        }
        self.roots.sort_unstable();
    }

    fn mark_reached(&self, root: usize, reached: &mut [bool]) {
        let mut stack = vec![root];
        while let Some(index) = stack.pop() {
            reached[index] = true;
            stack.extend(&self.children[index]);
        }
    }

    /// The ancestors of a span that no root leads to run into a cycle: the second round of it finds its earliest span.
    fn earliest_in_cycle_above(&self, index: usize) -> usize {
        let ancestors = || std::iter::successors(Some(index), |at| self.parents[*at]);
        let mut passed = HashSet::new();
        let into_cycle = ancestors().take_while(|at| passed.insert(*at)).count();
        let mut round = HashSet::new();
        ancestors()
            .skip(into_cycle)
            .take_while(|at| round.insert(*at))
            .fold(usize::MAX, usize::min)
    }

    /// The trace id as the spans carry it.
    pub(super) fn id(&self) -> &'a [u8] {
        &self.nodes[0].span.trace_id
    }

    /// The service that the tree begins in.
    pub(super) fn service(&self) -> &'a str {
        self.nodes[self.roots[0]].service
    }

    /// Every span, each before its children, siblings in the order of their start.
    ///
    /// A step carries at most `max_levels` ancestors, so that the whole walk is linear in the number of spans
    /// however deep they nest; and it keeps a stack of its own, so that they may nest as deep as they like.
    pub(super) fn walk(&self, max_levels: usize) -> impl Iterator<Item = Visit> {
        let mut stack: Vec<_> = self
            .roots
            .iter()
            .rev()
            .map(|root| (*root, 0, false))
            .collect();
        let mut path = Vec::new();
        std::iter::from_fn(move || {
            let (node, depth, sibling_follows) = stack.pop()?;
            if depth > 0 {
                path.truncate(depth - 1);
                path.push(sibling_follows);
            } else {
                path.clear();
            }
            let children = &self.children[node];
            let later_siblings = children.iter().rev().enumerate();
            stack.extend(later_siblings.map(|(later, child)| (*child, depth + 1, later > 0)));

            let levels_cut = path.len().saturating_sub(max_levels);
            Some(Visit {
                node,
                parent: self.parents[node],
                has_children: !children.is_empty(),
                siblings_follow: path[levels_cut..].to_vec(),
                levels_cut,
            })
        })
    }
}
