//! The bounds of an implementation of `BizAttrs`: what the types of generic fields have to implement.

use proc_macro2::{Ident, Span, TokenStream};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    DeriveInput, GenericArgument, Generics, Path, PathArguments, PathSegment, Type, WherePredicate,
    parse_quote_spanned,
};

use super::field::Field;
use crate::parse::Effect;

/// The struct's generics, with a bound for each field whose type depends on them.
pub(super) fn with_bounds(
    input: &DeriveInput,
    fields: &[Field],
    private: &TokenStream,
) -> Generics {
    let mut generics = input.generics.clone();
    let bounds: Vec<WherePredicate> = fields
        .iter()
        .filter(|field| {
            is_generic(&field.ty, &input.generics) && !is_recursive(&field.ty, &input.ident)
        })
        .map(|field| bound(field, private))
        .collect();
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    generics
}

/// What the type of a field has to implement.
fn bound(field: &Field, private: &TokenStream) -> WherePredicate {
    let ty = &field.ty;
    let place = ty.span();
    let mut options = field.biz.tag_options.iter();
    let format = options.find_map(|option| match option.effect {
        Effect::Display => Some("Display"),
        Effect::Debug => Some("Debug"),
        _ => None,
    });
    match (&field.key, format) {
        (None, _) => parse_quote_spanned!(place=> #ty: #private::BizAttrs),
        (Some(_), None) => parse_quote_spanned!(place=> #ty: #private::Value),
        (Some(_), Some(format)) => {
            let ty = if format == "Display" { shown(ty) } else { ty };
            let format = Ident::new(format, Span::mixed_site());
            parse_quote_spanned!(place=> #ty: ::core::fmt::#format)
        }
    }
}

/// The type that `display` formats: the content of an `Option`, found by name.
fn shown(ty: &Type) -> &Type {
    let Type::Path(path) = ty else { return ty };
    match path.path.segments.last() {
        Some(PathSegment {
            ident,
            arguments: PathArguments::AngleBracketed(arguments),
        }) if ident == "Option" => match arguments.args.first() {
            Some(GenericArgument::Type(inner)) => inner,
            _ => ty,
        },
        _ => ty,
    }
}

/// Whether a type names the struct that it is a field of: rustc can't resolve such a bound.
fn is_recursive(ty: &Type, name: &Ident) -> bool {
    has_path(ty, |path| {
        let last = path.segments.last();
        last.is_some_and(|it| it.ident == *name || it.ident == "Self")
    })
}

/// Whether a type names one of the parameters.
fn is_generic(ty: &Type, generics: &Generics) -> bool {
    has_path(ty, |path| {
        let first = path.segments.first();
        let mut types = generics.type_params();
        types.any(|param| first.is_some_and(|it| it.ident == param.ident))
    })
}

/// Whether `is_it` is true of a path anywhere in a type.
fn has_path(ty: &Type, is_it: impl Fn(&Path) -> bool) -> bool {
    struct Find<F> {
        is_it: F,
        found: bool,
    }
    impl<F: Fn(&Path) -> bool> Visit<'_> for Find<F> {
        fn visit_path(&mut self, path: &Path) {
            self.found |= (self.is_it)(path);
            visit::visit_path(self, path);
        }
    }
    let mut find = Find {
        is_it,
        found: false,
    };
    find.visit_type(ty);
    find.found
}
