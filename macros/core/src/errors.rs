//! Mistakes in an expansion.

use proc_macro2::TokenStream;
use quote::quote;
use syn::Error;

/// Puts a `compile_error!` for each mistake before an item.
pub(crate) fn with_errors(errors: &[Error], item: TokenStream) -> TokenStream {
    let errors = errors.iter().map(Error::to_compile_error);
    quote!(#(#errors)* #item)
}
