//! Rules, which only code sets.

use super::{Telemetry, TelemetryBuilder, listing};
use crate::sampling::{Keep, Policy, Rule};

#[test]
fn rules_are_described_in_their_order_and_kept_from_losing_errors() {
    let described = |rules: &[Rule]| {
        let rules = rules.to_vec();
        let listing = listing(&[], |builder| {
            rules.into_iter().fold(builder, TelemetryBuilder::rule)
        });
        let settings = listing.settings.into_iter();
        let shown = |name: &str| {
            let mut found = settings.clone().filter(|(it, _, _)| it == name);
            found.next().map(|(_, value, _)| value)
        };
        let (rules, keep) = (shown("rule"), shown("keep"));
        let warnings: Vec<_> = listing.warnings.iter().map(ToString::to_string).collect();
        (rules.unwrap_or_default(), keep.is_some(), warnings)
    };
    let never = || Rule::path("/health*").never();
    let tenth = || Rule::header("X-Key", "s3cret").method("GET").rate(0.1);
    assert_eq!(described(&[]), (String::new(), false, Vec::new()));
    assert_eq!(described(&[never()]).0, "path /health*: never");
    assert!(
        !described(&[never(), Rule::path("/a").keep()]).1,
        "nothing is thinned"
    );
    let (rules, keeps_errors, warnings) = described(&[never(), tenth()]);
    assert_eq!(
        rules,
        "path /health*: never; header x-key=…, method GET: rate 0.1"
    );
    assert!(keeps_errors && warnings.is_empty());
    let (_, _, warnings) = described(&[never(), Rule::path("/healthz").keep()]);
    assert_eq!(
        warnings,
        [
            "rule \"path /healthz: keep\" never matches: \"path /health*: never\" stands before it, and matches as much. \
          Put the narrower rule first"
        ]
    );
}

#[test]
fn rule_that_cannot_work_is_refused() {
    let ten = Telemetry::builder().rule(Rule::path("/checkout/**").rate(10.0));
    let error = ten.build().unwrap_err().to_string();
    assert_eq!(
        error,
        "the rule \"path /checkout/**: rate 10\" of `TelemetryBuilder::rule`: its rate 10 is not a number from 0 to 1. Write 0.1 for 10 %"
    );
    let tests = (0..64).map(|n| Policy::equals(n.to_string(), n));
    let keep = tests.fold(Keep::errors(), Keep::policy);
    let builder = Telemetry::builder().keep(keep);
    let error = builder.rule(Rule::route("/a").keep()).build().unwrap_err();
    assert!(error.to_string().contains("tests of tags"), "{error}");
}
