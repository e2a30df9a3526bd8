//! W3C Baggage.

use std::collections::HashMap;

use super::super::*;

/// The members of a context's baggage, sorted.
pub(super) fn members(cx: &Context) -> Vec<String> {
    let baggage = cx.baggage().iter();
    let mut members: Vec<_> = baggage
        .map(|(key, (value, metadata))| format!("{key}={value};{metadata}"))
        .collect();
    members.sort();
    members
}

fn baggage(line: &str) -> Context {
    let headers = HashMap::from([("baggage".to_owned(), line.to_owned())]);
    Propagator::Baggage.extract_with_context(&Context::new(), &headers)
}

#[test]
fn baggage_as_the_specification_has_it() {
    for (line, expected) in [
        ("user.id=7", vec!["user.id=7;"]),
        (
            " user.id = 7 , tier=gold\t",
            vec!["tier=gold;", "user.id=7;"],
        ),
        ("query=a=b=c", vec!["query=a=b=c;"]),
        ("name=J%C3%BCrgen%20%2C%25", vec!["name=J\u{fc}rgen ,%;"]),
        ("bad=%ff", vec!["bad=\u{fffd};"]),
        ("id=1;ttl=5;secret", vec!["id=1;ttl=5;secret"]),
        ("id=1,id=2", vec!["id=2;"]),
        ("a b=1,=2,c,,d=", vec!["d=;"]),
    ] {
        assert_eq!(members(&baggage(line)), expected, "{line}");
    }
}

#[test]
fn baggage_survives_and_has_limits() {
    let cx = baggage("name=J%C3%BCrgen%20%2C%25,id=1;ttl=5");
    let mut headers = HashMap::new();
    Propagator::Baggage.inject_context(&cx, &mut headers);
    assert_eq!(members(&baggage(&headers["baggage"])), members(&cx));
    assert!(headers["baggage"].is_ascii());

    let many: Vec<_> = (0..100).map(|i| format!("k{i:02}=v")).collect();
    assert_eq!(members(&baggage(&many.join(","))).len(), 64);
    let long = format!("a={},b={},c=1", "x".repeat(4000), "y".repeat(4000));
    assert_eq!(members(&baggage(&long)).len(), 3, "8192 bytes pass");
    let longer = format!("a=1,b={}", "y".repeat(9000));
    assert_eq!(members(&baggage(&longer)), ["a=1;"]);
}
