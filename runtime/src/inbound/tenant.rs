//! The tenant that the head of a request names.

use std::sync::Arc;

use super::header_lines::{HeaderLines as _, text};
use super::request_head::{IncomingRequest, RequestHead};
use crate::sampling::{TenantSource, Tenants, tenant_name};

/// Whether the request names its tenant in a way that counts from trusted callers only.
#[cold]
pub(super) fn needs_trust(tenants: &Tenants, request: &impl RequestHead) -> bool {
    match tenants.source() {
        TenantSource::Header(name) => header(request, name).and_then(tenant_name).is_some(),
        TenantSource::PathSegment(_) | TenantSource::Tag => false,
    }
}

/// The tenant that the application names, or else the request, if its word counts.
#[cold]
pub(super) fn find<R: RequestHead>(
    tenants: &Tenants,
    request: &IncomingRequest<'_, R>,
    is_trusted: bool,
) -> Option<Arc<str>> {
    if let Some(told) = request.tenant.and_then(|ask| ask()) {
        return tenant_name(&told).map(Arc::from);
    }
    let name = match tenants.source() {
        TenantSource::Header(name) if is_trusted => header(request.head, name),
        TenantSource::PathSegment(position) => segment(request.head.path(), *position),
        TenantSource::Header(_) | TenantSource::Tag => None,
    };
    tenant_name(name?).map(Arc::from)
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

    fn incoming(head: &TestRequest) -> IncomingRequest<'_, TestRequest> {
        IncomingRequest {
            head,
            forwarded: None,
            has_client: false,
            has_path: true,
            has_query: true,
            readable: None,
            tenant: None,
        }
    }

    fn tenants(source: TenantSource) -> Tenants {
        match source {
            TenantSource::Header(name) => Tenants::from_header(name),
            TenantSource::PathSegment(position) => Tenants::from_path_segment(position),
            TenantSource::Tag => Tenants::from_tag(),
        }
    }

    /// The tenant of a request from a trusted caller, and from another.
    fn named(source: TenantSource, request: &TestRequest) -> [Option<Arc<str>>; 2] {
        let tenants = tenants(source);
        let request = incoming(request);
        [true, false].map(|is_trusted| find(&tenants, &request, is_trusted))
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
        assert_eq!(named(source, &TestRequest::default()), [None, None]);
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
            let expected = [name.map(Arc::from), None];
            assert_eq!(named(source(), &request), expected, "{headers:?}");
            let tenants = tenants(source());
            assert_eq!(needs_trust(&tenants, &request), name.is_some());
        }
    }
}
