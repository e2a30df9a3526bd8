//! How settings are written as text.

use std::str::FromStr;
use std::time::Duration;

/// How a setting is written.
pub(crate) struct Format<T> {
    /// The value of a variable. `None` if nothing of it can be taken.
    pub(crate) parse: fn(&str, &mut Refused) -> Option<T>,
    /// As `describe` shows it; `None` if it is not worth a line.
    pub(crate) shown: fn(&T) -> Option<String>,
    /// As a warning says what is used instead.
    pub(crate) written: fn(&T) -> String,
}

impl<T> Format<T> {
    /// Of a setting that only code sets, with [`NO_VARIABLE`](super::pass::NO_VARIABLE): there is no text of it to read or to warn of.
    pub(crate) const fn of_code(shown: fn(&T) -> Option<String>) -> Self {
        Self {
            parse: |_, _| None,
            shown,
            written: |_| String::new(),
        }
    }
}

/// What of a variable cannot be taken.
#[derive(Debug, Default)]
pub(crate) struct Refused(pub(super) Vec<String>);

impl Refused {
    /// Notes that `value` is not what is `expected`.
    pub(crate) fn add(&mut self, value: &str, expected: &str) {
        self.add_shown(printable(value), expected);
    }

    /// The same of a value that may be shown.
    fn add_shown(&mut self, value: &str, expected: &str) {
        self.0.push(format!("={value:?} is not {expected}"));
    }

    /// The same of a value that may be a secret: it is not shown.
    pub(crate) fn add_secret(&mut self, expected: &str) {
        self.add_shown("…", expected);
    }

    /// `parsed`, or a note that `value` is not what is `expected`.
    pub(crate) fn or_add<T>(
        &mut self,
        parsed: Option<T>,
        value: &str,
        expected: &str,
    ) -> Option<T> {
        if parsed.is_none() {
            self.add(value, expected);
        }
        parsed
    }
}

/// A value as a warning shows it: a word or a number. What is more than that may be a secret in the wrong variable.
pub(crate) fn printable(value: &str) -> &str {
    let is_plain = |char: char| char.is_ascii_alphanumeric() || " .,+-_/".contains(char);
    if value.len() <= 24 && value.chars().all(is_plain) {
        value
    } else {
        "…"
    }
}

pub(crate) const BOOLEAN: Format<bool> = Format {
    parse: |value, refused| refused.or_add(boolean(value), value, "true or false"),
    shown: |value| Some(value.to_string()),
    written: bool::to_string,
};

/// A switch that is shown only if it is on.
pub(crate) const SWITCH: Format<bool> = Format {
    shown: |value| value.then(|| "true".to_owned()),
    ..BOOLEAN
};

/// A switch that any value sets.
pub(crate) const PRESENCE: Format<bool> = Format {
    parse: |_, _| Some(true),
    ..SWITCH
};

pub(crate) const COUNT: Format<usize> = Format {
    parse: |value, refused| refused.or_add(number(value), value, "a whole number"),
    shown: |value| Some(value.to_string()),
    written: usize::to_string,
};

pub(crate) const POSITIVE: Format<usize> = Format {
    parse: |value, refused| {
        let count = number(value).filter(|count| *count > 0);
        refused.or_add(count, value, "a whole number above 0")
    },
    ..COUNT
};

/// A duration: in milliseconds in a variable, with its unit where it is shown. 32 bits are 49 days; with 64, a deadline could overflow
/// the clock.
pub(crate) const MILLISECONDS: Format<Duration> = Format {
    parse: |value, refused| {
        const EXPECTED: &str = "a whole number of milliseconds above 0, below 2^32";
        let count = number::<u32>(value).filter(|count| *count > 0);
        let count = refused.or_add(count, value, EXPECTED)?;
        Some(Duration::from_millis(count.into()))
    },
    shown: |value| Some(format!("{value:?}")),
    written: |value| value.as_millis().to_string(),
};

/// Text that is not shown.
pub(crate) const TEXT: Format<Option<String>> = Format {
    parse: |value, _| Some(Some(value.to_owned())),
    shown: |_| None,
    written: |value| value.clone().unwrap_or_default(),
};

/// What a comma-separated list names, each once, as `named` finds it by its name in lower case. Empty for `none` alone; `None` if nothing
/// of it is known.
pub(crate) fn list<T: PartialEq>(
    value: &str,
    expected: &str,
    refused: &mut Refused,
    named: impl Fn(&str) -> Option<T>,
) -> Option<Vec<T>> {
    let mut all = Vec::new();
    if value.trim().eq_ignore_ascii_case("none") {
        return Some(all);
    }
    let (mut names, mut unknown) = (0, 0);
    for name in value.split(',').filter(|name| !name.trim().is_empty()) {
        names += 1;
        match named(&name.trim().to_ascii_lowercase()) {
            Some(it) if all.contains(&it) => {}
            Some(it) => all.push(it),
            None => {
                unknown += 1;
                refused.add(name, expected);
            }
        }
    }
    if names == 0 {
        refused.add(value, expected);
    }
    (unknown < names).then_some(all)
}

/// The pairs of a comma-separated list in the format of W3C Baggage without its metadata, or the number of the first member that is
/// none, with it. A value may be empty and may contain `=`.
pub(crate) fn pairs(value: &str) -> Result<Vec<(String, String)>, (usize, &str)> {
    let members = value.split(',').enumerate();
    members
        .filter(|(_, member)| !member.trim().is_empty())
        .map(|(i, member)| pair(member).ok_or((i + 1, member)))
        .collect()
}

fn pair(member: &str) -> Option<(String, String)> {
    let (key, value) = member.split_once('=')?;
    let key = percent_decode(key.trim()).filter(|key| !key.is_empty())?;
    Some((key, percent_decode(value.trim())?))
}

pub(crate) fn number<T: FromStr>(value: &str) -> Option<T> {
    value.parse().ok()
}

fn boolean(value: &str) -> Option<bool> {
    value.to_ascii_lowercase().parse().ok()
}

/// Stricter than decoders for URLs, which let a broken escape through: it is an error here.
fn percent_decode(text: &str) -> Option<String> {
    let mut encoded = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
    while let Some(byte) = encoded.next() {
        decoded.push(match byte {
            b'%' => (digit(encoded.next())? << 4 | digit(encoded.next())?) as u8,
            _ => byte,
        });
    }
    String::from_utf8(decoded).ok()
}
