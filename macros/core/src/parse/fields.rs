//! `#[biz(…)]`, on the types that the derives serve and on their fields and variants.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, LitStr, Meta, Path, Token};

use super::entry_options::{EntryOption, entry_option, is_option, names};
use super::similar::hint;
use super::{crate_path, is_written, until_comma};

/// What one or several `#[biz(…)]` say together.
#[derive(Default)]
pub(crate) struct Biz {
    /// Where there is a `#[biz]`: the first.
    pub(crate) place: Option<Span>,
    /// `name = "text"`, in order.
    pub(crate) texts: Vec<(Ident, LitStr)>,
    /// Bare names: `nested`, `skip`.
    pub(crate) flags: Vec<Ident>,
    pub(crate) options: Vec<EntryOption>,
    pub(crate) krate: Option<Path>,
}

/// What may stand in `#[biz(…)]` at a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Allowed {
    /// What it stands on, for messages.
    pub(crate) on: &'static str,
    pub(crate) texts: &'static [&'static str],
    pub(crate) flags: &'static [&'static str],
    /// Whether options of entries may.
    pub(crate) options: bool,
    /// Whether `crate = path` may.
    pub(crate) krate: bool,
}

impl Biz {
    /// The text of that name.
    pub(crate) fn text(&self, name: &str) -> Option<&LitStr> {
        let text = self.texts.iter().find(|(other, _)| other == name);
        text.map(|(_, text)| text)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<&Ident> {
        self.flags.iter().find(|flag| *flag == name)
    }

    /// Reads the `#[biz(…)]` among `attrs`. What can't be read goes to `errors`.
    pub(crate) fn parse(attrs: &[Attribute], allowed: Allowed, errors: &mut Vec<Error>) -> Self {
        let mut biz = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("biz")) {
            biz.place.get_or_insert(attr.pound_token.span);
            match &attr.meta {
                Meta::Path(_) => {}
                Meta::List(list) => {
                    let read = |input: ParseStream<'_>| {
                        biz.read(input, allowed, errors);
                        Ok(())
                    };
                    if let Err(error) = read.parse2(list.tokens.clone()) {
                        errors.push(error);
                    }
                }
                Meta::NameValue(value) => errors.push(Error::new_spanned(
                    value,
                    "`#[biz]` takes its options in parentheses: `#[biz(…)]`",
                )),
            }
        }
        biz
    }

    fn read(&mut self, input: ParseStream<'_>, allowed: Allowed, errors: &mut Vec<Error>) {
        while !input.is_empty() {
            let start = input.span();
            let option = until_comma(input);
            let mut tokens = option.clone().into_iter();
            let Some(TokenTree::Ident(name)) = tokens.next() else {
                let message = format!("expected an option: {}", allowed.listed());
                errors.push(Error::new(start, message));
                continue;
            };
            if let Err(error) = self.option(name, tokens.collect(), allowed, &option) {
                errors.push(error);
            }
        }
    }

    fn option(
        &mut self,
        name: Ident,
        value: TokenStream,
        allowed: Allowed,
        whole: &TokenStream,
    ) -> syn::Result<()> {
        let text = name.unraw().to_string();
        let written = |form: &str| {
            let message = is_written(&name, form) + ", with a comma before the next option";
            Error::new_spanned(whole, message)
        };
        if allowed.krate && text == "crate" {
            let path = crate_path.parse2(value);
            self.krate = Some(path.map_err(|_| written("crate = path::to::biztrace"))?);
        } else if allowed.texts.contains(&text.as_str()) {
            let literal = |input: ParseStream<'_>| {
                input.parse::<Token![=]>()?;
                input.parse()
            };
            let literal = literal.parse2(value);
            let literal = literal.map_err(|_| written(&format!("{text} = \"…\"")))?;
            if self.text(&text).is_some() {
                return Err(twice(&name));
            }
            self.texts.push((name, literal));
        } else if allowed.flags.contains(&text.as_str()) {
            if !value.is_empty() {
                return Err(written(&text));
            }
            if self.flag(&text).is_some() {
                return Err(twice(&name));
            }
            self.flags.push(name);
        } else if allowed.options && is_option(&name) {
            self.options.push(entry_option(name, value)?);
        } else {
            let options = names().filter(|_| allowed.options);
            let known = allowed.texts.iter().chain(allowed.flags).copied();
            let hint = hint(&text, known.chain(options));
            let message = format!(
                "`#[biz]` on {} has no option `{name}`{hint} It takes {}",
                allowed.on,
                allowed.listed()
            );
            return Err(Error::new(name.span(), message));
        }
        Ok(())
    }
}

fn twice(name: &Ident) -> Error {
    let message = format!("`{name}` is set twice: keep one of the two");
    Error::new(name.span(), message)
}

impl Allowed {
    fn listed(self) -> String {
        let texts = self.texts.iter().map(|text| format!("`{text} = \"…\"`"));
        let flags = self.flags.iter().map(|flag| format!("`{flag}`"));
        let options = self.options.then(|| {
            "the options of an attribute: `hash`, `mask(4)`, `pii`, `inherit`, `baggage`, `display`, `debug`, `max_len(64)`, `when(condition)`"
                .to_owned()
        });
        let krate = self.krate.then(|| "`crate = path`".to_owned());
        let all: Vec<String> = texts.chain(flags).chain(krate).chain(options).collect();
        all.join(", ")
    }
}
