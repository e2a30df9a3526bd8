//! What `tracing` takes in these places, and what to write here instead.

use proc_macro2::{Punct, TokenStream};
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

/// Fields that set a property of the span in `tracing-opentelemetry`, and what sets it here.
const SPAN_FIELDS: [(&str, &str); 5] = [
    ("otel.kind", "write the option `kind = \"client\"`"),
    ("otel.name", "write the option `name = \"…\"`"),
    ("otel.status_code", NO_STATUS),
    ("otel.status_description", NO_STATUS),
    ("otel.status_message", NO_STATUS),
];

const NO_STATUS: &str =
    "an `Err`, or the condition of the option `err_if`, makes the status an error. Remove this";

/// Why `#[traced]` does not have the option of that name, written as `option`, if `tracing` has it.
pub(super) fn refusal_of_traced(name: &str, option: &TokenStream) -> Option<String> {
    let (_, advice, _) = OPTIONS.iter().find(|(it, ..)| *it == name)?;
    let fields = span_fields(option).map(|(field, advice)| format!(". `{field}`: {advice}"));
    let fields = fields.collect::<String>();
    Some(format!("`traced` has no option `{name}`: {advice}{fields}"))
}

/// Why `#[traced_handler]` does not have the option of that name, if `tracing` or `#[traced]` has it.
pub(super) fn refusal_of_traced_handler(name: &str, option: &TokenStream) -> Option<String> {
    // `attrs` is the `fields` of `#[traced]`.
    let key = if name == "attrs" { "fields" } else { name };
    let (_, _, advice) = OPTIONS.iter().find(|(it, ..)| *it == key)?;
    let fields = span_fields(option)
        .map(|(field, _)| format!(". `{field}`: the middleware sets it. Remove this"));
    let fields = fields.collect::<String>();
    Some(format!(
        "`traced_handler` has no option `{name}`: {advice}{fields}"
    ))
}

/// Those of [`SPAN_FIELDS`] that `option` names.
fn span_fields(option: &TokenStream) -> impl Iterator<Item = (&'static str, &'static str)> {
    let text = option.to_string().replace(char::is_whitespace, "");
    let fields = SPAN_FIELDS.into_iter();
    fields.filter(move |(field, _)| text.contains(&format!("{field}=")))
}

/// Why a key does not set what it sets in `tracing-opentelemetry`.
pub(crate) fn span_field(key: &str) -> Option<String> {
    let (field, advice) = SPAN_FIELDS.iter().find(|(field, _)| *field == key)?;
    Some(format!(
        "`{field}` sets a property of the span in `tracing-opentelemetry`, and here it would be a tag: {advice}"
    ))
}

/// The `%` or `?` that `tracing` has before a value.
pub(super) fn sigil(input: ParseStream<'_>) -> Option<Punct> {
    let is_sigil = input.peek(Token![%]) || input.peek(Token![?]);
    is_sigil.then(|| input.parse().ok())?
}

/// The error for `sigil` before the value of the key of that name.
pub(super) fn instead_of(sigil: &Punct, key: &str) -> Error {
    if let Some(message) = span_field(key) {
        return Error::new_spanned(sigil.to_token_stream(), message);
    }
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
