//! Frames encoded spans as an OTLP request, without decoding them.

use super::{Request, SendStarted};
use crate::attribute::wire::{self, field_len, len_field};
use crate::recorder::{EncodedSpans, Scope};

const RESOURCE_SPANS: u8 = len_field(1);
const SCOPE_SPANS: u8 = len_field(2);

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
        sent: SendStarted::default(),
    }
}
