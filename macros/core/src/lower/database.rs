//! The span of a database's client, by the options `db` and `query`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::parse_quote_spanned;
use syn::spanned::Spanned;

use crate::parse::{Entry, QUERY_SUMMARY, QUERY_TEXT, SpanOptions};

/// What the site of a query's span has more than others: the summary, also as the name by the conventions unless there is one.
pub(super) fn on_site(options: &SpanOptions, private: &TokenStream) -> Option<TokenStream> {
    let query = options.query.as_ref()?;
    // Places rustc's error for a query that is no constant, or no text.
    let place = Span::mixed_site().located_at(query.span());
    // A constant, also if the query is one of a generic type.
    let summary = quote_spanned!(place=> const { &#private::QuerySummary::of(#query) });
    Some(match options.name {
        Some(_) => quote_spanned!(Span::mixed_site()=> .query(#summary)),
        None => quote_spanned!(Span::mixed_site()=> .named_by_query(#summary)),
    })
}

/// Has the query evaluated by rustc, and its summary recorded.
pub(super) fn finish(options: &mut SpanOptions) {
    let Some(query) = &options.query else { return };
    for entry in &mut options.attrs {
        if entry.key().is_some_and(|key| key.name == QUERY_TEXT) {
            entry.value = parse_quote_spanned!(query.span()=> const { #query });
        }
    }
    let place = Ident::new("query", Span::mixed_site());
    let summary = parse_quote_spanned!(place.span()=> __biztrace_site.query_summary());
    let entry = Entry::new(QUERY_SUMMARY, &place, summary);
    options.attrs.push(entry);
}
