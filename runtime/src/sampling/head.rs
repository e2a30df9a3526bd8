//! The head of a request, as conditions on it read it. `inbound` implements it over the server's types.

use std::sync::Arc;

pub(crate) trait Head {
    fn method(&self) -> &str;
    fn path(&self) -> &str;
    /// As `server.address` has it: the host that the client asked for, without a port.
    fn host(&self) -> Option<&str>;
    /// Whether a line of the header `name`, which is in lower case, passes.
    fn any_line(&self, name: &str, passes: &dyn Fn(&[u8]) -> bool) -> bool;
    /// The tenant that it names, if its word counts, or that the application names. Asked once.
    fn tenant(&self) -> Option<Arc<str>>;
}
