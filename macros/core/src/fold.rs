//! Joins several of our attributes on one function, before any of them is parsed.
//!
//! Attributes expand from the outside in. Each passes its arguments, unparsed, to one of ours that has not expanded yet:
//! `#[biz_attrs(__fold(traced_handler(child)), order.id = *id)]`. So every name that the user imported is really used, and
//! other attributes may stand between ours. The last one has all arguments and does the work.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Meta, MetaList, Token, parenthesized};

syn::custom_keyword!(__fold);

/// One of our attributes, its arguments not yet parsed.
pub(crate) struct RawAttribute {
    /// Its name, at the attribute's place.
    pub(crate) name: Ident,
    pub(crate) args: TokenStream,
}

/// Folds `own` into the first of our attributes among `attrs`, if there is one.
pub(crate) fn into_pending(own: &RawAttribute, attrs: &mut [Attribute]) -> bool {
    let RawAttribute { name, args } = own;
    let folded = quote!(__fold(#name(#args)),);
    for attr in attrs.iter_mut().filter(|attr| is_ours(attr)) {
        match &mut attr.meta {
            Meta::Path(path) => {
                let delimiter = syn::MacroDelimiter::Paren(syn::token::Paren::default());
                attr.meta = Meta::List(MetaList {
                    path: path.clone(),
                    delimiter,
                    tokens: folded,
                });
            }
            Meta::List(list) => {
                let theirs = &list.tokens;
                list.tokens = quote!(#folded #theirs);
            }
            // rustc refuses `#[traced = …]` by itself and never expands it.
            Meta::NameValue(_) => continue,
        }
        return true;
    }
    false
}

/// Whether an attribute is ours, by the last name of its path.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    let last = attr.path().segments.last();
    last.is_some_and(|segment| {
        ["traced_handler", "traced", "biz_attrs"]
            .iter()
            .any(|ours| segment.ident == ours)
    })
}

/// Splits `own` into itself and the attributes that were folded into it, in the order in which the user wrote them.
pub(crate) fn unfold(own: RawAttribute) -> syn::Result<Vec<RawAttribute>> {
    let RawAttribute { name, args } = own;
    let parser = |input: ParseStream<'_>| {
        let mut all = Vec::new();
        while input.peek(__fold) {
            input.parse::<__fold>()?;
            let folded;
            parenthesized!(folded in input);
            let name = folded.parse()?;
            let args;
            parenthesized!(args in folded);
            all.extend(unfold(RawAttribute {
                name,
                args: args.parse()?,
            })?);
            input.parse::<Token![,]>()?;
        }
        all.push(RawAttribute {
            name,
            args: input.parse()?,
        });
        Ok(all)
    };
    parser.parse2(args)
}
