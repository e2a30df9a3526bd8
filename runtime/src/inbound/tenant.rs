//! The tenant that the head of a request names.

use super::header_lines::{HeaderLines as _, text};
use super::request_head::RequestHead;
use crate::sampling::{TenantSource, tenant_name};

/// A tenant, as a request names it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct NamedTenant<'r> {
    pub(super) name: &'r str,
    /// Whether it counts from trusted callers only.
    pub(super) needs_trust: bool,
}

impl<'r> NamedTenant<'r> {
    pub(super) fn find(source: &TenantSource, request: &'r impl RequestHead) -> Option<Self> {
        let (name, needs_trust) = match source {
            TenantSource::Header(name) => (header(request, name)?, true),
            TenantSource::PathSegment(position) => (segment(request.path(), *position)?, false),
            TenantSource::Tag => return None,
        };
        let name = tenant_name(name)?;
        Some(Self { name, needs_trust })
    }
}

/// A segment of a path, counted from 0.
fn segment(path: &str, position: usize) -> Option<&str> {
    path.strip_prefix('/')?.split('/').nth(position)
}

/// The text of a header that has one line. Of several, a proxy may have added one to what a client sends: nobody knows which.
fn header<'r>(request: &'r impl RequestHead, name: &str) -> Option<&'r str> {
    let mut lines = request.headers().all().filter(|(other, _)| *other == name);
    let (_, line) = lines.next()?;
    if lines.next().is_some() {
        return None;
    }
    text(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inbound::test_request::TestRequest;

    fn named(source: TenantSource, request: &TestRequest) -> Option<(&str, bool)> {
        let named = NamedTenant::find(&source, request)?;
        Some((named.name, named.needs_trust))
    }

    #[test]
    fn segments_are_counted_from_0() {
        for (path, position, found) in [
            ("/tenants/acme/orders", 0, Some("tenants")),
            ("/tenants/acme/orders", 1, Some("acme")),
            ("/tenants/acme/orders", 3, None),
            ("/tenants//orders", 1, Some("")),
            ("/", 0, Some("")),
            ("*", 0, None),
        ] {
            assert_eq!(segment(path, position), found, "{path}");
        }
        let source = TenantSource::PathSegment(0);
        assert_eq!(named(source, &TestRequest::default()), None, "no name");
    }

    #[test]
    fn header_names_the_tenant_if_it_is_there_once() {
        let source = || TenantSource::Header("x-tenant-id".into());
        for (headers, name) in [
            (
                &[("x-tenant-id", "acme"), ("x-other", "a")][..],
                Some("acme"),
            ),
            (&[("x-tenant-id", " acme ")], Some("acme")),
            (&[("x-tenant-id", "")], None),
            (&[("x-tenant-id", "caf\u{e9}")], None),
            (&[("x-tenant-id", "acme"), ("x-tenant-id", "acme")], None),
            (&[("x-tenant", "acme")], None),
        ] {
            let request = TestRequest::with_headers(headers);
            let expected = name.map(|name| (name, true));
            assert_eq!(named(source(), &request), expected, "{headers:?}");
        }
    }
}
