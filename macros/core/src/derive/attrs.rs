//! `#[derive(BizAttrs)]`: emits the implementation that records a struct's fields.

use proc_macro2::{Span, TokenStream};
use quote::quote_spanned;
use syn::{DeriveInput, Error, Token};

use super::bounds::with_bounds;
use super::declared::{ON_STRUCT, fields};
use super::field::Field;
use super::tag::tag;
use crate::emit;
use crate::parse::biz::Biz;
use crate::runtime_path;

/// The implementation of `BizAttrs`.
pub(crate) fn attrs(input: &DeriveInput, errors: &mut Vec<Error>) -> Option<TokenStream> {
    let on_struct = Biz::parse(&input.attrs, ON_STRUCT, errors);
    let fields = fields(input, &on_struct, errors)?;
    if !errors.is_empty() {
        return None;
    }
    let private = runtime_path::private(on_struct.krate.as_ref());
    let generics = with_bounds(input, &fields, &private);
    let statements = fields
        .iter()
        .map(|field| emit::statement(&private, &tag(field)));
    let protects = fields
        .iter()
        .any(Field::is_protected)
        .then(|| quote_spanned!(Span::mixed_site()=> __tags.protects();));
    // The user's conditions name `self`, so it has the user's hygiene.
    let this = Token![self](Span::call_site());
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Some(quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #private::BizAttrs for #name #type_generics #where_clause {
            fn record(&#this, __tags: &mut #private::Tags) {
                #protects
                #(#statements)*
            }
        }
    })
}

/// An implementation that records nothing, for a type with mistakes.
pub(crate) fn attrs_stub(input: &DeriveInput) -> TokenStream {
    let on_struct = Biz::parse(&input.attrs, ON_STRUCT, &mut Vec::new());
    let private = runtime_path::private(on_struct.krate.as_ref());
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #private::BizAttrs for #name #type_generics #where_clause {
            fn record(&self, _: &mut #private::Tags) {}
        }
    }
}
