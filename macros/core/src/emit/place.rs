//! The places that rustc points at.

use proc_macro2::{Span, TokenStream, TokenTree};

/// The same tokens, for rustc to point at `place`.
pub(super) fn located(tokens: &TokenStream, place: Span) -> TokenStream {
    let locate = |mut token: TokenTree| {
        token.set_span(token.span().located_at(place));
        token
    };
    tokens.clone().into_iter().map(locate).collect()
}
