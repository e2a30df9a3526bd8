//! What an entry sets, and how.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::spanned::Spanned;
use syn::{LitInt, LitStr, Pat};

use crate::parse::{Entry, EntryOption, Form, Part, Target};
use crate::readers::on_head;

/// Tags that are set together.
pub(crate) struct TagPlan {
    pub(crate) tags: Vec<Tag>,
    /// Whether one of them reads from the request.
    pub(crate) reads_head: bool,
}

pub(crate) struct Tag {
    /// The part of the result that it is evaluated on.
    pub(crate) on_result: Option<(Part, Pat)>,
    pub(crate) when: Option<TokenStream>,
    pub(crate) what: What,
    pub(crate) value: TokenStream,
    /// The first and the last of the value's tokens.
    pub(crate) place: [Span; 2],
}

pub(crate) enum What {
    Key {
        key: LitStr,
        inherit: bool,
        baggage: bool,
        /// What the value is wrapped in, from the inside out.
        wrappers: Vec<Wrapper>,
    },
    Spread,
    /// Nothing, beside a mistake: the value counts as used.
    Nothing,
    /// A field of a type with attributes of its own, and what their keys begin with.
    Nested {
        prefix: Option<LitStr>,
    },
}

/// A type of `__private` around a value, and the number that it takes.
pub(crate) struct Wrapper {
    pub(crate) name: Ident,
    pub(crate) number: Option<LitInt>,
}

impl TagPlan {
    pub(crate) fn new(entries: Vec<Entry>) -> Self {
        let mut found = None;
        let tag = |entry: Entry| {
            let Entry {
                options,
                has_all_options,
                target,
                value,
            } = entry;
            let place = ends(value.to_token_stream());
            let value = on_head(value.into_token_stream(), &mut found);
            let what = match target {
                _ if !has_all_options => What::Nothing,
                Target::Key(key) => What::key(LitStr::new(&key.name, key.tokens.span()), &options),
                Target::Spread(_) => What::Spread,
            };
            let (mut when, mut on_result) = (None, None);
            for EntryOption { form, .. } in options {
                match form {
                    Form::When(condition) => {
                        when = Some(on_head(condition.into_token_stream(), &mut found));
                    }
                    Form::Result(part, pattern) => on_result = Some((part, pattern)),
                    _ => {}
                }
            }
            Tag {
                on_result,
                when,
                what,
                value,
                place,
            }
        };
        Self {
            tags: entries.into_iter().map(tag).collect(),
            reads_head: found.is_some(),
        }
    }
}

impl What {
    /// The value is formatted first, then masked, cut and hashed, in whatever order the options are written: the last characters
    /// of a cut value are others than those that a mask lets be shown.
    pub(crate) fn key(key: LitStr, options: &[EntryOption]) -> Self {
        let mut wrappers: Vec<(u8, Wrapper)> = Vec::new();
        let (mut inherit, mut baggage) = (false, false);
        for EntryOption { form, .. } in options {
            let (order, name, number) = match form {
                Form::Display => (0, "Display", None),
                Form::Debug => (0, "Debug", None),
                Form::Mask(number) => (1, "Mask", Some(number.clone())),
                Form::MaxLen(number) => (2, "MaxLen", Some(number.clone())),
                Form::Hash => (3, "Hash", None),
                Form::Pii => (3, "Pii", None),
                Form::Inherit => {
                    inherit = true;
                    continue;
                }
                Form::Baggage => {
                    baggage = true;
                    continue;
                }
                Form::When(_) | Form::Result(..) => continue,
            };
            let name = format_ident!("{name}");
            wrappers.push((order, Wrapper { name, number }));
        }
        wrappers.sort_by_key(|(order, _)| *order);
        Self::Key {
            key,
            inherit,
            baggage,
            wrappers: wrappers.into_iter().map(|(_, wrapper)| wrapper).collect(),
        }
    }
}

/// Where an expression starts and ends.
pub(crate) fn ends(tokens: TokenStream) -> [Span; 2] {
    let mut spans = tokens.into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    [first, spans.last().unwrap_or(first)]
}
