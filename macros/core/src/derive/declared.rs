//! Reads the fields that a struct declares as attributes, with their keys.

use proc_macro2::Span;
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::{Data, DeriveInput, Error, LitStr, Member};

use super::check;
use super::field::Field;
use crate::parse::Key;
use crate::parse::biz::{Biz, BizOption, BizRow, BizTable, CRATE};
use crate::validate::malformed_prefix;

const KEY: BizRow = BizRow::new("key", "key = \"…\"", BizOption::Text);
const RENAME: BizRow = BizRow::new("rename", "rename = \"…\"", BizOption::Text);
const PREFIX: BizRow = BizRow::new("prefix", "prefix = \"…\"", BizOption::Text);
const NESTED: BizRow = BizRow::new("nested", "nested", BizOption::Flag);
const SKIP: BizRow = BizRow::new("skip", "skip", BizOption::Flag);

/// The options on the struct.
pub(super) const ON_STRUCT: BizTable = BizTable {
    on: "a struct",
    rows: &[PREFIX, CRATE],
    takes_tag_options: false,
};
const ON_FIELD: BizTable = BizTable {
    on: "a field",
    rows: &[KEY, RENAME, PREFIX, NESTED, SKIP],
    takes_tag_options: true,
};

/// The fields that a struct declares as attributes, as far as they can be read.
pub(crate) fn declared_fields(input: &DeriveInput) -> Vec<Field> {
    let errors = &mut Vec::new();
    let on_struct = Biz::parse(&input.attrs, ON_STRUCT, errors);
    fields(input, &on_struct, errors).unwrap_or_default()
}

/// The fields that are recorded. Mistakes go to `errors`.
pub(super) fn fields(
    input: &DeriveInput,
    on_struct: &Biz,
    errors: &mut Vec<Error>,
) -> Option<Vec<Field>> {
    let Data::Struct(data) = &input.data else {
        let message = "`BizAttrs` is derived for structs: derive `BizValue` for an enum without fields, or implement \
                       `biztrace::BizAttrs`";
        errors.push(Error::new_spanned(&input.ident, message));
        return None;
    };
    let mut prefix = on_struct.text("prefix");
    if let Some(error) = prefix.and_then(malformed_prefix) {
        errors.push(error);
        // One mistake, one error: without a prefix, no key that would begin with it is a mistake too.
        prefix = None;
    }
    let mut fields = Vec::new();
    for (field, member) in data.fields.iter().zip(data.fields.members()) {
        let mut biz = Biz::parse(&field.attrs, ON_FIELD, errors);
        if biz.place.is_none() || !check::options(&mut biz, errors) {
            continue;
        }
        let key = match key(&biz, prefix, &member, field.ty.span()) {
            _ if biz.flag("nested").is_some() => None,
            Ok(key) => Some(key),
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        let field = Field {
            member,
            ty: field.ty.clone(),
            biz,
            key,
        };
        errors.extend(check::key(&field));
        fields.push(field);
    }
    check::duplicates(&fields, errors);
    if fields.is_empty() && errors.is_empty() {
        let message = "no field is marked `#[biz]`, and only marked fields become attributes: mark one, or remove the derive";
        errors.push(Error::new_spanned(&input.ident, message));
    }
    Some(fields)
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
