//! Tags that travel: with what runs below their span, in the OpenTelemetry context's baggage.

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt};
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};

use super::attributes::decode;
use crate::attribute::Tags;
use crate::diag;

/// The current baggage with what travels of `tags`, if anything does.
#[inline]
pub(crate) fn baggage(tags: &Tags) -> Option<Baggage> {
    (!tags.baggage.is_empty()).then(|| Context::map_current(|cx| with_tags(cx.baggage(), tags)))
}

/// `current` with what travels of `tags`: that goes first, since there may not be room for all.
#[cold]
fn with_tags(current: &Baggage, tags: &Tags) -> Baggage {
    let mut own: Vec<KeyValue> = Vec::new();
    // The last value of a key counts.
    for entry in tags.baggage.iter().rev() {
        if let Some(attribute) = decode(entry, &tags.bytes)
            && own.iter().all(|other| other.key != attribute.key)
        {
            own.push(attribute);
        }
    }
    let mut baggage = Baggage::new();
    for KeyValue { key, value, .. } in own.iter().rev() {
        // What is withheld has no value.
        let Some(value) = value.as_ref().and_then(|value| value.value.as_ref()) else {
            continue;
        };
        match text(value) {
            Some(text) => {
                baggage.insert(key.clone(), text);
                if baggage.get(key).is_none() {
                    warn_of_size(key);
                }
            }
            None => warn_of_list(key),
        }
    }
    for (key, (value, metadata)) in current {
        if own.iter().all(|attribute| attribute.key != key.as_str()) {
            baggage.insert_with_metadata(key.clone(), value.clone(), metadata.clone());
        }
    }
    baggage
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::StringValue(value) => Some(value.clone()),
        Value::BoolValue(value) => Some(value.to_string()),
        Value::IntValue(value) => Some(value.to_string()),
        Value::DoubleValue(value) => Some(value.to_string()),
        _ => None,
    }
}

fn warn_of_size(key: &str) {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "{key} does not travel as baggage, of which there are at most 64 members and 8192 bytes, whose keys are of ASCII letters, \
         digits, `.`, `_` and `-`. It is on its span only. Say `max_len(64)` beside `baggage`, or rename it"
    ));
}

fn warn_of_list(key: &str) {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "{key} does not travel as baggage, since it is a list: text, numbers and bools do. It is on its span only"
    ));
}

/// Says that nothing runs below what was to travel.
#[cold]
pub(crate) fn warn_baggage_unused() {
    static ONCE: diag::Once = diag::Once::new();
    ONCE.warn(format_args!(
        "a tag that is to travel as baggage is on its span only, since nothing runs below it: a type's attributes are set by `tag!`, \
         on a result, or by `#[biz_attrs]` without `#[traced]` or `#[traced_handler]`. Set them with one of these two"
    ));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::attribute::Pii;

    fn of(current: &[(&'static str, &'static str)], set: impl FnOnce(&mut Tags)) -> Vec<String> {
        let mut inbound = Baggage::new();
        for (key, value) in current {
            inbound.insert(*key, *value);
        }
        let mut tags = Tags::new();
        set(&mut tags);
        let baggage = with_tags(&inbound, &tags);
        let mut members: Vec<_> = { baggage.iter() }
            .map(|(key, (value, _))| format!("{key}={value}"))
            .collect();
        members.sort_unstable();
        members
    }

    #[test]
    fn the_text_of_what_is_not_a_list_travels() {
        let members = of(&[("caller", "x")], |tags| {
            tags.set("stays", "here");
            tags.baggage(|tags| {
                tags.set("text", "a b");
                tags.set("int", &-7);
                tags.set("large", &u64::MAX);
                tags.set("double", &1.5);
                tags.set("bool", &true);
                tags.set("none", &None::<u8>);
                tags.set("list", &[1, 2][..]);
                tags.nested("shop", |tags| tags.set("id", &3));
            });
        });
        let expected = [
            "bool=true",
            "caller=x",
            "double=1.5",
            "int=-7",
            "large=18446744073709551615",
            "shop.id=3",
            "text=a b",
        ];
        assert_eq!(members, expected);
    }

    #[test]
    fn the_last_value_counts_and_what_is_withheld_takes_it_away() {
        let current = [("a", "0"), ("b", "0"), ("c", "0")];
        let members = of(&current, |tags| {
            tags.baggage(|tags| {
                tags.set("a", &1);
                tags.set("a", &2);
                tags.set("b", &Pii(&1));
            });
        });
        assert_eq!(members, ["a=2", "c=0"]);
    }

    #[test]
    fn what_is_set_here_goes_before_what_came_in() {
        let long: &'static str = "x".repeat(8180).leak();
        let members = of(&[("caller", long)], |tags| {
            tags.baggage(|tags| tags.set("tenant.id", "berlin"));
        });
        assert_eq!(members, ["tenant.id=berlin"]);
        let members = of(&[("caller", "x")], |tags| {
            tags.baggage(|tags| tags.set("tenant.id", &*"x".repeat(8200)));
        });
        assert_eq!(members, ["caller=x"]);
    }
}
