//! The request readers in a value: `header("…")`, `query("…")`, `cookie("…")` and `baggage("…")`, found on tokens.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::parse::{ParseStream, Parser};
use syn::{Error, Lit, LitStr, Path, Token};

use crate::names::Names;
use crate::parse::similar::meant;

/// The name of the first reader in `expression`.
pub(crate) fn first(expression: impl ToTokens) -> Option<Ident> {
    let mut found = None;
    to_head_methods(expression.into_token_stream(), &mut found);
    found
}

/// The names of the readers.
pub(crate) const READERS: [&str; 4] = ["header", "query", "cookie", "baggage"];

/// Turns readers into methods of the request's head, and stores the first one's name in `found`.
///
/// On tokens, readers work within the arguments of any macro too. `req.header("…")` and `m::query("…")` are the user's own.
pub(crate) fn to_head_methods(tokens: TokenStream, found: &mut Option<Ident>) -> TokenStream {
    each_call(tokens, &mut |name, argument| {
        let is_reader = is_reader(name) && one_string(argument).is_some();
        if is_reader {
            found.get_or_insert_with(|| name.clone());
        }
        is_reader
    })
}

/// The reader whose name a call of another function may misspell, such as `query` for `querry("a")`.
///
/// Only rustc knows whether that function exists. `None` if `expression` uses the reader's name for something else.
pub(crate) fn misspelt(expression: TokenStream) -> Option<Ident> {
    let mut found = None;
    each_call(expression.clone(), &mut |name, argument| {
        let meant = meant(&name.to_string(), READERS).filter(|_| !is_reader(name));
        if let Some(reader) = meant.filter(|_| one_string(argument).is_some()) {
            found.get_or_insert_with(|| Ident::new(reader, name.span()));
        }
        false
    });
    found.filter(|reader| !mentions(expression, &reader.to_string()))
}

/// Whether `name` occurs in `tokens`, also as an argument that a format string captures.
fn mentions(tokens: TokenStream, name: &str) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Ident(ident) => ident == name,
        TokenTree::Group(group) => mentions(group.stream(), name),
        TokenTree::Literal(literal) => literal.to_string().contains(&format!("{{{name}")),
        TokenTree::Punct(_) => false,
    })
}

fn is_reader(name: &Ident) -> bool {
    READERS.iter().any(|reader| name == reader)
}

/// The error for a reader without a string literal, or with a name that no header has. A function among `arguments` is not a
/// reader.
pub(crate) fn unreadable(expression: impl ToTokens, arguments: &Names) -> Option<Error> {
    let mut error = None;
    each_call(expression.into_token_stream(), &mut |name, argument| {
        if !is_reader(name) {
            return false;
        }
        let message = match one_string(argument) {
            Some(literal) if name == "header" && !is_token(&literal.value()) => format!(
                "`{}` is not a valid header name: use letters, digits and `-`",
                literal.value()
            ),
            Some(literal) if name == "baggage" && !is_token(&literal.value()) => format!(
                "`{}` is not a valid baggage key: use letters, digits, `.`, `_` and `-`",
                literal.value()
            ),
            None if is_constant(argument) && !arguments.0.contains(name) => format!(
                "`{name}(…)` reads the request and takes a string literal, such as `{name}(\"tenant\")`. To call a function \
                 of your own, write `({name})(…)`"
            ),
            _ => return false,
        };
        error.get_or_insert_with(|| Error::new_spanned(argument.stream(), message));
        false
    });
    error
}

/// The parameters that `query("…")` reads in an expression.
pub(crate) fn parameters(expression: TokenStream) -> Vec<LitStr> {
    let mut parameters = Vec::new();
    each_call(expression, &mut |name, argument| {
        if name == "query" {
            parameters.extend(one_string(argument));
        }
        false
    });
    parameters
}

/// Replaces each call by its name by a method of the request's head, if `reads` returns `true` for it.
fn each_call(tokens: TokenStream, reads: &mut dyn FnMut(&Ident, &Group) -> bool) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let mut qualified = false;
    let mut last: Option<Punct> = None;
    while let Some(token) = tokens.next() {
        if let (TokenTree::Ident(name), Some(TokenTree::Group(argument))) = (&token, tokens.peek())
            && !qualified
            && argument.delimiter() == Delimiter::Parenthesis
            && reads(name, argument)
        {
            output.extend(quote_spanned!(Span::mixed_site().located_at(name.span())=> __head.));
        }
        (qualified, last) = match &token {
            TokenTree::Punct(punct) => (qualifies(last.as_ref(), punct), Some(punct.clone())),
            _ => (false, None),
        };
        output.extend([match token {
            TokenTree::Group(group) => {
                let inner = each_call(group.stream(), reads);
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

/// Whether an argument is a constant, or a literal that is not a string: likely mistakes for a name.
fn is_constant(argument: &Group) -> bool {
    let constant = |argument: ParseStream<'_>| {
        argument.parse::<Option<Token![&]>>()?;
        let path: Path = argument.parse()?;
        let name = path.segments.last().map(|it| it.ident.to_string());
        Ok(name.is_some_and(|name| {
            name.contains(char::is_uppercase) && !name.contains(char::is_lowercase)
        }))
    };
    constant.parse2(argument.stream()).unwrap_or(false)
        || syn::parse2::<Lit>(argument.stream()).is_ok()
}

/// Whether a name is a token by HTTP's grammar.
fn is_token(name: &str) -> bool {
    let is_octet = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !name.is_empty() && name.bytes().all(is_octet)
}

/// Whether a name behind `punct` belongs to the tokens before it: behind `.` and `::` it does, behind `..` and `:` not.
fn qualifies(last: Option<&Punct>, punct: &Punct) -> bool {
    let doubled = last
        .is_some_and(|last| last.as_char() == punct.as_char() && last.spacing() == Spacing::Joint);
    match punct.as_char() {
        '.' => !doubled,
        ':' => doubled,
        _ => false,
    }
}
