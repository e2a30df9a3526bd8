use super::*;
use crate::sampling::{Plan, Sampler, tenant_name};

fn settled(mut tenants: Tenants) -> Result<(Tenants, Vec<String>), String> {
    let mut warnings = Vec::new();
    let settled = tenants.settle(|warning| warnings.push(warning));
    let settled = settled.map_err(|error| error.to_string());
    settled.map(|()| (tenants, warnings))
}

fn vip() -> Tenants {
    Tenants::from_header("X-Tenant-Id").tier("vip", Tier::of(["acme"]))
}

#[test]
fn wrong_settings_name_the_tier_and_the_fix() {
    let of = || Tier::of(["globex"]);
    let many = (0..8).fold(Tenants::from_tag(), |tenants, n| {
        tenants.tier(format!("t{n}"), Tier::of([n.to_string()]))
    });
    for (tenants, parts) in [
        (vip().tier("a", of().rate(10.0)), ["\"a\"", "Write 0.25"]),
        (
            vip().tier("a", of().rate(f64::NAN)),
            ["\"a\"", "Write 0.25"],
        ),
        (vip().tier("a", of().rate(-0.1)), ["\"a\"", "Write 0.25"]),
        (vip().tier("a", Tier::of([""; 0])), ["\"a\"", "no members"]),
        (vip().tier("a", Tier::of([""])), ["\"a\"", "1 to 64 bytes"]),
        (
            vip().tier("a", Tier::of(["x".repeat(65)])),
            ["\"a\"", "1 to 64 bytes"],
        ),
        (vip().tier("vip", of()), ["\"vip\"", "name of its own"]),
        (vip().tier("", of()), ["\"\"", "no name"]),
        (
            vip().tier("a", Tier::rest()).tier("b", Tier::rest()),
            ["\"b\"", "List the members"],
        ),
        (vip().tier("rest", of()), ["\"rest\"", "another name"]),
        (many, ["\"rest\"", "more than 8"]),
        (vip().tier("a", of().queue(0)), ["\"a\"", "queue is 0"]),
        (vip().tier("a", of().weight(0)), ["\"a\"", "weight is 0"]),
        (
            vip().tier("a", of().weight(101)),
            ["\"a\"", "101 is above 100"],
        ),
        (
            vip().tier("a", of().errors_per_second_per_tenant(0)),
            ["\"a\"", "`errors_per_second_per_tenant` is 0"],
        ),
        (vip().tier("a\nb", of()), ["\"a\\nb\"", "has no name"]),
        (
            vip().tier("a", of().spans_per_second_per_tenant(0)),
            ["\"a\"", "rate(0.0)"],
        ),
        (Tenants::from_header(""), ["`Tenants::from_header`", "\"\""]),
        (
            Tenants::from_header("x tenant"),
            ["`Tenants::from_header`", "\"x tenant\""],
        ),
    ] {
        let error = settled(tenants).unwrap_err();
        for part in parts {
            assert!(error.contains(part), "{part} is not in: {error}");
        }
    }
}

#[test]
fn rest_is_added_where_it_is_missing() {
    let (tenants, warnings) = settled(vip()).unwrap();
    assert_eq!(
        tenants.to_string(),
        "header(x-tenant-id), vip(members=1), rest(rest)"
    );
    assert!(warnings.is_empty() && !tenants.thins());
    let all = vip().tier("others", Tier::rest().rate(0.1).queue(9).weight(2));
    let (tenants, _) = settled(all).unwrap();
    let shown = tenants.to_string();
    assert!(
        shown.ends_with("others(rest rate=0.1 queue=9 weight=2)"),
        "{shown}"
    );
    assert!(tenants.thins());
    assert_eq!(tenants.tier_name(TierId(1)), "others");
    let names = tenants
        .tiers()
        .iter()
        .map(|tier| (tier.queue(), tier.weight()));
    assert!(names.eq([(None, 1), (Some(9), 2)]));
}

#[test]
fn member_that_never_matches_gives_a_warning() {
    let tenants = Tenants::from_tag()
        .tier("a", Tier::of(["acme", "globex-*", "acme"]))
        .tier("b", Tier::of(["acme", "globex-eu", "globex", "globex-*"]));
    let (_, warnings) = settled(tenants).unwrap();
    assert_eq!(warnings.len(), 4, "{warnings:?}");
    assert!(warnings[2].contains("\"globex-eu\" of the tier \"b\""));
}

#[test]
fn names_have_64_bytes_at_most() {
    let long = format!("{}é", "x".repeat(63));
    for (text, name) in [
        ("acme", Some("acme")),
        (" acme\t", Some("acme")),
        ("", None),
        (" ", None),
        (&long, Some(&long[..63])),
    ] {
        assert_eq!(tenant_name(text), name);
    }
}

#[test]
fn text_of_settings_names_no_tenant() {
    let tier = Tier::of(["acme", "globex-*"]).rate(0.5);
    assert_eq!(format!("{tier:?}"), "Tier(members=2 rate=0.5)");
    let tenants = Tenants::from_tag().tier("vip", tier);
    let shown = format!("{tenants:?} {:?}", tenants.tiers());
    assert!(shown.starts_with("Tenants(tag, vip(members=2 rate=0.5))"));
    let plan = Plan::new(Sampler::always_on(), &[], None, Some(tenants));
    for shown in [shown, format!("{plan:?}")] {
        assert!(shown.contains("vip") && !shown.contains("acme"), "{shown}");
        assert!(!shown.contains("globex"), "{shown}");
    }
}
