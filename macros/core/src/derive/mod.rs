//! The derives: `BizAttrs` of a struct, `BizValue` of an enum.

mod attrs;
mod value;

use proc_macro2::TokenStream;
use quote::quote;
use syn::{DeriveInput, Error};

use crate::parse::fields::Biz;

pub(crate) use attrs::{Field, attrs, attrs_stub, declared_fields};
pub(crate) use value::{value, value_stub};

/// Runs a derive on `item`: its implementation, or its mistakes.
///
/// Beside mistakes stands an implementation that does nothing, `stub`, so that none is followed by errors where the type is used.
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
    let errors = errors.iter().map(Error::to_compile_error);
    let stub = stub(&input);
    quote!(#(#errors)* #stub)
}

/// The path of the runtime's `__private`.
fn private(biz: &Biz) -> TokenStream {
    match &biz.krate {
        Some(krate) => quote!(#krate::__private),
        None => quote!(::biztrace::__private),
    }
}
