//! The attribute macros of biztrace, on `proc_macro2` tokens, so that tests and tools can run them too.
//!
//! `biztrace-macros` is the thin shim over it. An attribute goes through four steps, a module each:
//! `parse` (tokens to what the user wrote) → `validate` (its mistakes) → `lower` (a plan of what to emit) → `emit` (tokens).
//! `fold` comes first: of several of our attributes on one function, the last to expand does the work. `derive` has the
//! derives, and [`catalogue`] answers tools that read source.
//!
//! The names that an expansion uses live in `biztrace::__private`.

#![forbid(unsafe_code)]

mod case;
pub mod catalogue;
mod derive;
mod destination;
mod emit;
mod errors;
mod fold;
mod function;
mod lower;
mod names;
mod parse;
mod readers;
mod runtime_path;
mod shape;
mod validate;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::bracketed;
use syn::parse::{ParseStream, Parser};

use errors::with_errors;
use fold::RawAttribute;
use function::Function;

/// Expands `#[traced_handler(args)]` on `item`.
///
/// A mistake becomes a `compile_error!` at the tokens at fault, and the rest is expanded. The other attributes do the same.
///
/// ```
/// use quote::quote;
///
/// let item = quote!(async fn ping() -> &'static str { "pong" });
/// let expansion = biztrace_macros_core::traced_handler(quote!(child), item).to_string();
/// assert!(expansion.contains("child_handler"));
/// ```
pub fn traced_handler(args: TokenStream, item: TokenStream) -> TokenStream {
    expand("traced_handler", args, item)
}

/// Expands `#[biz_attrs(args)]` on `item`. See [`traced_handler`].
pub fn biz_attrs(args: TokenStream, item: TokenStream) -> TokenStream {
    expand("biz_attrs", args, item)
}

/// Expands `#[traced(args)]` on `item`. See [`traced_handler`].
pub fn traced(args: TokenStream, item: TokenStream) -> TokenStream {
    expand("traced", args, item)
}

/// Expands `tag!(entries)`, whose macro puts the path of the runtime crate in brackets before them.
pub fn tag(input: TokenStream) -> TokenStream {
    let mut errors = Vec::new();
    let split = |input: ParseStream<'_>| {
        let path;
        bracketed!(path in input);
        Ok((path.parse::<TokenStream>()?, input.parse::<TokenStream>()?))
    };
    let (krate, entries) = match split.parse2(input) {
        Ok(parts) => parts,
        Err(error) => return error.to_compile_error(),
    };
    let mut entries = parse::entries(entries, &mut errors);
    validate::tags(&mut entries, &mut errors);
    let emitted = |entries| {
        let plan = lower::TagPlan::new(entries, &lower::UrlArguments::default());
        emit::tag(&quote!(#krate::__private), &plan)
    };
    if errors.is_empty() {
        return emitted(entries);
    }
    let tags = (!entries.is_empty()).then(|| emitted(entries));
    let tags = with_errors(&errors, tags.into_token_stream());
    quote!({ #tags })
}

/// Expands `#[derive(BizAttrs)]` on `item`.
pub fn derive_biz_attrs(item: TokenStream) -> TokenStream {
    derive::derive(item, derive::attrs, derive::attrs_stub)
}

/// Expands `#[derive(BizValue)]` on `item`.
pub fn derive_biz_value(item: TokenStream) -> TokenStream {
    derive::derive(item, derive::value, derive::value_stub)
}

fn expand(name: &str, args: TokenStream, item: TokenStream) -> TokenStream {
    let own = RawAttribute {
        name: Ident::new(name, Span::call_site()),
        args,
    };
    try_expand(own, item.clone()).unwrap_or_else(|error| {
        let is_expression = function::expression(&item).is_some();
        let refused = with_errors(&[error], item);
        if is_expression {
            // It remains one expression, so that rustc can read it.
            quote!({ #refused })
        } else {
            refused
        }
    })
}

/// Fails on an item that can't be parsed; the returned tokens contain all other mistakes.
fn try_expand(own: RawAttribute, item: TokenStream) -> syn::Result<TokenStream> {
    let split = |input: ParseStream<'_>| {
        Ok((
            input.call(syn::Attribute::parse_outer)?,
            input.parse::<TokenStream>()?,
        ))
    };
    let (mut attrs, undecorated) = split.parse2(item)?;
    if fold::into_pending(&own, &mut attrs) {
        return Ok(quote!(#(#attrs)* #undecorated));
    }

    let mut errors = Vec::new();
    let function = Function::parse(&own.name, attrs, undecorated)?;
    let attributes = fold::unfold(own)?;
    let args: TokenStream = attributes.iter().map(|it| it.args.clone()).collect();
    let mut annotated = parse::annotated(function, attributes, &mut errors);
    // Correct entries are expanded beside a mistake too. Otherwise rustc would warn about unused arguments.
    let can_be_expanded = validate::annotated(&mut annotated, &mut errors);
    if !errors.is_empty() {
        annotated.function.use_arguments(args);
    }
    let expansion = if can_be_expanded {
        emit::function(lower::expansion(annotated))
    } else {
        annotated.function.into_token_stream()
    };
    Ok(with_errors(&errors, expansion))
}
