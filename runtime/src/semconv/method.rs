//! Methods: what is outside of the known ones is of unbounded cardinality.

use std::fmt;

use super::OTHER;

/// The methods that spans are named after.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KnownMethods(Option<Vec<String>>);

/// Those of RFC 9110, and PATCH and QUERY.
const DEFAULT: [&str; 10] = [
    "GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "CONNECT", "TRACE", "QUERY",
];

impl KnownMethods {
    pub(crate) const DEFAULT: Self = Self(None);

    /// These, instead of the default ones.
    pub(crate) fn new(names: Vec<String>) -> Self {
        Self(Some(names))
    }

    /// Those that a comma-separated list names, instead of the default ones. `None` if it names none.
    pub(crate) fn listed(list: &str) -> Option<Self> {
        let names = list.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty()).map(String::from);
        let names: Vec<_> = names.collect();
        (!names.is_empty()).then(|| Self::new(names))
    }

    /// Whether the method is one of them; their case matters.
    pub(crate) fn contains(&self, method: &str) -> bool {
        match &self.0 {
            None => DEFAULT.contains(&method),
            Some(names) => names.iter().any(|name| name == method),
        }
    }

    /// The method as an attribute has it, and as it was sent where that is another.
    pub(crate) fn in_attributes<'m>(&self, method: &'m str) -> (&'m str, Option<&'m str>) {
        if self.contains(method) {
            (method, None)
        } else {
            (OTHER, Some(method))
        }
    }

    /// The method as it stands in a span's name.
    pub(crate) fn in_name<'m>(&self, method: &'m str) -> &'m str {
        if self.contains(method) {
            method
        } else {
            "HTTP"
        }
    }
}

/// As the variable has them.
impl fmt::Display for KnownMethods {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str(&DEFAULT.join(",")),
            Some(names) => f.write_str(&names.join(",")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_takes_the_place_of_the_default() {
        let listed = KnownMethods::listed("GET, PURGE ,").unwrap();
        for (method, by_default, if_listed) in [
            ("GET", true, true),
            ("get", false, false),
            ("QUERY", true, false),
            ("PURGE", false, true),
            ("", false, false),
        ] {
            assert_eq!(KnownMethods::DEFAULT.contains(method), by_default);
            assert_eq!(listed.contains(method), if_listed);
        }
        assert_eq!(listed.in_name("PATCH"), "HTTP");
    }
}
