//! What named proxies are believed.

use std::net::IpAddr;

use super::*;
use crate::inbound::test_request::TestRequest;

fn proxies<const N: usize>(addresses: [&str; N]) -> Proxies {
    let mut proxies = Proxies::default();
    proxies.set_addresses(addresses).unwrap();
    proxies
}

fn read(
    peer: &str,
    lines: &[(&str, &str)],
) -> Option<(String, Option<String>, Option<&'static str>)> {
    let proxies = proxies(["10.0.0.0/8", "192.0.2.1", "2001:db8:1::/48"]);
    let request = TestRequest::with_headers(lines);
    let peer = Some((peer.parse::<IpAddr>().unwrap(), 1).into());
    let via = proxies.read(peer, &request)?;
    let client = match via.client {
        Client::At(ip) => ip.to_string(),
        client => format!("{client:?}"),
    };
    Some((client, via.host.map(String::from), via.scheme))
}

fn client(lines: &[(&str, &str)]) -> String {
    read("10.0.0.1", lines).unwrap().0
}

#[test]
fn a_peer_that_is_no_proxy_is_not_read() {
    for peer in ["11.0.0.1", "192.0.2.2", "2001:db8:2::1", "127.0.0.1"] {
        assert_eq!(read(peer, &[("forwarded", "for=8.8.8.8")]), None, "{peer}");
    }
    for peer in ["10.9.9.9", "192.0.2.1", "2001:db8:1::1", "::ffff:10.0.0.1"] {
        assert!(
            read(peer, &[("forwarded", "for=8.8.8.8")]).is_some(),
            "{peer}"
        );
    }
    assert_eq!(read("10.0.0.1", &[]), None, "it says nothing");
}

#[test]
fn what_stands_left_of_the_last_untrusted_address_is_the_clients_word() {
    for (list, expected) in [
        ("203.0.113.9", "203.0.113.9"),
        ("8.8.8.8, 203.0.113.9", "203.0.113.9"),
        ("8.8.8.8, 203.0.113.9, 10.0.0.2, 192.0.2.1", "203.0.113.9"),
        ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("203.0.113.9:4711", "203.0.113.9"),
        ("[2001:db8:2::1]:4711", "2001:db8:2::1"),
        ("2001:db8:2::1", "2001:db8:2::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("8.8.8.8, unknown", "Hidden"),
        ("8.8.8.8,", "Hidden"),
        ("10.0.0.1:203.0.113.9", "Hidden"),
        ("", "Hidden"),
    ] {
        assert_eq!(client(&[("x-forwarded-for", list)]), expected, "{list:?}");
    }
    let lines = [
        ("x-forwarded-for", "8.8.8.8"),
        ("x-forwarded-for", "203.0.113.9, 10.0.0.2"),
    ];
    assert_eq!(client(&lines), "203.0.113.9");
}

#[test]
fn elements_of_forwarded_are_read_as_rfc_7239_has_them() {
    for (list, expected) in [
        ("for=203.0.113.9", "203.0.113.9"),
        ("For=\"203.0.113.9:4711\" ; by=10.0.0.1", "203.0.113.9"),
        ("for=\"[2001:db8:2::1]:_port\"", "2001:db8:2::1"),
        ("for=203.0.113.9, for=10.0.0.2;by=\"a,b;c\"", "203.0.113.9"),
        ("for=8.8.8.8, for=_hidden", "Hidden"),
        ("for=8.8.8.8, for=unknown, for=10.0.0.2", "Hidden"),
        ("for=8.8.8.8, proto=https", "Hidden"),
        ("for=1.1.1.1;for=8.8.8.8", "Hidden"),
        ("for=\"203.0.113.9", "Hidden"),
        ("for =203.0.113.9;for=10.0.0.1", "Hidden"),
        ("for=\"10.0.0.1:203.0.113.9\"", "Hidden"),
        ("for=\"[fd00::1]203.0.113.9\"", "Hidden"),
        ("nonsense", "Hidden"),
        // A quote that the client has opened does not swallow what the proxy adds, nor does what the proxy quotes close it.
        ("for=8.8.8.8;x=\", for=203.0.113.9", "203.0.113.9"),
        ("for=8.8.8.8;x=\", for=\"203.0.113.9:1\"", "203.0.113.9"),
        ("x=\"\\, for=203.0.113.9", "203.0.113.9"),
    ] {
        assert_eq!(client(&[("forwarded", list)]), expected, "{list:?}");
    }
}

#[test]
fn the_origin_is_what_the_outermost_trusted_proxy_was_asked_for() {
    let origin = |lines: &[(&str, &str)]| {
        let (_, host, scheme) = read("10.0.0.1", lines).unwrap();
        (host.unwrap_or_default(), scheme.unwrap_or_default())
    };
    let list = "for=1.1.1.1;host=evil;proto=http, for=203.0.113.9;host=\"shop:8443\";proto=HTTPS, for=10.0.0.2;host=inner;proto=http";
    assert_eq!(
        origin(&[("forwarded", list)]),
        ("shop:8443".into(), "https")
    );
    let list = "for=203.0.113.9, for=10.0.0.2;host=inner;proto=gopher";
    assert_eq!(origin(&[("forwarded", list)]), ("inner".into(), ""));
    let lines = [
        ("x-forwarded-for", "1.1.1.1, 203.0.113.9, 10.0.0.2"),
        ("x-forwarded-host", "evil, shop, inner"),
        ("x-forwarded-proto", "http, https, http"),
    ];
    assert_eq!(origin(&lines), ("shop".into(), "https"));
}

#[test]
fn of_two_headers_what_both_say_is_true() {
    let x_for = ("x-forwarded-for", "203.0.113.9");
    assert_eq!(client(&[x_for, ("forwarded", "for=8.8.8.8")]), "Hidden");
    let lines = [x_for, ("forwarded", "for=203.0.113.9;host=evil")];
    assert_eq!(
        read("10.0.0.1", &lines),
        Some(("203.0.113.9".into(), None, None))
    );
}

#[test]
fn what_is_no_address_is_named() {
    for text in ["10.0.0.0/33", "proxy.internal", "", "10.0.0.1:80"] {
        let error = Proxies::default().set_addresses([text]).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(&format!("{text:?}")), "{error}");
    }
}

#[test]
fn a_list_without_a_member_for_each_address_is_not_believed() {
    let lines = [
        ("x-forwarded-for", "1.1.1.1, 203.0.113.9"),
        ("x-forwarded-host", "evil"),
        ("x-forwarded-proto", "https, https, https"),
    ];
    let client = "203.0.113.9".to_owned();
    assert_eq!(read("10.0.0.1", &lines), Some((client, None, None)));
    let lines = [("x-forwarded-host", "evil")];
    let nobody = Some(("Hidden".to_owned(), None, None));
    assert_eq!(read("10.0.0.1", &lines), nobody);
}

#[test]
fn only_the_headers_that_proxies_write_are_read() {
    let lines = [
        ("forwarded", "for=8.8.8.8;host=evil"),
        ("x-forwarded-for", "1.1.1.1, 203.0.113.9"),
        ("x-forwarded-host", "evil, shop"),
        ("x-forwarded-proto", "https"),
    ];
    let request = TestRequest::with_headers(&lines);
    let read = |written: &[&str]| {
        let mut proxies = proxies(["unix"]);
        proxies.set_headers(written).unwrap();
        let via = proxies.read(None, &request)?;
        Some((via.client, via.host, via.scheme))
    };
    let at = |ip: &str| Client::At(ip.parse().unwrap());
    assert_eq!(read(&[]), None);
    assert_eq!(read(&[FOR]), Some((at("203.0.113.9"), None, None)));
    let of_all_three = (at("203.0.113.9"), Some("shop"), Some("https"));
    assert_eq!(read(&[FOR, HOST, PROTO]), Some(of_all_three));
    let of_forwarded = (at("8.8.8.8"), Some("evil"), None);
    assert_eq!(read(&[FORWARDED]), Some(of_forwarded));
    assert_eq!(read(&[PROTO]), Some((Client::Hidden, None, Some("https"))));
    let error = Proxies::default().set_headers(["x-real-ip"]).unwrap_err();
    assert!(error.to_string().contains("\"x-real-ip\""), "{error}");
}
