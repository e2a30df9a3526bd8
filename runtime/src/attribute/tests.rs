//! Values as a receiver decodes them.

use std::fmt;
use std::sync::Arc;

use hmac::digest::KeyInit;
use hmac::{Hmac, Mac};
use opentelemetry_proto::tonic::common::v1::any_value::Value as Sent;
use opentelemetry_proto::tonic::trace::v1::Span;
use proptest::prelude::*;
use prost::Message;
use sha2::Sha256;

use super::*;

const SECRET: &str = "0123456789abcdef";

fn with_key(pii: PiiPolicy) -> Privacy {
    Privacy {
        hash_key: HashKey::new(SECRET.as_bytes()),
        pii: Some(pii),
    }
}

/// The attributes that `set` sets, as text.
fn sent(
    privacy: Privacy,
    chars: Option<usize>,
    set: impl FnOnce(&mut Tags),
) -> Vec<(String, String)> {
    let chars = chars.unwrap_or(usize::MAX);
    let limits = ValueLimits {
        chars,
        long_chars: chars,
        bytes: 1024,
    };
    let mut tags = Scratch::new(limits, &Arc::new(privacy));
    set(&mut tags);
    let span = Span::decode(&*tags.bytes).unwrap();
    let attributes = span.attributes.into_iter();
    attributes
        // One that was withheld has no value: its span drops it, with an earlier one of the key.
        .filter_map(|attribute| Some((attribute.key, text(attribute.value?.value))))
        .collect()
}

fn text(value: Option<Sent>) -> String {
    match value {
        Some(Sent::StringValue(text)) => text,
        Some(Sent::ArrayValue(array)) => {
            let texts = array.values.into_iter().map(|value| text(value.value));
            format!("[{}]", texts.collect::<Vec<_>>().join(", "))
        }
        other => format!("{other:?}"),
    }
}

/// A value's text.
fn value(privacy: Privacy, value: &impl Value) -> Option<String> {
    let mut sent = sent(privacy, None, |tags| {
        tags.set(const { &Key::new("k") }, value)
    });
    sent.pop().map(|(_, text)| text)
}

fn hmac(text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(text.as_bytes());
    let digits = mac.finalize().into_bytes();
    digits.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn a_hash_is_that_of_the_values_text() {
    let hashed = |it: &dyn Fn(&mut Tags)| sent(with_key(PiiPolicy::Drop), Some(5), it)[0].1.clone();
    let key = const { &Key::new("k") };
    assert_eq!(hashed(&|tags| tags.set(key, &Hash(&42_u64))), hmac("42"));
    assert_eq!(hashed(&|tags| tags.set(key, &Hash(&-1.5))), hmac("-1.5"));
    assert_eq!(hashed(&|tags| tags.set(key, &Hash(&true))), hmac("true"));
    assert_eq!(
        hashed(&|tags| tags.set(key, &Hash(&u64::MAX))),
        hmac(&u64::MAX.to_string())
    );
    // Neither the value nor its hash is cut to the configured length.
    assert_eq!(
        hashed(&|tags| tags.set(key, &Hash("longer than five"))),
        hmac("longer than five")
    );
    assert_eq!(
        hashed(&|tags| tags.set(key, &Hash(&MaxLen(3, "longer")))),
        hmac("lon")
    );
    // Nor is a number cut to any, and a float's text is its own type's.
    assert_eq!(
        hashed(&|tags| tags.set(key, &Hash(&123_456))),
        hmac("123456")
    );
    assert_eq!(
        hashed(&|tags| tags.set(key, &Hash(&MaxLen(3, &123_456)))),
        hmac("123456")
    );
    assert_eq!(hashed(&|tags| tags.set(key, &Hash(&0.1_f32))), hmac("0.1"));
    let each = format!("[{}, {}]", hmac("a"), hmac("b"));
    assert_eq!(hashed(&|tags| tags.set(key, &Hash(&["a", "b"]))), each);
    // RFC 4231, test case 2, with the key padded by zeros, which is the same key to HMAC.
    let jefe = Privacy {
        hash_key: HashKey::new(b"Jefe\0\0\0\0\0\0\0\0\0\0\0\0"),
        ..Privacy::default()
    };
    assert_eq!(
        value(jefe, &Hash("what do ya want for nothing?")).unwrap(),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
}

#[test]
fn nothing_is_hashed_without_a_key() {
    assert_eq!(value(Privacy::default(), &Hash("a")), None);
    assert_eq!(value(Privacy::default(), &Hash(&["a"])), None);
    assert_eq!(value(with_key(PiiPolicy::Drop), &Hash(&None::<u8>)), None);
    assert_eq!(HashKey::new(b"fifteen bytes.."), None);
    assert!(!format!("{:?}", with_key(PiiPolicy::Drop)).contains(SECRET));
}

#[test]
fn the_policy_says_what_becomes_of_personal_data() {
    let pii = |policy| value(with_key(policy), &Pii("Ada"));
    assert_eq!(pii(PiiPolicy::Keep).unwrap(), "Ada");
    assert_eq!(pii(PiiPolicy::Hash).unwrap(), hmac("Ada"));
    assert_eq!(pii(PiiPolicy::Drop), None);
    assert_eq!(PiiPolicy::default(), PiiPolicy::Drop);
}

#[test]
fn a_mask_leaves_the_last_characters() {
    let masked = |shown, text: &str| value(Privacy::default(), &Mask(shown, text)).unwrap();
    assert_eq!(masked(4, "4111111111111234"), "************1234");
    assert_eq!(masked(2, "grüße"), "***ße");
    assert_eq!(
        masked(4, "1234"),
        "****",
        "all that there is would be no mask"
    );
    assert_eq!(
        (masked(0, "abc"), masked(0, "")),
        ("***".into(), String::new())
    );
    assert_eq!(
        value(Privacy::default(), &Mask(2, &4711_u32)).unwrap(),
        "**11"
    );
    assert_eq!(
        value(Privacy::default(), &Mask(1, &["ab", "cd"])).unwrap(),
        "[*b, *d]"
    );
}

#[test]
fn a_limit_of_length_does_not_move_what_a_mask_shows() {
    let key = const { &Key::new("k") };
    let masked = |chars, value: &dyn Value| {
        let mut sent = sent(Privacy::default(), Some(chars), |tags| {
            tags.set(key, &Mask(4, value));
        });
        sent.pop().unwrap().1
    };
    let card = "4111222233331234";
    assert_eq!(masked(16, &card), "************1234");
    assert_eq!(masked(14, &card), "************12");
    assert_eq!(masked(8, &card), "********");
    assert_eq!(masked(8, &Display(&card)), "********");
    assert_eq!(masked(8, &[card]), "[********]");
    assert_eq!(
        value(Privacy::default(), &MaxLen(14, &Mask(4, card))).unwrap(),
        "************12"
    );
}

#[test]
fn a_number_is_never_cut() {
    let key = const { &Key::new("k") };
    let text = u64::MAX.to_string();
    let sent = sent(Privacy::default(), Some(5), |tags| {
        tags.set(key, &u64::MAX);
        tags.set(key, &MaxLen(3, &u64::MAX));
        tags.set(key, &MaxLen(3, &[u64::MAX]));
        tags.set(key, &MaxLen(3, "text"));
    });
    let texts: Vec<&str> = sent.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, [&*text, &text, &format!("[{text}]"), "tex"]);
}

proptest! {
    #[test]
    fn masks_and_cuts_keep_characters_whole(text in "\\PC{0,40}", n in 0_usize..50) {
        let masked = value(Privacy::default(), &Mask(n, &text)).unwrap();
        let length = text.chars().count();
        prop_assert_eq!(masked.chars().count(), length);
        let shown = if length > n { n } else { 0 };
        prop_assert!(masked.chars().rev().take(shown).eq(text.chars().rev().take(shown)));
        prop_assert!(masked.chars().take(length - shown).all(|it| it == '*'));

        let cut = value(Privacy::default(), &MaxLen(n, &text)).unwrap();
        prop_assert_eq!(cut, text.chars().take(n).collect::<String>());
    }
}

/// Writes without end.
struct Endless;

impl fmt::Display for Endless {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        loop {
            f.write_str("ha ")?;
        }
    }
}

#[test]
fn values_have_a_text() {
    let key = const { &Key::new("k") };
    let formatted = sent(Privacy::default(), None, |tags| {
        tags.set(key, &Display(&format_args!("{}-{}", 1, 2)));
        tags.set(key, &Debug(&Some("a")));
        tags.set(key, &MaxLen(2, &Debug(&Some("a"))));
        tags.set(key, &MaxLen(4, &Display(&Endless)));
    });
    let texts: Vec<&str> = formatted.iter().map(|(_, text)| text.as_str()).collect();
    assert_eq!(texts, ["1-2", "Some(\"a\")", "So", "ha h"]);

    let limited = sent(Privacy::default(), Some(7), |tags| {
        tags.set(key, &Display(&Endless))
    });
    assert_eq!(limited[0].1, "ha ha h");
    // More than a trace may hold is no attribute.
    let unlimited = sent(Privacy::default(), None, |tags| {
        tags.set(key, &Display(&Endless))
    });
    assert_eq!(unlimited, []);
}

#[test]
fn of_a_text_that_is_too_large_no_part_counts() {
    let key = const { &Key::new("k") };
    let wide = "\u{1f980}".repeat(400);
    let sent = sent(with_key(PiiPolicy::Keep), None, |tags| {
        tags.set(key, &Display(&wide));
        tags.set(key, &Hash(&Display(&Endless)));
        tags.set(key, &Mask(4, &Display(&wide)));
        assert_eq!(tags.dropped, 3);
    });
    assert_eq!(sent, []);
}

#[test]
fn nested_keys_begin_with_their_prefixes() {
    let (city, zip) = (const { &Key::new("city") }, const { &Key::new("zip") });
    let sent = sent(Privacy::default(), None, |tags| {
        tags.set(city, "a");
        tags.nested("order", |tags| {
            tags.set(city, "b");
            tags.nested("shipping", |tags| tags.set(city, "c"));
            tags.set(zip, "d");
        });
        tags.set(zip, "e");
    });
    let keys: Vec<&str> = sent.iter().map(|(key, _)| key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "city",
            "order.city",
            "order.shipping.city",
            "order.zip",
            "zip"
        ]
    );
}

#[cfg(all(
    feature = "uuid",
    feature = "rust_decimal",
    feature = "chrono",
    feature = "time"
))]
#[test]
fn values_of_other_crates_are_text() {
    use ::time::Month;
    use chrono::{NaiveDate, TimeZone, Utc};

    let of = |it: &dyn Fn() -> Option<String>| it().unwrap();
    let plain = Privacy::default;
    let uuid = uuid::Uuid::from_u128(0x67e5_5044_10b1_426f_9247_bb68_0e5f_e0c8);
    assert_eq!(
        of(&|| value(plain(), &uuid)),
        "67e55044-10b1-426f-9247-bb680e5fe0c8"
    );
    let price = rust_decimal::Decimal::new(1990, 2);
    assert_eq!(of(&|| value(plain(), &price)), "19.90");
    let day = NaiveDate::from_ymd_opt(2026, 2, 3).unwrap();
    assert_eq!(of(&|| value(plain(), &day)), "2026-02-03");
    let moment = Utc.from_utc_datetime(&day.and_hms_milli_opt(4, 5, 6, 7).unwrap());
    assert_eq!(of(&|| value(plain(), &moment)), "2026-02-03T04:05:06.007Z");
    let day = ::time::Date::from_calendar_date(2026, Month::February, 3).unwrap();
    assert_eq!(of(&|| value(plain(), &day)), "2026-02-03");
    let moment = day.with_hms(4, 5, 6).unwrap().assume_utc();
    assert_eq!(of(&|| value(plain(), &moment)), "2026-02-03T04:05:06Z");
}

proptest! {
    /// Blocks end at 27 bytes of a key, at 126 of a text, and at 127 of an attribute.
    #[test]
    fn attributes_of_every_length_arrive_as_they_are(
        key in "[a-z]{1,40}",
        text in "[a-z]{0,300}",
        chars in prop::option::of(0..300_usize),
        number: i64,
        float: f64,
        flag: bool,
    ) {
        let chars = chars.unwrap_or(usize::MAX);
        let limits = ValueLimits { chars, long_chars: chars, bytes: 10_000 };
        let mut tags = Scratch::new(limits, &Arc::default());
        tags.set(&key, text.as_str());
        tags.set(&format!("{key}.n"), &number);
        tags.set(&format!("{key}.f"), &float);
        tags.set(&format!("{key}.b"), &flag);
        tags.set("negative", &-number.saturating_abs());
        let sent = Span::decode(&*tags.bytes).unwrap().attributes;
        let values: Vec<_> = sent.iter().map(|it| it.value.clone().unwrap().value.unwrap()).collect();
        let text = &text[..chars.min(text.len())];
        prop_assert_eq!(&sent[0].key, &key);
        prop_assert_eq!(&values[0], &Sent::StringValue(text.to_owned()));
        prop_assert_eq!(&values[1], &Sent::IntValue(number));
        prop_assert!(matches!(values[2], Sent::DoubleValue(it) if it.to_bits() == float.to_bits()));
        prop_assert_eq!(&values[3], &Sent::BoolValue(flag));
        prop_assert_eq!(&values[4], &Sent::IntValue(-number.saturating_abs()));
        // Prost writes each field as ours is written: in as few bytes.
        for (entry, attribute) in tags.entries.iter().zip(sent) {
            let (content, rest) = wire::split_field(entry.field(&tags.bytes));
            prop_assert_eq!(content, attribute.encode_to_vec());
            prop_assert!(rest.is_empty());
        }
    }
}
