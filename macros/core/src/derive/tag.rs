//! Lowers a field to the tag that records it.

use proc_macro2::Span;
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{LitStr, Token};

use super::field::Field;
use crate::lower::{Tag, TagTarget, ends};

/// The tag that records a field of `self`.
pub(super) fn tag(field: &Field) -> Tag {
    let member = &field.member;
    let this = Token![self](Span::call_site().located_at(member.span()));
    let target = match &field.key {
        Some(key) => {
            let options = &field.biz.tag_options;
            TagTarget::key(LitStr::new(&key.name, key.tokens.span()), options)
        }
        None => TagTarget::Nested {
            prefix: field.biz.text("prefix").cloned(),
        },
    };
    Tag {
        on_result: None,
        when: field.condition().map(ToTokens::to_token_stream),
        target,
        value: quote!(#this.#member),
        place: ends(member.to_token_stream()),
        misspelt: None,
    }
}
