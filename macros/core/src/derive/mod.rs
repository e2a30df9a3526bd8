//! The derives: `BizAttrs` of a struct, `BizValue` of an enum.

mod attrs;
mod bounds;
mod check;
mod declared;
mod field;
mod tag;
mod value;

use proc_macro2::TokenStream;
use syn::{DeriveInput, Error};

use crate::errors::with_errors;

pub(crate) use attrs::{attrs, attrs_stub};
pub(crate) use declared::declared_fields;
pub(crate) use field::Field;
pub(crate) use value::{value, value_stub};

/// Runs a derive on `item`: its implementation, or its mistakes.
///
/// With mistakes it emits `stub`, an implementation that does nothing, so that there are no further errors where the type is used.
pub(crate) fn derive(
    item: TokenStream,
    implement: fn(&DeriveInput, &mut Vec<Error>) -> Option<TokenStream>,
    stub: fn(&DeriveInput) -> TokenStream,
) -> TokenStream {
    let input: DeriveInput = match syn::parse2(item) {
        Ok(input) => input,
        Err(error) => return error.to_compile_error(),
    };
    let mut errors = Vec::new();
    let implementation = implement(&input, &mut errors);
    if errors.is_empty() {
        return implementation.unwrap_or_default();
    }
    with_errors(&errors, stub(&input))
}
