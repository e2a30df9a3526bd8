//! Keys, by OpenTelemetry's naming rules.

use syn::{Error, LitStr};

use crate::case::snake;
use crate::parse::{Key, span_field};

/// The namespaces that the middleware fills.
const RESERVED: [&str; 7] = ["otel", "http", "url", "network", "server", "client", "code"];

/// OpenTelemetry sets no limit. This one stops keys that are really values.
const MAX_KEY_BYTES: usize = 255;

/// The error for a key that breaks OpenTelemetry's naming rules for attributes.
pub(crate) fn malformed(key: &Key) -> Option<Error> {
    let name = &key.name;
    let message = if name.len() > MAX_KEY_BYTES {
        format!(
            "this key has {} bytes: at most {MAX_KEY_BYTES} are allowed",
            name.len()
        )
    } else if name.contains(|c: char| c.is_ascii_uppercase()) {
        format!("keys are lower case: write `{}`", snake(name))
    } else {
        let segment = name
            .split('.')
            .find(|segment| !is_segment(segment, key.quoted))?;
        if segment.is_empty() {
            String::from("a key has a name on each side of a dot, as in `order.id`")
        } else {
            format!(
                "`{segment}` can't be part of a key: write names such as `order_id`, of `a-z`, `0-9` and single `_` (in a string \
                 literal also `-`), that start with a letter and end with a letter or digit"
            )
        }
    };
    Some(Error::new_spanned(&key.tokens, message))
}

/// The error for a prefix of keys, by the rules for keys.
pub(crate) fn malformed_prefix(prefix: &LitStr) -> Option<Error> {
    let text = prefix.value();
    match text.strip_suffix('.') {
        Some(without) if !without.ends_with('.') && !without.is_empty() => {
            let message = format!("a prefix has no dot at its end: write `\"{without}\"`");
            Some(Error::new(prefix.span(), message))
        }
        _ => {
            let key = Key::from(prefix.clone());
            malformed(&key).or_else(|| reserved(&key))
        }
    }
}

fn is_segment(segment: &str, quoted: bool) -> bool {
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_') || (quoted && c == '-');
    segment.starts_with(|c: char| c.is_ascii_lowercase())
        && segment.chars().all(allowed)
        && !segment.ends_with(['_', '-'])
        && !segment.contains("__")
}

/// The error for a key that would set a property of the span in `tracing-opentelemetry`.
pub(crate) fn of_tracing(key: &Key) -> Option<Error> {
    let message = span_field(&key.name)?;
    Some(Error::new_spanned(&key.tokens, message))
}

/// The error for a user's key in a namespace of the middleware.
pub(crate) fn reserved(key: &Key) -> Option<Error> {
    let namespace = key.name.split('.').next()?;
    RESERVED.contains(&namespace).then(|| {
        let message = format!("the namespace `{namespace}` is reserved for the middleware: use one of your own, such as `order.`");
        Error::new_spanned(&key.tokens, message)
    })
}
