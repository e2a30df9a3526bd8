//! Attributes as they may apply: those in `cfg_attr` count as if the condition held.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, ExprLit, Lit, Meta, Path, Token};

/// The attributes in a `cfg_attr`, or the attribute itself.
pub(crate) fn applied(attr: &Attribute) -> Vec<Attribute> {
    let parse = Punctuated::<Meta, Token![,]>::parse_terminated;
    let conditional = attr
        .path()
        .is_ident("cfg_attr")
        .then(|| attr.parse_args_with(parse));
    let Some(Ok(metas)) = conditional else {
        return vec![attr.clone()];
    };
    let attrs = metas.into_iter().skip(1).map(|meta| Attribute {
        meta,
        ..attr.clone()
    });
    attrs.flat_map(|attr| applied(&attr)).collect()
}

/// An item with our attributes taken out of `cfg_attr`.
pub(crate) fn unfolded(item: TokenStream) -> TokenStream {
    let Some((attrs, rest)) = split(item.clone()) else {
        return item;
    };
    let attrs = attrs.into_iter().flat_map(|attr| {
        let applied = applied(&attr);
        if applied.iter().any(is_ours) {
            applied
        } else {
            vec![attr]
        }
    });
    quote!(#(#attrs)* #rest)
}

/// Splits an item into its attributes and the rest.
pub(crate) fn split(item: TokenStream) -> Option<(Vec<Attribute>, TokenStream)> {
    let split = |input: ParseStream<'_>| Ok((input.call(Attribute::parse_outer)?, input.parse()?));
    split.parse2(item).ok()
}

/// An attribute macro: takes the arguments and the item.
pub(crate) type AttributeMacro = fn(TokenStream, TokenStream) -> TokenStream;

/// Our attributes, by their names.
const OURS: [(&str, AttributeMacro); 3] = [
    ("traced_handler", biztrace_macros_core::traced_handler),
    ("traced", biztrace_macros_core::traced),
    ("biz_attrs", biztrace_macros_core::biz_attrs),
];

/// The macro of one of our attributes, by the last name of its path, as the macros find each other.
pub(crate) fn our_macro(attr: &Attribute) -> Option<AttributeMacro> {
    let ours = OURS.iter().find(|(name, _)| ends_in(attr.path(), name));
    ours.map(|(_, expand)| *expand)
}

/// Whether it is an attribute of ours.
pub(crate) fn is_ours(attr: &Attribute) -> bool {
    our_macro(attr).is_some()
}

/// Whether a path ends in `name`.
pub(crate) fn ends_in(path: &Path, name: &str) -> bool {
    path.segments
        .last()
        .is_some_and(|segment| segment.ident == name)
}

/// Whether `derive` is among the derives.
pub(crate) fn derives(attrs: &[Attribute], derive: &str) -> bool {
    let parse = Punctuated::<Path, Token![,]>::parse_terminated;
    let applied = attrs.iter().flat_map(applied);
    applied
        .filter(|attr| attr.path().is_ident("derive"))
        .filter_map(|attr| attr.parse_args_with(parse).ok())
        .any(|paths| paths.iter().any(|path| ends_in(path, derive)))
}

/// Whether the item exists only under some condition.
pub(crate) fn is_conditional(attrs: &[Attribute]) -> bool {
    attrs
        .iter()
        .any(|attr| attr.path().is_ident("cfg") || attr.path().is_ident("cfg_attr"))
}

/// Whether the item exists only in tests: `#[cfg(test)]`.
pub(crate) fn is_test(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| {
        attr.path().is_ident("cfg")
            && attr
                .parse_args::<Path>()
                .is_ok_and(|it| it.is_ident("test"))
    })
}

/// The text of each `#[path = "…"]`.
pub(crate) fn paths(attrs: &[Attribute]) -> Vec<String> {
    let text = |attr: Attribute| match attr.meta {
        Meta::NameValue(meta) if meta.path.is_ident("path") => match meta.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value()),
            _ => None,
        },
        _ => None,
    };
    attrs.iter().flat_map(applied).filter_map(text).collect()
}
