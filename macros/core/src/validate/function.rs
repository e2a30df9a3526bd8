//! The function that an attribute stands on, and the attributes beside it.

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::{Error, ReturnType, Type};

use crate::parse::{Annotated, Effect, Entry, KINDS, SpanAttribute};
use crate::shape::Shape;

pub(super) fn check_span_attributes(attributes: &[SpanAttribute], errors: &mut Vec<Error>) {
    for attribute in attributes {
        if let Some(name) = &attribute.options.name
            && name.value().trim().is_empty()
        {
            let message = "the span's name is empty: write a name, or remove this option to use the function's name";
            errors.push(Error::new(name.span(), message));
        }
        let Some(kind) = &attribute.options.kind else {
            continue;
        };
        if !KINDS.iter().any(|(name, _)| *name == kind.value()) {
            let kinds = KINDS.map(|(name, _)| format!("`\"{name}\"`")).join(", ");
            errors.push(Error::new(
                kind.span(),
                format!("unknown span kind: expected one of {kinds}"),
            ));
        }
    }
    let Some((first, others)) = attributes.split_first() else {
        return;
    };
    for other in others {
        let message = if other.name == first.name {
            format!(
                "`#[{}]` is on this function twice: keep one of the two",
                other.name
            )
        } else {
            "this function has both `#[traced_handler]` and `#[traced]`: keep `#[traced_handler]` on an actix-web handler, \
             `#[traced]` elsewhere"
                .to_owned()
        };
        errors.push(Error::new(other.name.span(), message));
    }
}

/// The error for a function that the attributes do not support.
pub(super) fn unsupported(annotated: &Annotated) -> Option<Error> {
    let sig = &annotated.function.sig;
    if let Some(constness) = &sig.constness {
        let message = "a `const fn` also runs at compile time, where nothing can be traced: remove `const` or the attribute";
        return Some(Error::new_spanned(constness, message));
    }
    if let Some(abi) = &sig.abi {
        let message = "a function with a foreign ABI can't be traced: put the attribute on a Rust function that it calls";
        return Some(Error::new_spanned(abi, message));
    }
    if let Some(variadic) = &sig.variadic {
        let message = "a variadic function can't be traced: put the attribute on a Rust function that it calls";
        return Some(Error::new_spanned(variadic, message));
    }
    let wraps =
        !annotated.span_attributes.is_empty() || annotated.tags.iter().any(Entry::wraps_body);
    let shape = match Shape::of(sig) {
        Ok(shape) => shape,
        Err(_) if !wraps => return None,
        Err(inner) => {
            let message = "a future or stream within another type can't be traced, since the span would end before it runs: \
                           return it directly or as `Pin<Box<dyn …>>`, or put the attribute on an `async fn` that this one calls";
            return Some(Error::new_spanned(inner, message));
        }
    };
    let is_handler = annotated
        .span_attributes
        .iter()
        .any(SpanAttribute::is_handler);
    if is_handler && !matches!(shape, Shape::Async | Shape::Future { .. }) {
        let (fn_token, name) = (&sig.fn_token, &sig.ident);
        let message = format!(
            "an actix-web handler is an `async fn`: write `async fn {name}`, or use `#[traced]` for a sync function"
        );
        return Some(Error::new_spanned(quote!(#fn_token #name), message));
    }
    None
}

/// Reports options on the result of a function that has no result.
pub(super) fn without_result(annotated: &Annotated, errors: &mut Vec<Error>) {
    let sig = &annotated.function.sig;
    let why = match (Shape::of(sig), &sig.output) {
        (Ok(Shape::Stream { .. }), _) => "a stream has many items instead of one result",
        (_, ReturnType::Type(_, ty)) if matches!(**ty, Type::Never(_)) => {
            "this function never returns"
        }
        _ => return,
    };
    let refuse = |place: TokenStream, errors: &mut Vec<Error>| {
        let message = format!("{why}: remove this");
        errors.push(Error::new_spanned(place, message));
    };
    let options = annotated.span_attributes.iter().map(|it| &it.options);
    let predicates = options.flat_map(|it| it.ok_if.iter().chain(&it.err_if));
    for predicate in predicates {
        refuse(predicate.to_token_stream(), errors);
    }
    for option in annotated.entries().flat_map(|entry| &entry.options) {
        if let Effect::OnResult(..) = &option.effect {
            refuse(option.name.to_token_stream(), errors);
        }
    }
}
