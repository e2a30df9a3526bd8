//! `header("…")`, `query("…")`, `cookie("…")` and `baggage("…")` in a value: what they are on tokens, and what becomes of them.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::{Error, Lit, LitStr, Path};

use crate::names::Names;

/// The first of them in `expression`.
pub(crate) fn first(expression: impl ToTokens) -> Option<Ident> {
    let mut found = None;
    on_head(expression.into_token_stream(), &mut found);
    found
}

/// What reads the request.
pub(crate) const READERS: [&str; 4] = ["header", "query", "cookie", "baggage"];

/// Turns `header("…")` and its like into methods of the request's head, and notes the first.
///
/// On tokens, so that they work within the arguments of any macro too. `req.header("…")` and `m::query("…")` are the user's own.
pub(crate) fn on_head(tokens: TokenStream, found: &mut Option<Ident>) -> TokenStream {
    each_call(tokens, &mut |name, argument| {
        let is_reader = one_string(argument).is_some();
        if is_reader {
            found.get_or_insert_with(|| name.clone());
        }
        is_reader
    })
}

/// The error for one that can't be read: by a name that is no string literal, or by one that no header has.
/// One of `arguments` is none of them.
pub(crate) fn unreadable(expression: impl ToTokens, arguments: &Names) -> Option<Error> {
    let mut error = None;
    each_call(expression.into_token_stream(), &mut |name, argument| {
        let message = match one_string(argument) {
            Some(literal) if name == "header" && !is_token(&literal.value()) => format!(
                "`{}` can't be a header's name, which is of letters, digits and `-`",
                literal.value()
            ),
            Some(literal) if name == "baggage" && !is_token(&literal.value()) => format!(
                "`{}` can't be a key of baggage, which is of letters, digits, `.`, `_` and `-`",
                literal.value()
            ),
            None if is_constant(argument) && !arguments.0.contains(name) => format!(
                "`{name}(…)` of the request takes a string literal, such as `{name}(\"tenant\")`: write it, or `({name})(…)` \
                 for a function of yours"
            ),
            _ => return false,
        };
        error.get_or_insert_with(|| Error::new_spanned(argument.stream(), message));
        false
    });
    error
}

/// Has a method of the request's head called in place of what looks like one of them, where `is_reader` says so.
fn each_call(
    tokens: TokenStream,
    is_reader: &mut dyn FnMut(&Ident, &Group) -> bool,
) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let mut qualified = false;
    let mut last: Option<Punct> = None;
    while let Some(token) = tokens.next() {
        if let (TokenTree::Ident(name), Some(TokenTree::Group(argument))) = (&token, tokens.peek())
            && !qualified
            && READERS.iter().any(|it| name == it)
            && argument.delimiter() == Delimiter::Parenthesis
            && is_reader(name, argument)
        {
            output.extend(quote_spanned!(Span::mixed_site().located_at(name.span())=> __head.));
        }
        (qualified, last) = match &token {
            TokenTree::Punct(punct) => (qualifies(last.as_ref(), punct), Some(punct.clone())),
            _ => (false, None),
        };
        output.extend([match token {
            TokenTree::Group(group) => {
                let inner = each_call(group.stream(), is_reader);
                let mut inner = Group::new(group.delimiter(), inner);
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        }]);
    }
    output
}

fn one_string(argument: &Group) -> Option<LitStr> {
    syn::parse2(argument.stream()).ok()
}

/// Whether it is what a name may be written as by mistake: a constant, or another literal.
fn is_constant(argument: &Group) -> bool {
    let constant = |path: Path| {
        let name = path.segments.last().map(|it| it.ident.to_string());
        name.is_some_and(|name| {
            name.contains(char::is_uppercase) && !name.contains(char::is_lowercase)
        })
    };
    syn::parse2(argument.stream()).is_ok_and(constant)
        || syn::parse2::<Lit>(argument.stream()).is_ok()
}

/// Whether it is a token as HTTP has it.
fn is_token(name: &str) -> bool {
    let is_octet = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_octet)
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
