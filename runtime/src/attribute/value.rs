//! What can be the value of an attribute.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::Encoder;

/// A type that can be the value of an attribute.
///
/// Integers, floats, `bool`, strings, and slices, arrays and vectors of them arrive at the backend as such.
/// `None` omits the attribute. Integers outside `i64` arrive as decimal strings, since OTLP's are signed and 64 bits wide; no limit
/// of length cuts these.
///
/// Implement it for a type of your own by handing on one of its parts:
///
/// ```
/// use biztrace::{Encoder, Value};
///
/// struct OrderId(u64);
///
/// impl Value for OrderId {
///     fn encode(&self, encoder: Encoder<'_>) {
///         self.0.encode(encoder);
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no attribute form",
    label = "not an attribute value",
    note = "a value is a number, a bool, a string, an `Option` or a list of them. Have another type's text with `#[display]` or `#[debug]`, convert it (`.as_millis()`, `.ok()`), derive `BizValue` for an enum of yours, or implement `biztrace::Value`",
    note = "a type that derives `BizAttrs` is spread: `..value`, or `nested` on a field",
    note = "types that hold secrets have no attribute form on purpose"
)]
pub trait Value {
    /// Writes this value, by calling one method of `encoder`; calling none omits the attribute.
    fn encode(&self, encoder: Encoder<'_>);
}

/// The first `limit` characters of `value`.
pub(crate) fn truncate(value: &str, limit: usize) -> &str {
    if value.len() <= limit {
        return value; // No character is shorter than a byte.
    }
    match value.char_indices().nth(limit) {
        Some((end, _)) => &value[..end],
        None => value,
    }
}

macro_rules! integers {
    ($($int:ty)*) => {$(
        impl Value for $int {
            #[inline]
            fn encode(&self, encoder: Encoder<'_>) {
                match i64::try_from(*self) {
                    Ok(value) => encoder.i64(value),
                    Err(_) => encoder.digits(&self.to_string()),
                }
            }
        }
    )*};
}

integers!(i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize);

impl Value for bool {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.bool(*self);
    }
}

impl Value for f32 {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.f32(*self);
    }
}

impl Value for f64 {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.f64(*self);
    }
}

impl Value for char {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self.encode_utf8(&mut [0; 4]));
    }
}

impl Value for str {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self);
    }
}

impl Value for String {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(self);
    }
}

impl<V: Value> Value for [V] {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.array(|array| self.iter().for_each(|element| array.push(element)));
    }
}

impl<V: Value, const N: usize> Value for [V; N] {
    fn encode(&self, encoder: Encoder<'_>) {
        self.as_slice().encode(encoder);
    }
}

impl<V: Value> Value for Vec<V> {
    fn encode(&self, encoder: Encoder<'_>) {
        self.as_slice().encode(encoder);
    }
}

impl<V: Value> Value for Option<V> {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        if let Some(value) = self {
            value.encode(encoder);
        }
    }
}

impl<V: Value + ToOwned + ?Sized> Value for Cow<'_, V> {
    #[inline]
    fn encode(&self, encoder: Encoder<'_>) {
        V::encode(self, encoder);
    }
}

macro_rules! pointers {
    ($($pointer:ty)*) => {$(
        impl<V: Value + ?Sized> Value for $pointer {
            #[inline]
            fn encode(&self, encoder: Encoder<'_>) {
                V::encode(self, encoder);
            }
        }
    )*};
}

pointers!(&V &mut V Box<V> Rc<V> Arc<V>);
