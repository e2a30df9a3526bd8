//! Tags: what an entry sets, and how.

use std::mem;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident};
use syn::spanned::Spanned;
use syn::{LitInt, LitStr, Pat};

use crate::destination::Destinations;
use crate::parse::{Effect, Entry, EntryTarget, ResultArm, TagOption};
use crate::readers::{misspelt, to_head_methods};

use super::private_url::{PrivateUrl, UrlArguments, is_conditional_spread, protects};

/// Tags that are set together.
pub(crate) struct TagPlan {
    pub(crate) tags: Vec<Tag>,
    /// Whether one of them reads from the request.
    pub(crate) reads_head: bool,
    /// What the protected ones are made of.
    pub(crate) private_url: PrivateUrl,
}

pub(crate) struct Tag {
    /// The results that it is evaluated on.
    pub(crate) on_result: Option<(ResultArm, Pat)>,
    pub(crate) when: Option<TokenStream>,
    pub(crate) target: TagTarget,
    pub(crate) value: TokenStream,
    /// The first and the last of the value's tokens.
    pub(crate) place: [Span; 2],
    /// A reader that a function in the value may be meant for.
    pub(crate) misspelt: Option<Ident>,
}

/// What a tag sets.
pub(crate) enum TagTarget {
    Key {
        key: LitStr,
        /// The places that the attribute goes to, beside its span.
        destinations: Destinations,
        /// The types that wrap the value, from the inside out.
        wrappers: Vec<Wrapper>,
    },
    /// The attributes of a type, and the parts of the URL that it is made of.
    Spread(PrivateUrl),
    /// Nothing, since its entry has a mistake: the value counts as used.
    Nothing,
    /// The attributes of a field's own type, with a prefix before their keys.
    Nested { prefix: Option<LitStr> },
}

/// A type of `__private` around a value, and the number that it takes.
pub(crate) struct Wrapper {
    pub(crate) name: Ident,
    pub(crate) number: Option<LitInt>,
}

impl TagPlan {
    pub(crate) fn new(entries: Vec<Entry>, arguments: &UrlArguments) -> Self {
        let mut found = None;
        let mut private_url = PrivateUrl::default();
        let tag = |entry: Entry| {
            let mut made_of = arguments.parts_of(&entry.value);
            if protects(&entry.options) || is_conditional_spread(&entry) {
                private_url.add(mem::take(&mut made_of));
            }
            let Entry {
                options,
                has_all_options,
                target,
                value,
            } = entry;
            let place = ends(value.to_token_stream());
            let value = to_head_methods(value.into_token_stream(), &mut found);
            let misspelt = misspelt(value.clone());
            let target = match target {
                _ if !has_all_options => TagTarget::Nothing,
                EntryTarget::Key(key) => {
                    TagTarget::key(LitStr::new(&key.name, key.tokens.span()), &options)
                }
                EntryTarget::Spread(_) => TagTarget::Spread(made_of),
            };
            let (mut when, mut on_result) = (None, None);
            for TagOption { effect, .. } in options {
                match effect {
                    Effect::When(condition) => {
                        when = Some(to_head_methods(condition.into_token_stream(), &mut found));
                    }
                    Effect::OnResult(arm, pattern) => on_result = Some((arm, pattern)),
                    _ => {}
                }
            }
            Tag {
                on_result,
                when,
                target,
                value,
                place,
                misspelt,
            }
        };
        Self {
            tags: entries.into_iter().map(tag).collect(),
            reads_head: found.is_some(),
            private_url,
        }
    }
}

impl TagTarget {
    /// The value is formatted first, then masked, cut and hashed, whatever the order of the options: a mask shows the last
    /// characters of the whole value, not those of a cut one.
    pub(crate) fn key(key: LitStr, options: &[TagOption]) -> Self {
        let mut wrappers: Vec<(u8, Wrapper)> = Vec::new();
        let mut destinations = Destinations::new();
        for TagOption { effect, .. } in options {
            let (order, name, number) = match effect {
                Effect::Display => (0, "Display", None),
                Effect::Debug => (0, "Debug", None),
                Effect::Mask(number) => (1, "Mask", Some(number.clone())),
                Effect::MaxLen(number) => (2, "MaxLen", Some(number.clone())),
                Effect::Hash => (3, "Hash", None),
                Effect::Pii => (3, "Pii", None),
                Effect::SendTo(destination) => {
                    destinations.insert(*destination);
                    continue;
                }
                Effect::When(_) | Effect::OnResult(..) => continue,
            };
            let name = format_ident!("{name}");
            wrappers.push((order, Wrapper { name, number }));
        }
        wrappers.sort_by_key(|(order, _)| *order);
        Self::Key {
            key,
            destinations,
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
