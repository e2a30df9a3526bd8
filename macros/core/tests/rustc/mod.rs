//! Stands in for rustc: expands the attributes of one item in its order, from the outside in.

use biztrace_macros_core::{
    biz_attrs, derive_biz_attrs, derive_biz_value, tag, traced, traced_handler,
};
use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Meta};

/// Expands `source` until none of our attributes is left on it. A `#[post]` on the way does what actix-web's does: it
/// emits the function with the attributes that are left.
pub(crate) fn expand(source: &str) -> TokenStream {
    let mut item: TokenStream = source.parse().expect("a case is made of Rust tokens");
    while let Some((before, attribute, after)) = outermost(item.clone()) {
        let args = match attribute.meta {
            Meta::List(ref list) => list.tokens.clone(),
            _ => TokenStream::new(),
        };
        let rest = quote!(#before #after);
        item = match name(&attribute).as_str() {
            "traced_handler" => traced_handler(args, rest),
            "biz_attrs" => biz_attrs(args, rest),
            "traced" => traced(args, rest),
            _ => rest,
        };
    }
    item
}

/// What the derives add to `item`, or what `tag!` becomes.
pub(crate) fn add(macro_name: &str, item: &str) -> TokenStream {
    let item: TokenStream = item.parse().expect("a case is made of Rust tokens");
    match macro_name {
        "BizAttrs" => derive_biz_attrs(item),
        "BizValue" => derive_biz_value(item),
        _ => tag(quote!([::biztrace] #item)),
    }
}

/// The first attribute to expand, with the tokens before and after it.
fn outermost(item: TokenStream) -> Option<(TokenStream, Attribute, TokenStream)> {
    let split = |input: ParseStream<'_>| {
        Ok((
            input.call(Attribute::parse_outer)?,
            input.parse::<TokenStream>()?,
        ))
    };
    let (mut attrs, rest) = split.parse2(item).ok()?;
    let first = attrs.iter().position(|attr| {
        ["traced_handler", "biz_attrs", "traced", "post"].contains(&&*name(attr))
    })?;
    let attribute = attrs.remove(first);
    let (before, after) = attrs.split_at(first);
    Some((quote!(#(#before)*), attribute, quote!(#(#after)* #rest)))
}

fn name(attr: &Attribute) -> String {
    attr.path()
        .segments
        .last()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default()
}
