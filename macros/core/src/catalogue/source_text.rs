//! Source as it is written.

use quote::ToTokens;
use syn::spanned::Spanned;

/// Tokens as they are written, on one line.
pub(super) fn written(tokens: impl ToTokens) -> String {
    let tokens = tokens.into_token_stream();
    let written = tokens.span().source_text();
    let written = written.unwrap_or_else(|| tokens.to_string());
    written.split_whitespace().collect::<Vec<_>>().join(" ")
}
