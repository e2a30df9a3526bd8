//! The span of a database's client, by the options `db` and `query`.

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::parse_quote_spanned;
use syn::spanned::Spanned;

use crate::parse::{Entry, SpanOptions};

/// The span's name by the conventions: the query's summary, or else the database system.
pub(super) fn name(options: &SpanOptions, private: &TokenStream) -> Option<TokenStream> {
    let db = options.db.as_ref()?;
    Some(match summary(options, private) {
        Some(summary) => quote_spanned!(Span::mixed_site()=> #summary.or(#db)),
        None => db.into_token_stream(),
    })
}

/// The entry of the query's summary.
pub(super) fn summary_entry(options: &SpanOptions, private: &TokenStream) -> Option<Entry> {
    let summary = summary(options, private)?;
    let place = syn::Ident::new("query", Span::mixed_site());
    let value = parse_quote_spanned!(Span::mixed_site()=> #summary.get());
    Some(Entry::new("db.query.summary", &place, value))
}

/// A constant, also if the query is one of a generic type.
fn summary(options: &SpanOptions, private: &TokenStream) -> Option<TokenStream> {
    let query = options.query.as_ref()?;
    // Places rustc's error for a query that is no constant, or no text.
    let place = Span::mixed_site().located_at(query.span());
    Some(quote_spanned!(place=> const { &#private::QuerySummary::of(#query) }))
}
