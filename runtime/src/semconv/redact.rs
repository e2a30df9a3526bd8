//! Secrets in queries, which no span may have.
//!
//! The list of names is longer than that of the conventions, and names are compared more loosely: see `docs/adr/007-redaction.md`.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::fmt;

use percent_encoding::percent_decode;

/// The parameters that hold secrets in most services. Of a name with `&` the first part is one only where the second stands beside it.
const DEFAULT: [&str; 27] = [
    "token",
    "access_token",
    "refresh_token",
    "id_token",
    "auth_token",
    "jwt",
    "api_key",
    "key",
    "secret",
    "client_secret",
    "password",
    "passwd",
    "pwd",
    "auth",
    "authorization",
    "session",
    "session_id",
    "signature",
    "sig",
    "credential",
    "security_token",
    // OAuth's authorization code, where every other code is the application's.
    "code&state",
    // The conventions' own, beside `sig` and `Signature`.
    "AWSAccessKeyId",
    "X-Amz-Credential",
    "X-Amz-Security-Token",
    "X-Amz-Signature",
    "X-Goog-Signature",
];

pub(crate) const REDACTED: &str = "REDACTED";

/// The parameters of queries whose values are redacted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Redaction {
    /// As the application wrote it.
    written: Vec<String>,
    rules: Vec<Rule>,
    /// A bit for the length, the first and the last letter of each rule's name: most parameters have others.
    ends: [u64; 4],
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Rule {
    name: String,
    /// Another parameter, without which this one is no secret.
    beside: Option<String>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self::new(Vec::new())
    }
}

impl Redaction {
    /// These names beside the default ones. Without those that `!name` names, or without all defaults with `!*`.
    pub(crate) fn new(written: Vec<String>) -> Self {
        let own = |name: &&str| !name.starts_with('!');
        let is_out = |rule: &&str| {
            let mut out = written.iter().filter_map(|name| name.strip_prefix('!'));
            out.any(|out| out == "*" || rule_of(out) == rule_of(rule))
        };
        let defaults = DEFAULT.into_iter().filter(|rule| !is_out(rule));
        let names = written.iter().map(String::as_str).filter(own);
        let mut rules: Vec<Rule> = defaults.chain(names).map(rule_of).collect();
        rules.retain(|rule| !rule.name.is_empty());
        let mut ends = [0; 4];
        for rule in &rules {
            let (word, bit) = ends_of(rule.name.as_bytes());
            ends[word] |= bit;
        }
        Self {
            ends,
            rules,
            written,
        }
    }

    /// Those that a comma-separated list names, as `new` takes them. `None` if it names none.
    pub(crate) fn listed(list: &str) -> Option<Self> {
        let names = list.split(',').map(str::trim);
        let names = names.filter(|name| !name.is_empty()).map(String::from);
        let names: Vec<_> = names.collect();
        (!names.is_empty()).then(|| Self::new(names))
    }

    /// A query without the values of these parameters.
    #[inline]
    pub(crate) fn of<'q>(&self, query: &'q str) -> Cow<'q, str> {
        let query = Query {
            text: query,
            beside: OnceCell::new(),
        };
        without_values(query.text, |name| self.has(name, &query))
    }

    /// Whether a parameter of `query` is one of them.
    #[inline]
    fn has(&self, name: Name<'_>, query: &Query<'_>) -> bool {
        match name.is_plain {
            true => self.has_letters(name.encoded, query),
            false => self.has_encoded(name.encoded, query),
        }
    }

    /// The same for a name whose parts, or escapes, are to be told apart.
    #[inline(never)]
    fn has_encoded(&self, name: &[u8], query: &Query<'_>) -> bool {
        // No rule is that long, unless the part behind brackets counts: then a copy is worth it.
        let mut short = [0; 64];
        let mut long = Vec::new();
        let to = match short.get_mut(..name.len()) {
            Some(short) => short,
            None => {
                long.resize(name.len(), 0);
                &mut long[..]
            }
        };
        let (name, part) = letters_to(name, to);
        self.has_letters(name, query) || (part.len() < name.len() && self.has_letters(part, query))
    }

    #[inline]
    fn has_letters(&self, letters: &[u8], query: &Query<'_>) -> bool {
        let (word, bit) = ends_of(letters);
        self.ends[word] & bit != 0 && self.has_rule(letters, query)
    }

    #[inline(never)]
    fn has_rule(&self, letters: &[u8], query: &Query<'_>) -> bool {
        self.rules.iter().enumerate().any(|(at, rule)| {
            rule.name.as_bytes().eq_ignore_ascii_case(letters)
                && (rule.beside.is_none() || query.has_beside(&self.rules)[at])
        })
    }
}

/// A query that is looked at.
struct Query<'q> {
    text: &'q str,
    /// Whether it has the other parameter of each rule. Looked for once, or a caller could have each of thousands of parameters compared
    /// with each.
    beside: OnceCell<Vec<bool>>,
}

impl Query<'_> {
    fn has_beside(&self, rules: &[Rule]) -> &[bool] {
        self.beside.get_or_init(|| {
            let is_here = |other: &String| has_name(self.text, |it| is_named(it.encoded, other));
            let beside = rules.iter().map(|rule| rule.beside.as_ref());
            beside.map(|other| other.is_some_and(is_here)).collect()
        })
    }
}

/// As the variable has it.
impl fmt::Display for Redaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.written.is_empty() {
            true => f.write_str("default"),
            false => f.write_str(&self.written.join(",")),
        }
    }
}

fn rule_of(written: &str) -> Rule {
    let plain = |name: &str| letters(name.bytes()).map(char::from).collect();
    match written.split_once('&') {
        Some((name, beside)) => Rule {
            name: plain(name),
            beside: Some(plain(beside)),
        },
        None => Rule {
            name: plain(written),
            beside: None,
        },
    }
}

/// The bit of a name's length, first and last letter, and its word.
#[inline]
fn ends_of(name: &[u8]) -> (usize, u64) {
    let [Some(first), Some(last)] = [name.first(), name.last()] else {
        return (0, 0);
    };
    let letters = usize::from(first | 0x20) * 31 + usize::from(last | 0x20) * 7;
    let number = letters + name.len();
    (number / 64 % 4, 1 << (number % 64))
}

/// What of a name counts: not its case, nor how its words are joined.
fn letters(name: impl Iterator<Item = u8>) -> impl Iterator<Item = u8> {
    name.filter(|byte| !matches!(byte, b'-' | b'_' | b'.' | b'[' | b']' | b'+' | b' '))
        .map(|byte| byte.to_ascii_lowercase())
}

/// Writes what of an encoded name counts to `to`, which is as long. Returns it, and its last part: behind a bracket or a dot, as in
/// `user[password]`, or behind a vendor, as in `X-Amz-Signature`. Without parts that is all of it.
fn letters_to<'t>(name: &[u8], to: &'t mut [u8]) -> (&'t [u8], &'t [u8]) {
    let (mut len, mut part) = (0, 0);
    let mut is_next = false;
    let mut dashes = 0;
    for byte in percent_decode(name) {
        match byte {
            b'[' | b'.' => is_next = true,
            b'-' => {
                dashes += 1;
                is_next |= dashes <= 2 && matches!(name, [b'x' | b'X', b'-', ..]);
            }
            b'_' | b']' | b'+' | b' ' => {}
            byte => {
                if std::mem::take(&mut is_next) {
                    part = len;
                }
                to[len] = byte.to_ascii_lowercase();
                len += 1;
            }
        }
    }
    (&to[..len], &to[part..len])
}

/// Whether a parameter of a query has that name.
pub(crate) fn is_named(encoded: &[u8], name: &str) -> bool {
    letters(percent_decode(encoded)).eq(letters(name.bytes()))
}

/// The name of a parameter, as it is in a query.
#[derive(Clone, Copy)]
pub(crate) struct Name<'q> {
    pub(crate) encoded: &'q [u8],
    /// Whether it has letters and digits only.
    is_plain: bool,
}

/// What a byte of a query is. A look-up takes a third of the comparisons.
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'=' | b'&' | b';' => Class::Mark,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' => Class::Plain,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// A letter or a digit.
    Plain,
    /// What ends a name or a parameter.
    Mark,
    Other,
}

/// Whether `is_it` is true of the name of a parameter that has a value.
#[inline]
fn has_name(query: &str, is_it: impl Fn(Name<'_>) -> bool) -> bool {
    let mut rest = query.as_bytes();
    loop {
        let mut is_plain = true;
        let end = rest.iter().position(|byte| {
            let class = CLASSES[usize::from(*byte)];
            is_plain &= class != Class::Other;
            class == Class::Mark
        });
        let Some(end) = end else { return false };
        let (encoded, value) = rest.split_at(end);
        if value[0] == b'=' && is_it(Name { encoded, is_plain }) {
            return true;
        }
        let Some(next) = value.iter().position(|byte| matches!(byte, b'&' | b';')) else {
            return false;
        };
        rest = &value[next + 1..];
    }
}

/// A query without the values of the parameters whose encoded names are secret.
///
/// `&` separates parameters. To some servers `;` does too: then a value ends there, unless it belongs to a secret.
pub(crate) fn without_values(query: &str, is_secret: impl Fn(Name<'_>) -> bool) -> Cow<'_, str> {
    // Most queries have nothing to redact, and each request with one is looked at.
    if !has_name(query, &is_secret) {
        return Cow::Borrowed(query);
    }
    let mut shown = String::with_capacity(query.len());
    for parameter in query.split_inclusive('&') {
        let first = parameter.split(';').next().unwrap_or_default();
        let end = if has_name(first, &is_secret) {
            '&'
        } else {
            ';'
        };
        for part in parameter.split_inclusive(end) {
            let bare = part.trim_end_matches(['&', ';']);
            match bare.split_once('=') {
                Some((name, _)) if has_name(bare, &is_secret) => {
                    shown.extend([name, "=", REDACTED, &part[bare.len()..]]);
                }
                _ => shown.push_str(part),
            }
        }
    }
    Cow::Owned(shown)
}

/// A query without any value. What has no `=` may be one.
pub(crate) fn without_any_value(query: &str) -> String {
    let mut shown = String::with_capacity(query.len());
    for parameter in query.split_inclusive(['&', ';']) {
        let parameter_end = parameter.trim_end_matches(['&', ';']);
        match parameter_end.split_once('=') {
            Some((name, _)) => shown.extend([name, "=", REDACTED]),
            None if parameter_end.is_empty() => {}
            None => shown.push_str(REDACTED),
        }
        shown.push_str(&parameter[parameter_end.len()..]);
    }
    shown
}

#[cfg(test)]
mod tests;
