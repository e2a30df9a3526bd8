//! What can be the value of an attribute.

use super::{ArrayEncoder, Encoder};

/// A type that can be the value of an attribute.
///
/// Integers, floats, `bool`, strings, and slices, arrays and vectors of them arrive at the backend as such.
/// `None` omits the attribute. Integers outside `i64` arrive as decimal strings, since OTLP's are signed and 64 bits wide; no limit
/// of length cuts these.
///
/// Implement it for a type of your own by handing on one of its parts:
///
/// ```
/// use biztrace::Value;
/// use biztrace::value::Encoder;
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
    note = "for a type of the crate `uuid`, enable the feature `uuid` of `biztrace`; `chrono`, `rust_decimal` and `time` have features, too",
    note = "a value is a number, a bool, a string, an `Option` or a list of them. Have another type's text with `#[display]` or `#[debug]`, convert it (`.as_millis()`, `.ok()`), derive `BizValue` for an enum of yours, or implement `biztrace::Value`",
    note = "a type that derives `BizAttrs` is spread: `..value`, or `nested` on a field",
    note = "types that hold secrets have no attribute form on purpose"
)]
pub trait Value {
    /// Writes this value, by calling one method of `encoder`; calling none omits the attribute.
    fn encode(&self, encoder: Encoder<'_>);
}

/// Here, since an array takes values, and a value may write an array.
impl ArrayEncoder<'_> {
    /// Adds an element. An element without a value, for example `None`, is left out. OpenTelemetry wants all elements of an array to
    /// be of one type; its API has no form for mixed arrays, nor for arrays of arrays. More than eight arrays within one another are
    /// not recorded.
    pub fn push<V: Value + ?Sized>(&mut self, element: &V) {
        self.element(|writer| element.encode(writer.into()));
    }
}
