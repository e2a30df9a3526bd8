//! Policies that cannot work.

use std::time::Duration;

use super::*;
use crate::sampling::Keep;

#[test]
fn policies_that_cannot_work_are_refused() {
    let share = |share| Keep::none().policy(Policy::probability(share));
    let many =
        |number| (0..number).fold(Keep::none(), |keep, i| keep.policy(Policy::equals("a", i)));
    assert!(many(64).check().is_ok());
    for (keep, said) in [
        (
            many(65),
            "more than 64 tests of tags. Join values with `Policy::one_of`",
        ),
        (
            share(10.0),
            "\"probability\" of `Keep`: its share 10 is not a number above 0, up to 1. Write 0.25 for 25 %",
        ),
        (share(0.0), "its share 0 "),
        (share(f64::NAN), "its share NaN "),
        (
            Keep::errors().policy(Policy::rate_limiting(-1.0)),
            "its rate -1 of traces a second",
        ),
        (
            Keep::errors().policy(Policy::equals("", 1)),
            "the policy \"\" of `Keep`: it has no key. Name a tag",
        ),
        (
            Keep::errors().policy(Policy::one_of("a", [0; 0])),
            "\"a\" of `Keep`: it names no value",
        ),
        (
            Keep::errors().policy(Policy::equals("a", None::<i64>)),
            "it names no value",
        ),
        (
            Keep::errors().policy(Policy::regex("a", "(")),
            "\"(\" is not a regular expression",
        ),
        (
            Keep::errors().policy(Policy::number("a", 10.0..5.0)),
            "no number is in its range. Write the lower bound first",
        ),
        (
            Keep::errors().policy(Policy::number("a", f64::NAN..5.0)),
            "no number is in its range",
        ),
        (
            Keep::errors().policy(Policy::latency(
                Duration::from_secs(1)..Duration::from_secs(1),
            )),
            "no time is in its range",
        ),
        (
            Keep::errors().policy(Policy::spans(..0)),
            "no number is in its range",
        ),
        (
            Keep::errors().policy(Policy::spans(5..5)),
            "no number is in its range",
        ),
        (
            Keep::errors().policy(!Policy::probability(0.1)),
            "\"!probability\" of `Keep`: the rest of a share has no weight",
        ),
        (
            Keep::errors().drop(Policy::equals("a", 1).and(Policy::probability(0.5))),
            "`Keep::drop` takes no share",
        ),
        (
            Keep::errors().drop(Policy::regex("a", "[")),
            "is not a regular expression",
        ),
    ] {
        let error = keep.check().expect_err(said);
        assert!(matches!(error, Error::Policy { .. }), "{error}");
        let error = error.to_string();
        assert!(error.contains(said), "{error}");
    }
}
