//! The head of a request, as samplers read it.

use super::header_lines::HeaderLines as _;
use super::host;
use super::request_head::RequestHead;
use crate::sampling::Head;

pub(super) struct SampledHead<'r, R>(pub(super) &'r R);

impl<R: RequestHead> Head for SampledHead<'_, R> {
    fn method(&self) -> &str {
        self.0.method()
    }

    fn path(&self) -> &str {
        self.0.path()
    }

    fn host(&self) -> Option<&str> {
        host::name(self.0)
    }

    fn any_line(&self, name: &str, passes: &dyn Fn(&[u8]) -> bool) -> bool {
        let mut lines = self.0.headers().all();
        lines.any(|(other, line)| other == name && passes(line))
    }
}
