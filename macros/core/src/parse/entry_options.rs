//! The options of an entry: `#[mask(4)]` before it, or `mask(4)` within a field's `#[biz(…)]`.

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, LitInt, Pat, Token, bracketed, parenthesized};

use super::similar::hint;
use super::{is_comma, is_written, until_comma};

/// An option, with its name as it was written.
pub(crate) struct EntryOption {
    pub(crate) name: Ident,
    pub(crate) form: Form,
}

pub(crate) enum Form {
    /// Only if the condition holds.
    When(Expr),
    /// Evaluated on the function's result, where it matches the pattern.
    Result(Part, Pat),
    Display,
    Debug,
    /// Cut to that number of characters.
    MaxLen(LitInt),
    Hash,
    /// All but the last characters, of that number, are hidden.
    Mask(LitInt),
    Pii,
    Inherit,
    /// The value travels to the services that are called.
    Baggage,
}

/// What of a result a pattern is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Part {
    Ok,
    Err,
    Ret,
}

type Read = fn(ParseStream<'_>) -> syn::Result<Form>;

/// Each option: its name, how it is written, and how what follows the name is read.
const OPTIONS: [(&str, &str, Read); 12] = [
    ("hash", "hash", |_| Ok(Form::Hash)),
    ("mask", "mask(4)", |input| argument(input).map(Form::Mask)),
    ("pii", "pii", |_| Ok(Form::Pii)),
    ("inherit", "inherit", |_| Ok(Form::Inherit)),
    ("baggage", "baggage", |_| Ok(Form::Baggage)),
    ("when", "when(condition)", |input| {
        argument(input).map(Form::When)
    }),
    ("ok", "ok(pattern)", |input| on_result(input, Part::Ok)),
    ("err", "err(pattern)", |input| on_result(input, Part::Err)),
    ("ret", "ret(pattern)", |input| on_result(input, Part::Ret)),
    ("display", "display", |_| Ok(Form::Display)),
    ("debug", "debug", |_| Ok(Form::Debug)),
    ("max_len", "max_len(64)", |input| {
        argument(input).map(Form::MaxLen)
    }),
];

/// Options that this version does not have yet.
const LATER: [&str; 2] = ["log", "metric"];

fn argument<T: syn::parse::Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    let argument;
    parenthesized!(argument in input);
    let parsed = argument.parse()?;
    argument.parse::<syn::parse::Nothing>()?;
    Ok(parsed)
}

fn on_result(input: ParseStream<'_>, part: Part) -> syn::Result<Form> {
    let pattern;
    parenthesized!(pattern in input);
    let parsed = Pat::parse_multi_with_leading_vert(&pattern)?;
    pattern.parse::<syn::parse::Nothing>()?;
    Ok(Form::Result(part, parsed))
}

/// Reads the options before an entry, and says whether these are all. One that can't be read goes to `errors`.
pub(super) fn entry_options(
    input: ParseStream<'_>,
    errors: &mut Vec<Error>,
) -> syn::Result<(Vec<EntryOption>, bool)> {
    let mut options = Vec::new();
    let mut are_all = true;
    while input.peek(Token![#]) {
        let hash: Token![#] = input.parse()?;
        let content;
        let brackets = bracketed!(content in input);
        let written: TokenStream = content.fork().parse()?;
        if let Some(comma) = written.clone().into_iter().find(is_comma) {
            let message = "each option stands in brackets of its own, as in `#[hash] #[inherit] order.id = id`";
            errors.push(Error::new(comma.span(), message));
        }
        let read = |input: ParseStream<'_>| {
            let name = input.call(Ident::parse_any);
            let name = name.map_err(|_| {
                let mut place = quote!(#hash);
                brackets.surround(&mut place, |tokens| written.to_tokens(tokens));
                Error::new_spanned(place, format!("expected an option: {}", listed()))
            })?;
            entry_option(name, input.parse()?)
        };
        loop {
            match read.parse2(until_comma(&content)) {
                Ok(option) => options.push(option),
                Err(error) => {
                    are_all = false;
                    errors.push(error);
                }
            }
            if content.is_empty() {
                break;
            }
        }
    }
    Ok((options, are_all))
}

/// The names of all options.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(name, ..)| *name)
}

/// Whether it is the name of an option, in this version or a later one.
pub(super) fn is_option(name: &Ident) -> bool {
    OPTIONS.iter().any(|(option, ..)| name == option) || LATER.iter().any(|later| name == later)
}

/// Reads an option: its name, and what follows it.
pub(super) fn entry_option(name: Ident, argument: TokenStream) -> syn::Result<EntryOption> {
    let text = name.unraw().to_string();
    let Some((_, written, read)) = OPTIONS.iter().find(|(option, ..)| text == *option) else {
        let message = if LATER.contains(&text.as_str()) {
            format!("`{name}` is not there yet: it comes with a later version of biztrace")
        } else {
            let hint = hint(&text, OPTIONS.map(|(option, ..)| option));
            format!("there is no option `{name}`{hint} There are {}", listed())
        };
        return Err(Error::new(name.span(), message));
    };
    match read.parse2(argument.clone()) {
        Ok(form) => Ok(EntryOption { name, form }),
        Err(_) => Err(Error::new_spanned(
            quote!(#name #argument),
            is_written(&name, written),
        )),
    }
}

fn listed() -> String {
    OPTIONS
        .map(|(_, written, _)| format!("`{written}`"))
        .join(", ")
}
