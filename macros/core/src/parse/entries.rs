//! The grammar of `#[biz_attrs(…)]`, `attrs(…)` and `tag!(…)`: entries, separated by commas.
//!
//! ```text
//! entry := option* key "=" expression | option* ".." expression
//! ```

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, LitStr, Token};

use super::entry_options::{EntryOption, Form, entry_options};
use super::until_comma;

/// An entry: what it sets, and how.
pub(crate) struct Entry {
    pub(crate) options: Vec<EntryOption>,
    pub(crate) target: Target,
    pub(crate) value: Expr,
}

/// What an entry sets.
pub(crate) enum Target {
    /// `key = value`
    Key(Key),
    /// `..value`: all attributes that the value's type declares.
    Spread(Token![..]),
}

pub(crate) struct Key {
    /// Its segments joined by dots, without any `r#`.
    pub(crate) name: String,
    /// As written, for messages to point at.
    pub(crate) tokens: TokenStream,
    /// Written as a string literal, which may hold `-` too.
    pub(crate) quoted: bool,
}

impl Entry {
    /// The key, if it is not a spread.
    pub(crate) fn key(&self) -> Option<&Key> {
        match &self.target {
            Target::Key(key) => Some(key),
            Target::Spread(_) => None,
        }
    }

    /// Whether it is evaluated on the function's result.
    pub(crate) fn is_on_result(&self) -> bool {
        let on_result = |option: &EntryOption| matches!(option.form, Form::Result(..));
        self.options.iter().any(on_result)
    }
}

/// Reads entries up to the end of `input`. One that can't be read goes to `errors`, and reading goes on behind the next comma.
pub(crate) fn entries(input: ParseStream<'_>, errors: &mut Vec<Error>) -> Vec<Entry> {
    let mut entries = Vec::new();
    let all = input.fork();
    while !input.is_empty() {
        match entry(input, errors) {
            Ok(entry) => {
                if !input.is_empty() && !input.peek(Token![,]) {
                    errors.push(input.error(format!(
                        "put a comma before this: {} ends here",
                        entry.target.value_name()
                    )));
                }
                entries.push(entry);
            }
            Err(error) => {
                until_comma(input);
                errors.push(if input.is_empty() {
                    at_last_token(error, &all)
                } else {
                    error
                });
                continue;
            }
        }
        until_comma(input);
    }
    entries
}

/// What is missing at the end has no place of its own, and syn's is the whole attribute: it is behind the last token.
fn at_last_token(error: Error, all: ParseStream<'_>) -> Error {
    let message = error.to_string();
    let last = all
        .fork()
        .parse()
        .ok()
        .and_then(|all: TokenStream| all.into_iter().last());
    match last {
        // Within brackets the end has a place.
        Some(TokenTree::Group(_)) | None => error,
        Some(last) if message.contains("unexpected end of input") => {
            Error::new(last.span(), message)
        }
        Some(_) => error,
    }
}

fn entry(input: ParseStream<'_>, errors: &mut Vec<Error>) -> syn::Result<Entry> {
    let options = entry_options(input, errors)?;
    let target = if input.peek(Token![..]) {
        Target::Spread(input.parse()?)
    } else {
        Target::Key(key(input)?)
    };
    match &target {
        Target::Key(key) => {
            let equals = equals(input, key)?;
            if is_end(input) {
                let tokens = &key.tokens;
                return Err(key.without_value(quote!(#tokens #equals)));
            }
        }
        Target::Spread(dots) => {
            if is_end(input) {
                let message =
                    "`..` has no value: write `..expression`, of a type that derives `BizAttrs`";
                return Err(Error::new_spanned(dots, message));
            }
        }
    }
    let value = input.parse().map_err(|error: Error| {
        let value = target.value_name();
        Error::new(
            error.span(),
            format!("{value} is not a whole expression: {error}"),
        )
    })?;
    Ok(Entry {
        options,
        target,
        value,
    })
}

fn is_end(input: ParseStream<'_>) -> bool {
    input.is_empty() || input.peek(Token![,])
}

impl Target {
    fn value_name(&self) -> String {
        match self {
            Self::Key(key) => format!("the value of `{}`", key.name),
            Self::Spread(_) => "the value of `..`".into(),
        }
    }
}

fn key(input: ParseStream<'_>) -> syn::Result<Key> {
    if let Some(literal) = input.parse::<Option<LitStr>>()? {
        return Ok(Key::from(literal));
    }
    let mut key = Key {
        name: String::new(),
        tokens: TokenStream::new(),
        quoted: false,
    };
    loop {
        let Ok(segment) = input.call(Ident::parse_any) else {
            return Err(input.error(
                "expected a key: names joined by dots, such as `order.id`, or a string literal",
            ));
        };
        key.name += &segment.unraw().to_string();
        segment.to_tokens(&mut key.tokens);
        if !input.peek(Token![.]) {
            return Ok(key);
        }
        key.name.push('.');
        input.parse::<Token![.]>()?.to_tokens(&mut key.tokens);
    }
}

impl From<LitStr> for Key {
    fn from(literal: LitStr) -> Self {
        Self {
            name: literal.value(),
            tokens: literal.into_token_stream(),
            quoted: true,
        }
    }
}
/// The `=` behind `key`, or what stands in its place.
fn equals(input: ParseStream<'_>, key: &Key) -> syn::Result<Token![=]> {
    // Longest first: `peek` sees the `=` of `=>`, too.
    let wrong = if input.peek(Token![::]) {
        input.parse::<Token![::]>()?.into_token_stream()
    } else if input.peek(Token![:]) {
        input.parse::<Token![:]>()?.into_token_stream()
    } else if input.peek(Token![=>]) {
        input.parse::<Token![=>]>()?.into_token_stream()
    } else if input.peek(Token![==]) {
        input.parse::<Token![==]>()?.into_token_stream()
    } else if input.peek(Token![-]) {
        input.parse::<Token![-]>()?.into_token_stream()
    } else if input.peek(Token![=]) {
        return input.parse();
    } else {
        return Err(key.without_value(key.tokens.clone()));
    };
    let text = wrong.to_string();
    let fix = match text.as_str() {
        "::" => "the names of a key are joined by `.`, not `::`".to_owned(),
        "-" => {
            "a key with `-` in it is written as a string literal, such as `\"order-id\"`".to_owned()
        }
        _ => format!(
            "`=` stands between key and value, not `{text}`: write `{} = expression`",
            key.name
        ),
    };
    Err(Error::new_spanned(wrong, fix))
}

impl Key {
    fn without_value(&self, place: TokenStream) -> Error {
        Error::new_spanned(
            place,
            format!("`{0}` has no value: write `{0} = expression`", self.name),
        )
    }
}
