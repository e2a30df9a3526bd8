//! The grammar of `#[biz_attrs(…)]`, `attrs(…)` and `tag!(…)`: entries, separated by commas.
//!
//! ```text
//! entry := option* key "=" expression | option* ".." expression
//! ```

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, Expr, LitStr, Token};

use super::tag_options::{Effect, Needs, TagOption, misplaced, options_of_entry};
use super::tokens::{is_comma, until_comma};
use super::tracing::{instead_of, sigil};

/// An entry: what it sets, and how.
pub(crate) struct Entry {
    pub(crate) options: Vec<TagOption>,
    /// Whether these are all of them. Otherwise the entry sets nothing, and its value only counts as used.
    pub(crate) has_all_options: bool,
    pub(crate) target: EntryTarget,
    pub(crate) value: Expr,
}

/// What an entry sets.
pub(crate) enum EntryTarget {
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
    /// The entry that an option written as `place` stands for.
    pub(crate) fn new(key: &str, place: &Ident, value: Expr) -> Self {
        let key = Key {
            name: key.to_owned(),
            tokens: place.to_token_stream(),
            quoted: false,
        };
        Self {
            options: Vec::new(),
            has_all_options: true,
            target: EntryTarget::Key(key),
            value,
        }
    }

    /// The key, if it is not a spread.
    pub(crate) fn key(&self) -> Option<&Key> {
        match &self.target {
            EntryTarget::Key(key) => Some(key),
            EntryTarget::Spread(_) => None,
        }
    }

    /// Its expressions: its condition, and its value.
    pub(crate) fn expressions(&self) -> impl Iterator<Item = &Expr> {
        let conditions = self.options.iter().filter_map(|it| match &it.effect {
            Effect::When(condition) => Some(condition),
            _ => None,
        });
        conditions.chain([&self.value])
    }

    /// Whether the function's body has to be wrapped for it.
    pub(crate) fn wraps_body(&self) -> bool {
        let needs_body = |option: &TagOption| option.row.meaning.needs == Needs::Body;
        self.is_on_result() || self.options.iter().any(needs_body)
    }

    /// Whether it is evaluated on the function's result.
    pub(crate) fn is_on_result(&self) -> bool {
        let on_result = |option: &TagOption| matches!(option.effect, Effect::OnResult(..));
        self.options.iter().any(on_result)
    }
}

/// Reads a list of entries. An entry that can't be read goes to `errors`, and reading continues behind the next comma.
pub(crate) fn entries(list: TokenStream, errors: &mut Vec<Error>) -> Vec<Entry> {
    let read = |input: ParseStream<'_>| Ok(separated(input, errors));
    read.parse2(with_comma(list)).unwrap_or_default()
}

/// Adds a comma in the place of the last token. Without it, syn reports what is missing at the end at the whole attribute.
fn with_comma(mut list: TokenStream) -> TokenStream {
    let place = match list.clone().into_iter().last() {
        None => return list,
        Some(last) if is_comma(&last) => return list,
        Some(TokenTree::Group(last)) => last.span_close(),
        Some(last) => last.span(),
    };
    list.extend(quote_spanned!(place=> ,));
    list
}

fn separated(input: ParseStream<'_>, errors: &mut Vec<Error>) -> Vec<Entry> {
    let mut entries = Vec::new();
    while !input.is_empty() {
        match entry(input, errors) {
            Ok(entry) => {
                if !input.peek(Token![,]) {
                    errors.push(input.error(format!(
                        "put a comma before this: {} ends here",
                        entry.target.value_name()
                    )));
                }
                entries.push(entry);
            }
            Err(error) => errors.push(error),
        }
        until_comma(input);
    }
    entries
}

fn entry(input: ParseStream<'_>, errors: &mut Vec<Error>) -> syn::Result<Entry> {
    let (options, has_all_options) = options_of_entry(input, errors)?;
    if let Some(sigil) = sigil(input) {
        return Err(instead_of(&sigil, &key(input)?.name));
    }
    let target = if input.peek(Token![..]) {
        EntryTarget::Spread(input.parse()?)
    } else {
        EntryTarget::Key(key(input)?)
    };
    match &target {
        EntryTarget::Key(key) => {
            let equals = equals(input, key)?;
            if input.peek(Token![,]) {
                let tokens = &key.tokens;
                return Err(key.without_value(quote!(#tokens #equals)));
            }
            errors.extend(key.not_equals(equals));
            if let Some(sigil) = sigil(input) {
                return Err(instead_of(&sigil, &key.name));
            }
        }
        EntryTarget::Spread(dots) => {
            if input.peek(Token![,]) {
                let message =
                    "`..` has no value: write `..expression`, whose type derives `BizAttrs`";
                return Err(Error::new_spanned(dots, message));
            }
        }
    }
    if let Some(error) = misplaced(input, &target.written())? {
        return Err(error);
    }
    let value = input.parse().map_err(|error: Error| {
        let value = target.value_name();
        Error::new(
            error.span(),
            format!("{value} is not a complete expression: {error}"),
        )
    })?;
    Ok(Entry {
        options,
        has_all_options,
        target,
        value,
    })
}

impl EntryTarget {
    fn value_name(&self) -> String {
        match self {
            Self::Key(key) => format!("the value of `{}`", key.name),
            Self::Spread(_) => "the value of `..`".into(),
        }
    }

    /// What stands before its value.
    fn written(&self) -> String {
        match self {
            Self::Key(key) => format!("{} = ", key.name),
            Self::Spread(_) => "..".into(),
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

/// The `=` behind `key`, or another separator that reading can continue behind.
fn equals(input: ParseStream<'_>, key: &Key) -> syn::Result<TokenStream> {
    // Longest first: `peek` sees the `=` of `=>`, too.
    if input.peek(Token![::]) {
        let message = "the names of a key are joined by `.`, not `::`";
        Err(Error::new_spanned(input.parse::<Token![::]>()?, message))
    } else if input.peek(Token![-]) {
        let message =
            "a key that contains `-` is written as a string literal, such as `\"order-id\"`";
        Err(Error::new_spanned(input.parse::<Token![-]>()?, message))
    } else if input.peek(Token![:]) {
        let colon = input.parse::<Token![:]>()?.into_token_stream();
        input.parse::<Option<Token![=]>>()?;
        Ok(colon)
    } else if input.peek(Token![=>]) {
        Ok(input.parse::<Token![=>]>()?.into_token_stream())
    } else if input.peek(Token![==]) {
        Ok(input.parse::<Token![==]>()?.into_token_stream())
    } else if input.peek(Token![=]) {
        Ok(input.parse::<Token![=]>()?.into_token_stream())
    } else {
        Err(key.without_value(key.tokens.clone()))
    }
}

impl Key {
    fn without_value(&self, place: TokenStream) -> Error {
        Error::new_spanned(
            place,
            format!("`{0}` has no value: write `{0} = expression`", self.name),
        )
    }

    /// The error for `written` between key and value, if it is not `=`.
    fn not_equals(&self, written: TokenStream) -> Option<Error> {
        let text = written.to_string();
        (text != "=").then(|| {
            let message = format!(
                "expected `=` between key and value, found `{text}`: write `{} = expression`",
                self.name
            );
            Error::new_spanned(written, message)
        })
    }
}
