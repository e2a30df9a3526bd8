//! Lists of tokens that commas separate.

use proc_macro2::{TokenStream, TokenTree};
use syn::parse::ParseStream;

/// Takes the tokens up to the next comma, and the comma.
pub(super) fn until_comma(input: ParseStream<'_>) -> TokenStream {
    std::iter::from_fn(|| input.parse::<TokenTree>().ok())
        .take_while(|token| !is_comma(token))
        .collect()
}

pub(super) fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}
