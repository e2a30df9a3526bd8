//! `#[derive(BizAttrs)]`: the attributes that a struct declares.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Data, DeriveInput, Error, GenericArgument, Generics, LitStr, Member, Path, PathArguments,
    PathSegment, Token, Type, WherePredicate, parse_quote_spanned,
};

use crate::emit;
use crate::lower::{Tag, What, ends};
use crate::parse::fields::{Allowed, Biz};
use crate::parse::{Form, Key};
use crate::validate::{
    check_options, malformed, mistaken_prefix, out_of_place, reserved, without_result,
};

const ON_TYPE: Allowed = Allowed {
    on: "a struct",
    texts: &["prefix"],
    flags: &[],
    options: false,
    krate: true,
};
const ON_FIELD: Allowed = Allowed {
    on: "a field",
    texts: &["key", "rename", "prefix"],
    flags: &["nested", "skip"],
    options: true,
    krate: false,
};

/// A field that is recorded.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) biz: Biz,
    /// Nothing for a nested one, whose type has the keys.
    pub(crate) key: Option<Key>,
}

/// The implementation of `BizAttrs`.
pub(crate) fn attrs(input: &DeriveInput, errors: &mut Vec<Error>) -> Option<TokenStream> {
    let on_type = Biz::parse(&input.attrs, ON_TYPE, errors);
    let fields = fields(input, &on_type, errors)?;
    if !errors.is_empty() {
        return None;
    }
    let private = super::private(&on_type);
    let place = Span::mixed_site();
    let mut generics = input.generics.clone();
    let bounds: Vec<WherePredicate> = fields
        .iter()
        .filter(|field| {
            is_generic(&field.ty, &input.generics) && !is_recursive(&field.ty, &input.ident)
        })
        .map(|field| bound(field, &private))
        .collect();
    if !bounds.is_empty() {
        generics.make_where_clause().predicates.extend(bounds);
    }
    let statements = fields
        .into_iter()
        .map(|field| emit::statement(&private, &tag(field)));
    // The user's conditions say `self`, so it must be theirs.
    let this = Token![self](Span::call_site());
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = generics.split_for_impl();
    Some(quote_spanned! {place=>
        #[automatically_derived]
        impl #impl_generics #private::BizAttrs for #name #type_generics #where_clause {
            fn record(&#this, __tags: &mut #private::Tags) {
                #(#statements)*
            }
        }
    })
}

/// The fields that a struct declares as attributes, as far as they can be read.
pub(crate) fn declared_fields(input: &DeriveInput) -> Vec<Field> {
    let errors = &mut Vec::new();
    let on_type = Biz::parse(&input.attrs, ON_TYPE, errors);
    fields(input, &on_type, errors).unwrap_or_default()
}

/// An implementation that records nothing, for a type with mistakes.
pub(crate) fn attrs_stub(input: &DeriveInput) -> TokenStream {
    let private = super::private(&Biz::parse(&input.attrs, ON_TYPE, &mut Vec::new()));
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #private::BizAttrs for #name #type_generics #where_clause {
            fn record(&self, _: &mut #private::Tags) {}
        }
    }
}

/// The fields that are recorded, with their keys.
fn fields(input: &DeriveInput, on_type: &Biz, errors: &mut Vec<Error>) -> Option<Vec<Field>> {
    let Data::Struct(data) = &input.data else {
        let message = "`BizAttrs` is derived for structs: an enum without fields derives `BizValue`, any other type implements \
                       `biztrace::BizAttrs`";
        errors.push(Error::new_spanned(&input.ident, message));
        return None;
    };
    let mistake = |key: &Key| malformed(key).or_else(|| reserved(key));
    let mut prefix = on_type.text("prefix");
    if let Some(error) = prefix.and_then(mistaken_prefix) {
        errors.push(error);
        // One mistake, one error: none for each key that would begin with it.
        prefix = None;
    }
    let mut fields = Vec::new();
    for (field, member) in data.fields.iter().zip(data.fields.members()) {
        let mut biz = Biz::parse(&field.attrs, ON_FIELD, errors);
        if biz.place.is_none() || !check_field(&mut biz, errors) {
            continue;
        }
        let key = if biz.flag("nested").is_some() {
            errors.extend(biz.text("prefix").and_then(mistaken_prefix));
            None
        } else {
            match key(&biz, prefix, &member, field.ty.span()) {
                Ok(key) => {
                    errors.extend(mistake(&key));
                    Some(key)
                }
                Err(error) => {
                    errors.push(error);
                    continue;
                }
            }
        };
        fields.push(Field {
            member,
            ty: field.ty.clone(),
            biz,
            key,
        });
    }
    check_duplicates(&fields, errors);
    if fields.is_empty() && errors.is_empty() {
        let message = "no field is marked `#[biz]`, and only those that are become attributes: mark one, or remove the derive";
        errors.push(Error::new_spanned(&input.ident, message));
    }
    Some(fields)
}

/// Reports options that don't go together. `false` for a field that is not recorded.
fn check_field(biz: &mut Biz, errors: &mut Vec<Error>) -> bool {
    check_options(&mut biz.options, errors);
    let texts = || biz.texts.iter().map(|(name, _)| name);
    let options = || biz.options.iter().map(|option| &option.name);
    if biz.flag("skip").is_some() {
        if let Some(other) = texts().chain(options()).chain(biz.flag("nested")).next() {
            let message = format!(
                "`{other}` says how a field is recorded, and `skip` that it is not: keep one of the two"
            );
            errors.push(Error::new(other.span(), message));
        }
        return false;
    }
    for option in &biz.options {
        match &option.form {
            Form::Result(..) => errors.push(without_result(option, "a field")),
            Form::When(condition) => errors.extend(out_of_place(condition)),
            _ => {}
        }
    }
    if let Some(nested) = biz.flag("nested") {
        let on_value = biz
            .options
            .iter()
            .find(|option| !matches!(option.form, Form::When(_)));
        let key = texts().find(|name| *name != "prefix");
        if let Some(other) = key.or(on_value.map(|option| &option.name)) {
            let message = format!(
                "`{other}` is about one attribute, and `{nested}` takes over all of the field's type: put it on that type's field"
            );
            errors.push(Error::new(other.span(), message));
        }
    } else if let Some(prefix) = texts().find(|name| *name == "prefix") {
        let message =
            "a field has a `prefix` if it is `nested`: write `key = \"…\"` for a key of its own";
        errors.push(Error::new(prefix.span(), message));
    }
    if let (Some(_), Some((rename, _))) = (
        biz.text("key"),
        biz.texts.iter().find(|(name, _)| name == "rename"),
    ) {
        let message =
            "`key` is the whole key and `rename` what follows the prefix: keep one of the two";
        errors.push(Error::new(rename.span(), message));
    }
    true
}

/// The key of a field: `key`, or the prefix and the field's name.
fn key(biz: &Biz, prefix: Option<&LitStr>, member: &Member, place: Span) -> syn::Result<Key> {
    if let Some(key) = biz.text("key") {
        return Ok(Key::from(key.clone()));
    }
    let (name, tokens) = match (biz.text("rename"), member) {
        (Some(rename), _) => (rename.value(), rename.to_token_stream()),
        (None, Member::Named(name)) => (name.unraw().to_string(), name.to_token_stream()),
        (None, Member::Unnamed(_)) => {
            let message = "a field without a name needs a key: `#[biz(key = \"order.id\")]`";
            return Err(Error::new(place, message));
        }
    };
    let name = match prefix {
        Some(prefix) => format!("{}.{name}", prefix.value()),
        None => name,
    };
    Ok(Key {
        name,
        tokens,
        quoted: true,
    })
}

fn check_duplicates(fields: &[Field], errors: &mut Vec<Error>) {
    let mut seen = HashSet::new();
    for field in fields {
        let is_conditional = field
            .biz
            .options
            .iter()
            .any(|it| matches!(it.form, Form::When(_)));
        if let Some(key) = &field.key
            && !is_conditional
            && !seen.insert(key.name.as_str())
        {
            let message = format!("`{}` is the key of two fields: rename this one", key.name);
            errors.push(Error::new_spanned(&key.tokens, message));
        }
    }
}

fn tag(field: Field) -> Tag {
    let Field {
        member, biz, key, ..
    } = field;
    let place = ends(member.to_token_stream());
    let this = Token![self](Span::call_site().located_at(member.span()));
    let value = quote!(#this.#member);
    let what = match key {
        Some(key) => What::key(LitStr::new(&key.name, key.tokens.span()), &biz.options),
        None => What::Nested {
            prefix: biz.text("prefix").cloned(),
        },
    };
    let when = biz
        .options
        .into_iter()
        .find_map(|option| match option.form {
            Form::When(condition) => Some(condition.into_token_stream()),
            _ => None,
        });
    Tag {
        on_result: None,
        when,
        what,
        value,
        place,
    }
}

/// What the type of a field must be able to do, if it is a matter of the struct's parameters.
fn bound(field: &Field, private: &TokenStream) -> WherePredicate {
    let ty = &field.ty;
    let place = ty.span();
    let format = field
        .biz
        .options
        .iter()
        .find_map(|option| match option.form {
            Form::Display => Some("Display"),
            Form::Debug => Some("Debug"),
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

/// What `display` shows of a type: what is in an `Option`, by its name.
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

/// Whether a type names the struct that it is a field of: rustc could not tell what that asks of the parameters.
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
