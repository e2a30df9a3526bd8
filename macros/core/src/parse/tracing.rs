//! What `tracing` takes in these places, and what to write here instead.

use proc_macro2::Punct;
use quote::ToTokens;
use syn::parse::ParseStream;
use syn::{Error, Token};

/// Options of `#[tracing::instrument]`: the name, and the advice for `#[traced]` and for `#[traced_handler]`.
#[rustfmt::skip]
const OPTIONS: [(&str, &str, &str); 7] = [
    ("skip", NO_ARGUMENTS, NO_ARGUMENTS),
    ("skip_all", NO_ARGUMENTS, NO_ARGUMENTS),
    (
        "fields",
        "tags are entries. Write `attrs(order.id = id)`",
        "tags are entries of an attribute of their own. Write `#[biz_attrs(order.id = id)]`",
    ),
    ("level", NO_LEVEL, NO_LEVEL),
    ("target", NO_TARGET, NO_TARGET),
    (
        "ret",
        "a result is recorded by an entry. Write `attrs(#[ret(result)] #[debug] order.result = result)`",
        "a result is recorded by an entry. Write `#[biz_attrs(#[ok(order)] order.total = order.total)]`",
    ),
    (
        "follows_from",
        "such spans are links. Write `links = [span_context, …]`",
        "the request's span has no links. Write `#[traced(links = [span_context, …])]` on a function that the handler calls",
    ),
];

const NO_ARGUMENTS: &str = "an argument is recorded only if an entry names it. Remove this";
const NO_LEVEL: &str =
    "a span has no level, and the sampler decides whether it is recorded. Remove this";
const NO_TARGET: &str =
    "a span has no target, and `code.function.name` says where it is from. Remove this";

/// Why `#[traced]` does not have that option, if `tracing` has it.
pub(super) fn refusal_of_traced(name: &str) -> Option<String> {
    let (_, advice, _) = OPTIONS.iter().find(|(option, ..)| *option == name)?;
    Some(format!("`traced` has no option `{name}`: {advice}"))
}

/// Why `#[traced_handler]` does not have that option, if `tracing` or `#[traced]` has it.
pub(super) fn refusal_of_traced_handler(name: &str) -> Option<String> {
    // `attrs` is the `fields` of `#[traced]`.
    let option = if name == "attrs" { "fields" } else { name };
    let (_, _, advice) = OPTIONS.iter().find(|(it, ..)| *it == option)?;
    Some(format!("`traced_handler` has no option `{name}`: {advice}"))
}

/// The `%` or `?` that `tracing` has before a value.
pub(super) fn sigil(input: ParseStream<'_>) -> Option<Punct> {
    let is_sigil = input.peek(Token![%]) || input.peek(Token![?]);
    is_sigil.then(|| input.parse().ok())?
}

/// The error for `sigil` before the value of the key of that name.
pub(super) fn instead_of(sigil: &Punct, key: &str) -> Error {
    let option = if sigil.as_char() == '%' {
        "display"
    } else {
        "debug"
    };
    let message = format!(
        "`{sigil}` formats a value in `tracing`, and an entry has an option for it: write `#[{option}] {key} = expression`"
    );
    Error::new_spanned(sigil.to_token_stream(), message)
}
