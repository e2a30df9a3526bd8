//! The head of a request, as samplers read it.

use std::sync::Arc;

use super::header_lines::HeaderLines as _;
use super::host;
use super::request_head::{IncomingRequest, RequestHead};
use super::tenant;
use crate::recorder::Recorder;
use crate::sampling::Head;

pub(super) struct SampledHead<'r, R: RequestHead> {
    pub(super) request: &'r IncomingRequest<'r, R>,
    pub(super) recorder: &'r Recorder,
    /// Whether its caller is trusted.
    pub(super) is_trusted: bool,
}

impl<R: RequestHead> Head for SampledHead<'_, R> {
    fn method(&self) -> &str {
        self.request.head.method()
    }

    fn path(&self) -> &str {
        self.request.head.path()
    }

    fn host(&self) -> Option<&str> {
        host::address(self.request.head, self.request.forwarded.as_ref())
    }

    fn any_line(&self, name: &str, passes: &dyn Fn(&[u8]) -> bool) -> bool {
        let mut lines = self.request.head.headers().all();
        lines.any(|(other, line)| other == name && passes(line))
    }

    fn tenant(&self) -> Option<Arc<str>> {
        tenant::find(self.recorder.tenants()?, self.request, self.is_trusted)
    }
}
