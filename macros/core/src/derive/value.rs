//! `#[derive(BizValue)]`: an enum as a bounded set of strings.

use std::collections::HashSet;

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote_spanned;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, Fields, LitStr};

use crate::parse::biz::{Biz, BizOption, BizRow, BizTable, CRATE};
use crate::runtime_path;

const ON_ENUM: BizTable = BizTable {
    on: "an enum",
    rows: &[
        BizRow::new("rename_all", "rename_all = \"…\"", BizOption::Text),
        CRATE,
    ],
    takes_tag_options: false,
};
const ON_VARIANT: BizTable = BizTable {
    on: "a variant",
    rows: &[BizRow::new("rename", "rename = \"…\"", BizOption::Text)],
    takes_tag_options: false,
};

/// Joins the words of a name.
type Style = fn(&[String]) -> String;

/// How a variant's name becomes a value. The names are serde's.
const STYLES: [(&str, Style); 6] = [
    ("snake_case", |words| words.join("_")),
    ("kebab-case", |words| words.join("-")),
    ("lowercase", |words| words.concat()),
    ("UPPERCASE", |words| words.concat().to_uppercase()),
    ("SCREAMING_SNAKE_CASE", |words| {
        words.join("_").to_uppercase()
    }),
    ("PascalCase", |words| {
        words.iter().map(|word| capital(word)).collect()
    }),
];

/// The implementations of `BizValue` and `Value`.
pub(crate) fn value(input: &DeriveInput, errors: &mut Vec<Error>) -> Option<TokenStream> {
    let Data::Enum(data) = &input.data else {
        let message = "`BizValue` is derived for enums: derive `BizAttrs` for a struct, or implement `biztrace::Value`";
        errors.push(Error::new_spanned(&input.ident, message));
        return None;
    };
    let biz = Biz::parse(&input.attrs, ON_ENUM, errors);
    let style = style(&biz, errors)?;
    let mut variants: Vec<(&Ident, LitStr)> = Vec::new();
    let mut seen = HashSet::new();
    for variant in &data.variants {
        if !matches!(variant.fields, Fields::Unit) {
            let message = format!(
                "`{}` has fields, but a `BizValue` is one of a fixed set of strings: remove them, or implement `biztrace::Value` for \
                 this enum",
                variant.ident
            );
            errors.push(Error::new(variant.fields.span(), message));
            continue;
        }
        let rename = Biz::parse(&variant.attrs, ON_VARIANT, errors)
            .text("rename")
            .cloned();
        let value = rename.unwrap_or_else(|| {
            let name = variant.ident.unraw().to_string();
            LitStr::new(&style(&words(&name)), variant.ident.span())
        });
        if !seen.insert(value.value()) {
            let message = format!(
                "`\"{}\"` is the value of two variants: rename this one",
                value.value()
            );
            errors.push(Error::new(value.span(), message));
        }
        variants.push((&variant.ident, value));
    }
    if data.variants.is_empty() {
        let message = "an enum without variants has no values";
        errors.push(Error::new_spanned(&input.ident, message));
    }
    if !errors.is_empty() {
        return None;
    }
    let private = runtime_path::private(biz.krate.as_ref());
    let (name, place) = (&input.ident, Span::mixed_site());
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    let values = variants.iter().map(|(_, value)| value);
    let arms = variants
        .iter()
        .map(|(variant, value)| quote_spanned!(place=> Self::#variant => #value,));
    Some(quote_spanned! {place=>
        #[automatically_derived]
        impl #impl_generics #private::BizValue for #name #type_generics #where_clause {
            const VALUES: &'static [&'static ::core::primitive::str] = &[#(#values),*];

            fn as_str(&self) -> &'static ::core::primitive::str {
                match self {
                    #(#arms)*
                }
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Value for #name #type_generics #where_clause {
            fn encode(&self, __encoder: #private::Encoder<'_>) {
                __encoder.string(#private::BizValue::as_str(self));
            }
        }
    })
}

/// Implementations without values, for a type with mistakes.
pub(crate) fn value_stub(input: &DeriveInput) -> TokenStream {
    let biz = Biz::parse(&input.attrs, ON_ENUM, &mut Vec::new());
    let private = runtime_path::private(biz.krate.as_ref());
    let name = &input.ident;
    let (impl_generics, type_generics, where_clause) = input.generics.split_for_impl();
    quote_spanned! {Span::mixed_site()=>
        #[automatically_derived]
        impl #impl_generics #private::BizValue for #name #type_generics #where_clause {
            const VALUES: &'static [&'static ::core::primitive::str] = &[];

            fn as_str(&self) -> &'static ::core::primitive::str {
                ""
            }
        }

        #[automatically_derived]
        impl #impl_generics #private::Value for #name #type_generics #where_clause {
            fn encode(&self, _: #private::Encoder<'_>) {}
        }
    }
}

fn style(biz: &Biz, errors: &mut Vec<Error>) -> Option<Style> {
    let Some(wanted) = biz.text("rename_all") else {
        return Some(STYLES[0].1);
    };
    let style = STYLES.iter().find(|(name, _)| *name == wanted.value());
    if style.is_none() {
        let styles = STYLES.map(|(name, _)| format!("`\"{name}\"`")).join(", ");
        let message = format!("unknown naming style: expected one of {styles}");
        errors.push(Error::new(wanted.span(), message));
    }
    style.map(|(_, style)| *style)
}

/// `WeChatPay` → `we`, `chat`, `pay`; `HTTPError` → `http`, `error`.
fn words(name: &str) -> Vec<String> {
    crate::case::snake(name)
        .split('_')
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + chars.as_str()
}
