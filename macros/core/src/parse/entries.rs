//! The grammar of `#[biz_attrs(…)]` and of `attrs(…)`: `key = expression`, separated by commas.

use proc_macro2::{Group, Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, LitStr, Token};

use super::until_comma;

/// `key = value`.
pub(crate) struct Entry {
    pub(crate) key: Key,
    pub(crate) value: Expr,
}

pub(crate) struct Key {
    /// Its segments joined by dots, without any `r#`.
    pub(crate) name: String,
    /// As written, for messages to point at.
    pub(crate) tokens: TokenStream,
    /// Written as a string literal, which may hold `-` too.
    pub(crate) quoted: bool,
}

/// Reads entries up to the end of `input`. One that can't be read goes to `errors`, and reading goes on behind the next comma.
pub(super) fn entries(input: ParseStream<'_>, errors: &mut Vec<Error>) -> Vec<Entry> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        match entry(input) {
            Ok(entry) => {
                if !input.is_empty() && !input.peek(Token![,]) {
                    let message = format!(
                        "put a comma before this: the value of `{}` ends here",
                        entry.key.name
                    );
                    errors.push(input.error(message));
                }
                entries.push(entry);
            }
            Err(error) => errors.push(error),
        }
        until_comma(input);
    }
    entries
}

fn entry(input: ParseStream<'_>) -> syn::Result<Entry> {
    refuse_unsupported(input)?;
    let key = key(input)?;
    let equals = equals(input, &key)?;
    if input.is_empty() || input.peek(Token![,]) {
        let tokens = &key.tokens;
        return Err(key.without_value(quote!(#tokens #equals)));
    }
    let value = input.parse().map_err(|error: Error| {
        Error::new(
            error.span(),
            format!(
                "the value of `{}` is not a whole expression: {error}",
                key.name
            ),
        )
    })?;
    Ok(Entry { key, value })
}

/// Entries of another form than `key = expression`, which other tracing macros have.
fn refuse_unsupported(input: ParseStream<'_>) -> syn::Result<()> {
    const FORM: &str = "is not supported here: an entry is `key = expression`";
    if input.peek(Token![#]) {
        let hash: Token![#] = input.parse()?;
        let option: Group = input.parse()?;
        let name = option.stream().into_iter().next();
        let message = format!("`#[{}]` {FORM}", name.to_token_stream());
        return Err(Error::new_spanned(quote!(#hash #option), message));
    }
    if input.peek(Token![..]) {
        let dots: Token![..] = input.parse()?;
        return Err(Error::new_spanned(dots, format!("`..` {FORM}")));
    }
    Ok(())
}

fn key(input: ParseStream<'_>) -> syn::Result<Key> {
    if let Some(literal) = input.parse::<Option<LitStr>>()? {
        return Ok(Key {
            name: literal.value(),
            tokens: literal.into_token_stream(),
            quoted: true,
        });
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
