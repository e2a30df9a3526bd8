//! Where a request was sent: scheme, host and port, with the version of the protocol (HTTP semantic conventions, "HTTP server").
//!
//! Nearly all requests of a service name one of a few hosts. A thread keeps the encoded attributes of hosts that it sees again. Their
//! requests only copy them.

use std::cell::RefCell;

use super::forwarded::ForwardedInfo;
use super::header_lines::HeaderLines as _;
use super::request_head::{RequestHead, cut};
use crate::attribute::{Tags, ValueLimits};
use crate::semconv;
use crate::semconv::keys::{PROTOCOL_VERSION, SCHEME, SERVER_ADDRESS, SERVER_PORT};

/// Tags a request with where it was sent, as the client or a proxy that speaks for it says.
pub(super) fn tag(
    request: &impl RequestHead,
    forwarded: Option<&ForwardedInfo<'_>>,
    tags: &mut Tags,
) {
    let target = Target {
        scheme: forwarded
            .and_then(|via| via.scheme)
            .unwrap_or_else(|| request.scheme()),
        version: request.version(),
        host: asked(request, forwarded).unwrap_or_default(),
    };
    let is_tagged = CACHE.try_with(|cache| cache.borrow_mut().tag(&target, tags));
    // A thread that is ending has no cache any more.
    if !is_tagged.unwrap_or(false) {
        target.tag(tags);
    }
}

/// The host that the client asked for, with or without a port: as a proxy that speaks for the client says, or else as the request does.
fn asked<'r>(
    request: &'r impl RequestHead,
    forwarded: Option<&ForwardedInfo<'r>>,
) -> Option<&'r [u8]> {
    let by_proxy = forwarded.and_then(|via| via.host).map(str::as_bytes);
    by_proxy
        .filter(|host| split(host).is_some())
        .or_else(|| named(request))
}

/// The host that a request names: in its URI if that has one, as in HTTP/2, else in `Host`.
fn named(request: &impl RequestHead) -> Option<&[u8]> {
    match request.authority() {
        Some(authority) => Some(authority.as_bytes()),
        None => request.headers().lines("host").next(),
    }
}

/// The host that the client asked for, as `server.address` has it: without a port.
pub(super) fn address<'r>(
    request: &'r impl RequestHead,
    forwarded: Option<&ForwardedInfo<'r>>,
) -> Option<&'r str> {
    let (address, _) = asked(request, forwarded).and_then(split)?;
    Some(cut(address))
}

/// Where a request was sent.
#[derive(Debug)]
struct Target<'r> {
    scheme: &'static str,
    version: Option<&'static str>,
    /// With or without a port; empty if there is none.
    host: &'r [u8],
}

impl Target<'_> {
    fn tag(&self, tags: &mut Tags) {
        tags.set(SCHEME, self.scheme);
        if let Some((address, port)) = split(self.host) {
            let default_port = if self.scheme == "https" { 443 } else { 80 };
            tags.set(SERVER_ADDRESS, cut(address));
            tags.set(SERVER_PORT, &port.unwrap_or(default_port));
        }
        tags.set(PROTOCOL_VERSION, &self.version);
    }

    /// A hash whose upper bits are the best. Targets of one hash are told apart by comparing them.
    fn hash(&self, limits: ValueLimits) -> u64 {
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(ODD).rotate_left(32);
        let (words, rest) = self.host.as_chunks::<8>();
        let mut last = [0; 8];
        last[..rest.len()].copy_from_slice(rest);
        let words = words.iter().chain([&last]);
        let hash = words.fold(limits.bytes as u64, |hash, word| {
            mix(hash, u64::from_le_bytes(*word))
        });
        // None of these takes more than a few values.
        let http = self.version == Some("1.1");
        let few = self.scheme.len() << 1 | usize::from(http) | limits.chars << 4;
        mix(hash, few as u64).wrapping_mul(ODD)
    }
}

/// The host's name or address, without the brackets of IPv6, and its port.
fn split(host: &[u8]) -> Option<(&str, Option<u16>)> {
    let text = std::str::from_utf8(host).ok()?;
    // A client that sends a name and a password there does not find them in its span.
    let text = text.rsplit_once('@').map_or(text, |(_, host)| host);
    let (address, port) = match text.rsplit_once(':') {
        // The other colons of an IPv6 address stand before its bracket, or it has no bracket and no port.
        Some((host, port))
            if !port.ends_with(']') && (host.ends_with(']') || !host.contains(':')) =>
        {
            (host, port.parse().ok())
        }
        _ => (text, None),
    };
    let address = semconv::address(address);
    (text.is_ascii() && !address.is_empty()).then_some((address, port))
}

thread_local! {
    static CACHE: RefCell<Cache> = const { RefCell::new(Cache::new()) };
}

/// The targets that a thread keeps encoded, each in the slot of its hash.
///
/// A target is kept when it misses twice in a row in its slot. So a caller that names a new host in each request costs a hash and a
/// comparison, and displaces nothing.
#[derive(Debug)]
struct Cache([Slot; 1 << SLOT_BITS]);

const SLOT_BITS: u32 = 4;

/// Longer hosts are not kept: a name has at most 253 bytes.
const MAX_HOST_BYTES: usize = 260;

#[derive(Debug)]
struct Slot {
    /// The hash of the target that missed last.
    last_miss: u64,
    encoded: Option<Box<Encoded>>,
}

#[derive(Debug)]
struct Encoded {
    scheme: &'static str,
    version: Option<&'static str>,
    host: Vec<u8>,
    tags: Tags,
}

impl Cache {
    const fn new() -> Self {
        const EMPTY: Slot = Slot {
            last_miss: 0,
            encoded: None,
        };
        Self([EMPTY; 1 << SLOT_BITS])
    }

    /// Sets the tags of a target that is kept, and returns whether it is.
    fn tag(&mut self, target: &Target<'_>, tags: &mut Tags) -> bool {
        let hash = target.hash(tags.limits);
        let slot = &mut self.0[(hash >> (u64::BITS - SLOT_BITS)) as usize];
        if let Some(encoded) = &slot.encoded
            && encoded.is(target, tags.limits)
        {
            let is_apart = tags.is_apart(&encoded.tags);
            if is_apart {
                tags.extend(&encoded.tags);
            }
            return is_apart;
        }
        if slot.last_miss == hash && target.host.len() <= MAX_HOST_BYTES {
            slot.encoded
                .get_or_insert_with(|| Box::new(Encoded::empty(target)))
                .fill(target, tags.limits);
        }
        slot.last_miss = hash;
        false
    }
}

impl Encoded {
    fn empty(target: &Target<'_>) -> Self {
        Self {
            scheme: target.scheme,
            version: target.version,
            host: Vec::new(),
            tags: Tags::new(),
        }
    }

    /// Encodes another target in the same buffers: hosts that displace each other shall not allocate each time.
    fn fill(&mut self, target: &Target<'_>, limits: ValueLimits) {
        (self.scheme, self.version) = (target.scheme, target.version);
        self.host.clear();
        self.host.extend_from_slice(target.host);
        self.tags.clear();
        self.tags.limits = limits;
        target.tag(&mut self.tags);
    }

    fn is(&self, target: &Target<'_>, limits: ValueLimits) -> bool {
        self.host == target.host
            && self.scheme == target.scheme
            && self.version == target.version
            && self.tags.limits == limits
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::inbound::forwarded::UNSAID;
    use crate::inbound::test_request::TestRequest;

    #[test]
    fn host_is_the_one_that_the_client_asked_for() {
        for (header, expected) in [
            ("shop.example.com", Some(("shop.example.com", None))),
            ("localhost:8080", Some(("localhost", Some(8080)))),
            ("[::1]", Some(("::1", None))),
            ("[::1]:8080", Some(("::1", Some(8080)))),
            ("shop:99999", Some(("shop", None))),
            ("me:s3cret@shop:81", Some(("shop", Some(81)))),
            ("2001:db8::1", Some(("2001:db8::1", None))),
            ("höst", None),
            ("", None),
        ] {
            let request = TestRequest::with_headers(&[("host", header)]);
            assert_eq!(
                asked(&request, None).and_then(split),
                expected,
                "{header:?}"
            );
        }
        let request = TestRequest {
            authority: Some("user:secret@other:81"),
            ..TestRequest::with_headers(&[("host", "shop")])
        };
        assert_eq!(
            asked(&request, None).and_then(split),
            Some(("other", Some(81))),
            "HTTP/2 has the authority in its URI"
        );
    }

    #[test]
    fn rules_and_spans_have_the_same_host() {
        let request = TestRequest::with_headers(&[("host", "behind:81")]);
        for (by_proxy, expected) in [
            (None, "behind"),
            (Some("shop.example.com:443"), "shop.example.com"),
            (Some("[2001:db8::1]:443"), "2001:db8::1"),
            (Some("h\u{f6}st"), "behind"),
        ] {
            let via = ForwardedInfo {
                host: by_proxy,
                ..UNSAID
            };
            assert_eq!(address(&request, Some(&via)), Some(expected));
            let [mut tags, mut of_span] = [Tags::new(), Tags::new()];
            tags.set(SERVER_ADDRESS, expected);
            tag(&request, Some(&via), &mut of_span);
            let of_span = of_span.entries.iter().map(|it| it.field(&of_span.bytes));
            let address = tags.entries[0].field(&tags.bytes);
            assert!(of_span.into_iter().any(|field| field == address));
        }
        assert_eq!(address(&TestRequest::default(), None), None);
    }

    fn target() -> impl Strategy<Value = (bool, bool, String, Option<usize>)> {
        let host = prop_oneof![
            "[ab]{0,2}(:80)?",
            "[a-z]{250,270}",
            Just("a\u{e9}".to_owned())
        ];
        (
            any::<bool>(),
            any::<bool>(),
            host,
            prop::option::of(0..4_usize),
        )
    }

    proptest! {
        /// Whatever a thread keeps, a request gets the tags of its own target.
        #[test]
        fn kept_targets_are_not_mixed_up(targets in prop::collection::vec(target(), 0..60)) {
            let mut cache = Cache::new();
            for (secure, http2, host, chars) in targets {
                let target = Target {
                    scheme: if secure { "https" } else { "http" },
                    version: Some(if http2 { "2" } else { "1.1" }),
                    host: host.as_bytes(),
                };
                let chars = chars.unwrap_or(usize::MAX);
                let limits = ValueLimits { chars, long_chars: chars, bytes: 1_000 };
                let [mut expected, mut tags, mut again] = [(); 3].map(|()| {
                    let mut tags = Tags::new();
                    tags.limits = limits;
                    tags
                });
                target.tag(&mut expected);
                for tags in [&mut tags, &mut again] {
                    if !cache.tag(&target, tags) {
                        target.tag(tags);
                    }
                    prop_assert_eq!(&tags.bytes, &expected.bytes);
                    prop_assert_eq!(tags.entries.len(), expected.entries.len());
                }
            }
        }
    }

    /// Returns whether the target is kept, and asks for it.
    fn ask(cache: &mut Cache, version: &'static str, host: &str) -> bool {
        let target = Target {
            scheme: "http",
            version: Some(version),
            host: host.as_bytes(),
        };
        cache.tag(&target, &mut Tags::new())
    }

    #[test]
    fn callers_that_all_differ_displace_no_host() {
        let mut cache = Cache::new();
        let mut is_kept = |host: &str| ask(&mut cache, "1.1", host);
        let shop = [(); 3].map(|()| is_kept("shop.example.com"));
        assert_eq!(shop, [false, false, true], "kept when it misses again");
        for stranger in 0..1_000 {
            assert!(!is_kept(&format!("{stranger}.example.com")));
        }
        assert!(is_kept("shop.example.com"));
    }

    #[test]
    fn versions_of_one_host_do_not_displace_each_other() {
        let mut cache = Cache::new();
        let mut hits = 0;
        for _ in 0..1_000 {
            for version in ["1.1", "2"] {
                hits += u32::from(ask(&mut cache, version, "shop.example.com"));
            }
        }
        assert_eq!(hits, 2 * 998);
    }
}
