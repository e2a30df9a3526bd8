//! Patterns for paths and routes, segment by segment.

use std::fmt;

use super::glob::Glob;

/// A pattern for a whole path. `*` stands for any characters within a segment, `**` for any number of segments, also for none.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PathGlob(Vec<Segment>);

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    One(Glob),
    Any,
}

impl PathGlob {
    pub(super) fn new(pattern: &str) -> Self {
        let segments = pattern.split('/').map(|segment| match segment {
            "**" => Segment::Any,
            segment => Segment::One(Glob::new(segment)),
        });
        Self(segments.collect())
    }

    /// Whether it is all of `path`. Takes at most the product of the two lengths: a `**` that has matched is not asked again once the next
    /// one has.
    pub(super) fn matches(&self, path: &str) -> bool {
        let mut path = path.split('/');
        let mut of = 0;
        // What follows the last `**`, and the segments that it may still take.
        let mut retry = None;
        loop {
            match (self.0.get(of), path.clone().next()) {
                (None, None) => return true,
                (Some(Segment::Any), _) => {
                    of += 1;
                    retry = Some((of, path.clone()));
                }
                (Some(Segment::One(glob)), Some(segment)) if glob.matches(segment) => {
                    of += 1;
                    path.next();
                }
                _ => {
                    let Some((after, rest)) = &mut retry else {
                        return false;
                    };
                    if rest.next().is_none() {
                        return false;
                    }
                    (of, path) = (*after, rest.clone());
                }
            }
        }
    }

    /// Whether it is every path.
    pub(super) fn is_all(&self) -> bool {
        match &*self.0 {
            [Segment::Any] => true,
            [Segment::One(root), Segment::Any] => root.as_str().is_empty(),
            _ => false,
        }
    }

    /// Whether it has no stars.
    pub(super) fn is_literal(&self) -> bool {
        let mut segments = self.0.iter();
        segments.all(|segment| matches!(segment, Segment::One(glob) if glob.is_literal()))
    }

    /// Whether a segment has `**` and something else, where it would be no more than `*`.
    pub(super) fn has_mixed_segment(&self) -> bool {
        let mut segments = self.0.iter();
        segments
            .any(|segment| matches!(segment, Segment::One(glob) if glob.as_str().contains("**")))
    }
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, segment) in self.0.iter().enumerate() {
            let separator = if n == 0 { "" } else { "/" };
            let text = match segment {
                Segment::One(glob) => glob.as_str(),
                Segment::Any => "**",
            };
            write!(f, "{separator}{text}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_star_stays_in_its_segment_and_two_do_not() {
        for (pattern, path, is_match) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/health*", "/health", true),
            ("/health*", "/healthz", true),
            ("/health*", "/health/live", false),
            ("/orders/*", "/orders/7", true),
            ("/orders/*", "/orders/", true),
            ("/orders/*", "/orders", false),
            ("/orders/*", "/orders/7/items", false),
            ("/*/items", "/7/items", true),
            ("/*/items", "/7/8/items", false),
            ("/a*c/b", "/abc/b", true),
            ("/checkout/**", "/checkout", true),
            ("/checkout/**", "/checkout/", true),
            ("/checkout/**", "/checkout/a/b", true),
            ("/checkout/**", "/checkouts", false),
            ("/**", "/", true),
            ("/**", "/a/b", true),
            ("**", "/a", true),
            ("**", "*", true),
            ("**/*.css", "/main.css", true),
            ("**/*.css", "/a/b/main.css", true),
            ("**/*.css", "/a/b/main.js", false),
            ("/a/**/z", "/a/z", true),
            ("/a/**/z", "/a/b/c/z", true),
            ("/a/**/z", "/a/b/c/z/y", false),
            ("/a/**/m/**/z", "/a/m/m/b/z", true),
            ("/a/**/m/**/z", "/a/b/z", false),
            ("/a/**/m/*/z", "/a/m/m/x/z", true),
            ("/orders/{id}", "/orders/{id}", true),
            ("/orders/{id}", "/orders/7", false),
            ("/orders/{*}", "/orders/{id}", true),
            ("/Orders", "/orders", false),
            ("/é*", "/étage", true),
        ] {
            let glob = PathGlob::new(pattern);
            assert_eq!(glob.matches(path), is_match, "{pattern} {path}");
            assert_eq!(glob.to_string(), pattern);
        }
    }

    #[test]
    fn hostile_path_takes_no_longer_than_the_product() {
        let pattern = PathGlob::new(&("/**/*a*b".repeat(50) + "/c"));
        assert!(!pattern.matches(&"/aaaaaaaa".repeat(2_000)));
        assert!(!pattern.matches(&"/ab".repeat(5_000)));
    }
}
