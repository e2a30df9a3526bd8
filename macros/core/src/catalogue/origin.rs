//! Where a protected value comes from: whether it may be in the URL of its request too, for all that source shows.

use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{Expr, FnArg, PathSegment, Signature};

use super::source_text::written;
use crate::lower::{UrlArguments, occurs};
use crate::names::Names;

/// Where a protected value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum UrlOrigin {
    /// From a known place: its expansion hides it in the URL, or it is not there. Values without protection are among these.
    Known,
    /// From an argument of a handler, such as `card: CardPath`, whose type does not say what it extracts.
    Argument(String),
    /// From the body around a `tag!`.
    Body,
}

/// Types of arguments that are not read from a URL, or are looked at by an expansion.
const KNOWN: [&str; 14] = [
    "Path",
    "Query",
    "QsQuery",
    "HttpRequest",
    "Json",
    "Form",
    "MultipartForm",
    "Multipart",
    "Bytes",
    "String",
    "Data",
    "ReqData",
    "Header",
    "Payload",
];

/// Where a value of an entry on a handler comes from.
pub(super) fn of_handler(sig: &Signature, value: &Expr) -> UrlOrigin {
    let tokens = value.to_token_stream();
    if !UrlArguments::of(sig).parts_of(value).is_nothing() {
        return UrlOrigin::Known;
    }
    for argument in &sig.inputs {
        let FnArg::Typed(typed) = argument else {
            continue;
        };
        let mut names = Names::default();
        names.visit_pat(&typed.pat);
        let mut ty = KnownType(false);
        ty.visit_type(&typed.ty);
        if !ty.0 && occurs(&tokens, &|word| names.has(word)) {
            return UrlOrigin::Argument(written(argument));
        }
    }
    UrlOrigin::Known
}

/// Where a value of `tag!` comes from.
pub(super) fn of_body(value: &Expr) -> UrlOrigin {
    match UrlArguments::default().parts_of(value).is_nothing() {
        true => UrlOrigin::Body,
        false => UrlOrigin::Known,
    }
}

struct KnownType(bool);

impl<'a> Visit<'a> for KnownType {
    fn visit_path_segment(&mut self, segment: &'a PathSegment) {
        self.0 |= KNOWN.iter().any(|known| segment.ident == known);
        visit::visit_path_segment(self, segment);
    }
}
