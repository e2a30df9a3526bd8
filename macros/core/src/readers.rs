//! `header("…")`, `query("…")` and `cookie("…")` in a value: what they are on tokens, and what becomes of them.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::LitStr;

/// The first of them in `expression`.
pub(crate) fn first(expression: impl ToTokens) -> Option<Ident> {
    let mut found = None;
    on_head(expression.into_token_stream(), &mut found);
    found
}

/// Turns `header("…")`, `query("…")` and `cookie("…")` into methods of the request's head, and notes the first.
///
/// On tokens, so that they work within the arguments of any macro too. `req.header("…")` and `m::query("…")` are the user's own.
pub(crate) fn on_head(tokens: TokenStream, found: &mut Option<Ident>) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let mut qualified = false;
    let mut last: Option<Punct> = None;
    while let Some(token) = tokens.next() {
        if let TokenTree::Ident(name) = &token
            && !qualified
            && is_reader(name)
            && tokens.peek().is_some_and(is_one_string)
        {
            found.get_or_insert_with(|| name.clone());
            output.extend(quote_spanned!(Span::mixed_site().located_at(name.span())=> __head.));
        }
        (qualified, last) = match &token {
            TokenTree::Punct(punct) => (qualifies(last.as_ref(), punct), Some(punct.clone())),
            _ => (false, None),
        };
        output.extend([match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), on_head(group.stream(), found));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        }]);
    }
    output
}

fn is_reader(name: &Ident) -> bool {
    ["header", "query", "cookie"]
        .iter()
        .any(|reader| name == reader)
}

/// `("…")`
fn is_one_string(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else {
        return false;
    };
    group.delimiter() == Delimiter::Parenthesis && syn::parse2::<LitStr>(group.stream()).is_ok()
}

/// Whether a name behind `punct` belongs to what is before it: `.` and `::` do that, `..` and `:` don't.
fn qualifies(last: Option<&Punct>, punct: &Punct) -> bool {
    let doubled = last
        .is_some_and(|last| last.as_char() == punct.as_char() && last.spacing() == Spacing::Joint);
    match punct.as_char() {
        '.' => !doubled,
        ':' => doubled,
        _ => false,
    }
}
