//! Frames encoded spans as an OTLP request, without decoding them.

use std::collections::VecDeque;

use super::{Request, SendStarted};
use crate::attribute::wire::{self, field_len, len_field};
use crate::recorder::{EncodedSpans, Scope};

const RESOURCE_SPANS: u8 = len_field(1);
const SCOPE_SPANS: u8 = len_field(2);

/// Receivers refuse requests of more than 4 MiB: this much of one may be spans, the rest is for resource and scopes.
const MAX_BYTES: usize = 4 * 1024 * 1024 - 64 * 1024;

/// Takes the next request's spans off `chunks`: `max_spans` at the most, one at the least.
pub(super) fn take_batch(
    chunks: &mut VecDeque<EncodedSpans>,
    max_spans: usize,
) -> Option<Vec<EncodedSpans>> {
    let mut first = chunks.pop_front()?;
    if first.spans() > max_spans || first.len() > MAX_BYTES {
        let rest = first.split_off(max_spans, MAX_BYTES);
        chunks.push_front(rest);
    }
    let (mut spans, mut bytes) = (first.spans(), first.len());
    let mut batch = vec![first];
    while let Some(next) = chunks.front() {
        (spans, bytes) = (spans + next.spans(), bytes + next.len());
        if spans > max_spans || bytes > MAX_BYTES {
            break;
        }
        batch.extend(chunks.pop_front());
    }
    Some(batch)
}

/// The request with those spans, in one `ScopeSpans` for each scope, below `resource`: the encoded fields of a
/// `ResourceSpans` beside its spans. It is written to `body`, which is empty.
pub(super) fn frame(resource: &[u8], batch: &[EncodedSpans], mut body: Vec<u8>) -> Request {
    let runs = || batch.iter().flat_map(EncodedSpans::iter);
    let mut scopes: Vec<(&Scope, usize)> = Vec::new();
    for (run, bytes) in runs() {
        match scopes.iter_mut().find(|(scope, _)| **scope == run.scope) {
            Some((_, len)) => *len += bytes.len(),
            None => scopes.push((&run.scope, run.scope.fields().len() + bytes.len())),
        }
    }
    let len = resource.len() + scopes.iter().map(|(_, len)| field_len(*len)).sum::<usize>();
    body.reserve(field_len(len));
    wire::prefix(&mut body, RESOURCE_SPANS, len);
    body.extend_from_slice(resource);
    for (scope, len) in scopes {
        wire::prefix(&mut body, SCOPE_SPANS, len);
        body.extend_from_slice(scope.fields());
        for (_, bytes) in runs().filter(|(run, _)| run.scope == *scope) {
            body.extend_from_slice(bytes);
        }
    }
    Request {
        body: body.into(),
        spans: spans(batch) as u64,
        sent: SendStarted::default(),
    }
}

/// Spans in those chunks.
pub(super) fn spans<'a>(chunks: impl IntoIterator<Item = &'a EncodedSpans>) -> usize {
    chunks.into_iter().map(EncodedSpans::spans).sum()
}
