//! Which rules cannot work, and which can never match.

use super::rule::{Condition, Outcome, Rule};
use super::watch::MAX_TESTS;
use crate::error::Error;
use crate::token::is_token;

/// As many rules as there are bits for those that wait for a route.
const MAX_RULES: usize = 64;

/// Refuses rules that cannot work, beside so many tests of tags that policies have.
pub(crate) fn check_rules(rules: &[Rule], tests: usize) -> Result<(), Error> {
    let refuse = |rule: &Rule, problem: String| {
        Err(Error::Rule {
            rule: rule.to_string(),
            problem,
        })
    };
    for rule in rules {
        if let Some(problem) = problem(rule) {
            return refuse(rule, problem);
        }
    }
    if let Some(rule) = rules.get(MAX_RULES) {
        let problem = "Join paths by stars, for example \"/api/**\"";
        return refuse(
            rule,
            format!("there are more than {MAX_RULES} rules. {problem}"),
        );
    }
    let tests = tests + number_of_routes(rules);
    match rules.iter().rfind(|rule| rule.has_route()) {
        Some(rule) if tests > MAX_TESTS as usize => refuse(
            rule,
            format!(
                "there are more than {MAX_TESTS} routes in rules and tests of tags in policies. Join routes by stars, for example \"/api/**\""
            ),
        ),
        _ => Ok(()),
    }
}

fn number_of_routes(rules: &[Rule]) -> usize {
    let conditions = rules.iter().flat_map(|rule| &rule.conditions);
    conditions
        .filter(|condition| matches!(condition, Condition::Route(_)))
        .count()
}

/// What is wrong with a rule, and what to do.
fn problem(rule: &Rule) -> Option<String> {
    match rule.outcome {
        Outcome::Rate(rate) if !(0.0..=1.0).contains(&rate) => {
            return Some(format!(
                "its rate {rate} is not a number from 0 to 1. Write 0.1 for 10 %"
            ));
        }
        Outcome::Never if rule.has_route() => {
            return Some(
                "a route is known only after spans have been made and requests have left with the sampled flag. Write `Rule::path`, or `.rate(0.0)`, which drops the spans at the trace's end unless something fails"
                    .to_owned(),
            );
        }
        _ => {}
    }
    rule.conditions.iter().find_map(problem_of_condition)
}

fn problem_of_condition(condition: &Condition) -> Option<String> {
    let problem = match condition {
        Condition::Path(glob) | Condition::Route(glob) => {
            let text = glob.to_string();
            if text.is_empty() {
                "its path is empty. Write \"/**\" for every path"
            } else if !text.starts_with('/') && text != "**" && !text.starts_with("**/") {
                return Some(format!(
                    "{text:?} matches the whole path, which starts with a slash. Write \"/{text}\", or \"**/{text}\" for any folder"
                ));
            } else if glob.has_mixed_segment() {
                "`**` must stand alone between slashes. Write, for example, \"/static/**/*.css\", or one star within a segment"
            } else if matches!(condition, Condition::Path(_)) && text.contains(['?', '#']) {
                "its path never matches: paths have no query and no fragment. Leave out the `?` or `#` and what follows"
            } else {
                return None;
            }
        }
        Condition::Method(method) if !is_token(method) => {
            return Some(format!(
                "{method:?} is not an HTTP method. Write, for example, \"POST\""
            ));
        }
        Condition::Host(glob) if glob.as_str().is_empty() => {
            "its host is empty. Write, for example, \"*.internal\""
        }
        Condition::Host(glob) if has_port_or_path(glob.as_str()) => {
            "its host is more than a name. Leave out the scheme, the port and the path"
        }
        Condition::Header(name, _) if !is_token(name) => {
            return Some(format!(
                "{name:?} is not a header name. Write, for example, \"x-probe\""
            ));
        }
        Condition::Header(_, value) if value.as_str().is_empty() => {
            "its header is compared with an empty value. Write \"*\" for any value"
        }
        _ => return None,
    };
    Some(problem.to_owned())
}

/// An IPv6 address has several colons, or brackets that requests are compared without.
fn has_port_or_path(host: &str) -> bool {
    host.contains(['/', '@', '[']) || host.matches(':').count() == 1
}

/// Rules that never match, since one that matches as much stands before: each with that one.
pub(crate) fn unreachable_rules(rules: &[Rule]) -> impl Iterator<Item = (&Rule, &Rule)> {
    rules.iter().enumerate().filter_map(|(n, rule)| {
        let earlier = rules[..n].iter().find(|it| covers(it, rule))?;
        Some((rule, earlier))
    })
}

/// Whether each condition of `wide` follows from one of `narrow`: only the clear cases.
fn covers(wide: &Rule, narrow: &Rule) -> bool {
    let mut conditions = wide.conditions.iter();
    conditions.all(|wide| {
        let mut others = narrow.conditions.iter();
        others.any(|narrow| follows(wide, narrow))
    })
}

fn follows(wide: &Condition, narrow: &Condition) -> bool {
    match (wide, narrow) {
        // Each request has a path.
        (Condition::Path(wide), narrow) if wide.is_all() => !matches!(narrow, Condition::Parent(_)),
        (Condition::Path(wide), Condition::Path(narrow))
        | (Condition::Route(wide), Condition::Route(narrow)) => {
            wide == narrow || (narrow.is_literal() && wide.matches(&narrow.to_string()))
        }
        (Condition::Method(wide), Condition::Method(narrow)) => wide.eq_ignore_ascii_case(narrow),
        (Condition::Host(wide), Condition::Host(narrow)) => {
            wide == narrow || (narrow.is_literal() && wide.matches(narrow.as_str()))
        }
        (Condition::Header(wide_name, wide), Condition::Header(name, narrow)) => {
            wide_name == name && (wide == narrow || wide.as_str() == "*")
        }
        (wide, narrow) => wide == narrow,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sampling::Parent;

    #[test]
    fn rules_that_cannot_work_are_refused_with_the_fix() {
        for (rule, problem) in [
            (Rule::path("/a").rate(10.0), "Write 0.1 for 10 %"),
            (Rule::path("/a").rate(-0.1), "Write 0.1 for 10 %"),
            (Rule::path("/a").rate(f64::NAN), "Write 0.1 for 10 %"),
            (Rule::path("").never(), "Write \"/**\""),
            (Rule::route("").keep(), "Write \"/**\""),
            (Rule::path("health").never(), "Write \"/health\""),
            (Rule::path("*.css").never(), "\"**/*.css\""),
            (Rule::path("/a/**.css").never(), "/static/**/*.css"),
            (Rule::path("/a?b=1").never(), "have no query"),
            (Rule::route("/a/{id}").never(), "`.rate(0.0)`"),
            (Rule::method("").never(), "\"POST\""),
            (
                Rule::method("GET,POST").never(),
                "\"GET,POST\" is not an HTTP method",
            ),
            (Rule::host("").never(), "\"*.internal\""),
            (Rule::host("shop:80").never(), "Leave out"),
            (Rule::host("https://shop").never(), "Leave out"),
            (Rule::header("", "*").never(), "\"x-probe\""),
            (
                Rule::header("x probe", "*").never(),
                "\"x probe\" is not a header name",
            ),
            (Rule::header("x-probe", "").never(), "Write \"*\""),
            (Rule::path("/a").host("").never(), "\"*.internal\""),
        ] {
            let error = check_rules(std::slice::from_ref(&rule), 0);
            let error = error.unwrap_err().to_string();
            assert!(error.contains(problem), "{error}");
            assert!(
                error.contains(&format!("{:?}", rule.to_string())),
                "{error}"
            );
        }
        for rule in [
            Rule::path("/").never(),
            Rule::path("**").rate(0.0),
            Rule::path("**/*.css").rate(1.0),
            Rule::route("/files/{tail:.*}").rate(0.5),
            Rule::host("::1").never(),
            Rule::host("*")
                .method("purge")
                .header("X-Probe", "*")
                .never(),
            Rule::parent(Parent::Remote).rate(1e-9),
        ] {
            assert!(
                check_rules(std::slice::from_ref(&rule), 0).is_ok(),
                "{rule}"
            );
        }
    }

    #[test]
    fn number_of_rules_is_bounded() {
        let rules = |number| vec![Rule::path("/a").keep(); number];
        assert!(check_rules(&rules(64), 64).is_ok());
        let error = check_rules(&rules(65), 0).unwrap_err().to_string();
        assert!(error.contains("more than 64 rules"), "{error}");
        let routes = vec![Rule::route("/a").keep(); 10];
        assert!(check_rules(&routes, 54).is_ok());
        let error = check_rules(&routes, 55).unwrap_err().to_string();
        assert!(error.contains("tests of tags"), "{error}");
    }

    #[test]
    fn rule_behind_one_that_matches_as_much_is_found() {
        let post = |path: &str| Rule::path(path).method("POST");
        for (earlier, later, is_found) in [
            (Rule::path("/a").never(), Rule::path("/a").keep(), true),
            (Rule::path("/**").keep(), post("/a").never(), true),
            (Rule::path("**").keep(), Rule::host("a").never(), true),
            (Rule::path("/a").keep(), post("/a").never(), true),
            (Rule::path("/a/*").keep(), post("/a/b").never(), true),
            (
                Rule::path("/a/*").keep(),
                Rule::path("/a/**").never(),
                false,
            ),
            (Rule::path("/a/b").keep(), Rule::path("/a/*").never(), false),
            (post("/a").keep(), Rule::path("/a").never(), false),
            (post("/**").keep(), Rule::path("/a").never(), false),
            (
                Rule::method("post").path("/a").keep(),
                post("/a").never(),
                true,
            ),
            (Rule::route("/a").keep(), Rule::path("/a").never(), false),
            (Rule::path("/a").never(), Rule::route("/a").keep(), false),
            (Rule::path("/**").never(), Rule::route("/a").keep(), true),
            (
                Rule::path("/**").never(),
                Rule::parent(Parent::None).keep(),
                false,
            ),
            (
                Rule::parent(Parent::Local).never(),
                Rule::parent(Parent::None).keep(),
                false,
            ),
            (
                Rule::header("X-A", "*").never(),
                Rule::header("x-a", "1").keep(),
                true,
            ),
            (
                Rule::host("*.internal").never(),
                Rule::host("a.INTERNAL").keep(),
                true,
            ),
        ] {
            let rules = [earlier, later];
            let found = unreachable_rules(&rules).count();
            assert_eq!(found, usize::from(is_found), "{rules:?}");
        }
    }
}
