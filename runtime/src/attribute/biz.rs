//! Types that know their attributes, and their values.

use std::borrow::Cow;
use std::rc::Rc;
use std::sync::Arc;

use super::Tags;

/// A type that declares its attributes, for `..value` in `#[biz_attrs]`, and in a struct of which it is a `nested` field.
///
/// Derive it. Implement it by hand for what the derive can't serve:
///
/// ```
/// use biztrace::{BizAttrs, Tags};
///
/// struct Distance {
///     metres: f64,
/// }
///
/// impl BizAttrs for Distance {
///     fn record(&self, tags: &mut Tags) {
///         tags.set("distance.km", &(self.metres / 1000.0));
///     }
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` declares no attributes",
    label = "`BizAttrs` is not implemented for this",
    note = "derive `BizAttrs` for the type and mark the fields to record with `#[biz]`, or name them one by one: `key = expression`",
    note = "a list can't be spread, since its items would all set the same keys: name what counts of it, such as its length"
)]
pub trait BizAttrs {
    /// Sets the attributes.
    fn record(&self, tags: &mut Tags);
}

/// A type with a bounded set of values, each a string that is known at compile time. Derive it for an enum without fields.
///
/// ```
/// use biztrace::BizValue;
///
/// #[derive(BizValue)]
/// enum PaymentMethod {
///     Card,
///     BankTransfer,
/// }
///
/// assert_eq!(PaymentMethod::VALUES, ["card", "bank_transfer"]);
/// assert_eq!(PaymentMethod::Card.as_str(), "card");
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no bounded set of values",
    label = "`BizValue` is not implemented for this",
    note = "derive `BizValue` for an enum without fields"
)]
pub trait BizValue {
    /// All values, in the order of the variants.
    const VALUES: &'static [&'static str];

    /// This value.
    fn as_str(&self) -> &'static str;
}

impl<T: BizAttrs> BizAttrs for Option<T> {
    fn record(&self, tags: &mut Tags) {
        if let Some(value) = self {
            value.record(tags);
        }
    }
}

impl<T: BizAttrs + ToOwned + ?Sized> BizAttrs for Cow<'_, T> {
    fn record(&self, tags: &mut Tags) {
        T::record(self, tags);
    }
}

macro_rules! pointers {
    ($($pointer:ty)*) => {$(
        impl<T: BizAttrs + ?Sized> BizAttrs for $pointer {
            fn record(&self, tags: &mut Tags) {
                T::record(self, tags);
            }
        }
    )*};
}

pointers!(&T &mut T Box<T> Rc<T> Arc<T>);
