//! Mistakes in the fields of a struct that derives `BizAttrs`.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::Error;

use super::field::Field;
use crate::parse::Effect;
use crate::parse::biz::Biz;
use crate::validate::{
    check_options, malformed, malformed_prefix, misplaced_condition, only_for_one_attribute,
    reserved,
};

/// Reports options of a field that contradict each other. `false` for a field that is not recorded.
pub(super) fn options(biz: &mut Biz, errors: &mut Vec<Error>) -> bool {
    check_options(&mut biz.tag_options, errors);
    if let Some(skip) = biz.flag("skip") {
        errors.extend(beside_skip(biz, skip));
        return false;
    }
    for option in &biz.tag_options {
        if let Effect::When(condition) = &option.effect {
            errors.extend(misplaced_condition(condition));
        }
    }
    errors.extend(match biz.flag("nested") {
        Some(nested) => beside_nested(biz, nested),
        None => prefix_without_nested(biz),
    });
    errors.extend(key_and_rename(biz));
    true
}

/// The error for an option that says how to record a field that is not recorded.
fn beside_skip(biz: &Biz, skip: &Ident) -> Option<Error> {
    let options = biz.tag_options.iter().map(|option| &option.name);
    let mut others = texts(biz).chain(options).chain(biz.flag("nested"));
    let other = others.next()?;
    let message = format!(
        "`{other}` says how a field is recorded, and `{skip}` that it is not: keep one of the two"
    );
    Some(Error::new(other.span(), message))
}

/// The error for an option of one attribute on a field that declares several.
fn beside_nested(biz: &Biz, nested: &Ident) -> Option<Error> {
    let key = texts(biz).find(|name| *name != "prefix");
    let option = only_for_one_attribute(&biz.tag_options).map(|option| &option.name);
    let other = key.or(option)?;
    let message = format!(
        "`{other}` applies to one attribute, and `{nested}` takes over every attribute of the field's type: put it on that \
         type's field"
    );
    Some(Error::new(other.span(), message))
}

fn prefix_without_nested(biz: &Biz) -> Option<Error> {
    let prefix = texts(biz).find(|name| *name == "prefix")?;
    let message =
        "a field has a `prefix` only if it is `nested`: write `key = \"…\"` for a key of its own";
    Some(Error::new(prefix.span(), message))
}

fn key_and_rename(biz: &Biz) -> Option<Error> {
    biz.text("key")?;
    let rename = texts(biz).find(|name| *name == "rename")?;
    let message =
        "`key` is the whole key and `rename` the part after the prefix: keep one of the two";
    Some(Error::new(rename.span(), message))
}

/// The names of `name = "text"`.
fn texts(biz: &Biz) -> impl Iterator<Item = &Ident> {
    biz.texts.iter().map(|(name, _)| name)
}

/// The error for a field's key, or for the prefix of its type's keys.
pub(super) fn key(field: &Field) -> Option<Error> {
    match &field.key {
        Some(key) => malformed(key).or_else(|| reserved(key)),
        None => field.biz.text("prefix").and_then(malformed_prefix),
    }
}

/// Reports fields that always set the same key.
pub(super) fn duplicates(fields: &[Field], errors: &mut Vec<Error>) {
    let mut seen = HashSet::new();
    for field in fields {
        if let Some(key) = &field.key
            && field.condition().is_none()
            && !seen.insert(key.name.as_str())
        {
            let message = format!("`{}` is the key of two fields: rename this one", key.name);
            errors.push(Error::new_spanned(&key.tokens, message));
        }
    }
}
