//! Formats generated code for a place in a file.

use std::panic;

use proc_macro2::TokenStream;
use quote::quote;
use syn::AngleBracketedGenericArguments;
use syn::visit::{self, Visit};

use crate::annotated::SiteKind;

/// Formats code, for `depth` levels of indentation; its first line has none.
pub(crate) fn format(kind: SiteKind, code: &TokenStream, depth: usize) -> String {
    let is_expression = matches!(kind, SiteKind::Tag | SiteKind::BracedTag);
    let mut wrapped = code.clone();
    // The formatter indents the content of items, and knows which lines must not be indented.
    for level in 0..depth {
        wrapped = if level == 0 && is_expression {
            quote!(fn f() { #wrapped })
        } else {
            quote!(mod m { #wrapped })
        };
    }
    let Some(formatted) = unparse(wrapped) else {
        return code.to_string();
    };
    let lines: Vec<&str> = formatted.lines().collect();
    let inner = lines
        .get(depth..lines.len().saturating_sub(depth))
        .unwrap_or_default();
    inner.join("\n").trim_start().to_owned()
}

/// `None` for generic arguments that are too deep, and for syntax that the formatter does not know, such as unstable syntax: it panics
/// there.
fn unparse(code: TokenStream) -> Option<String> {
    let file: syn::File = syn::parse2(code).ok()?;
    if Generics::of(&file).deepest > MAX_GENERICS {
        return None;
    }
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let formatted = panic::catch_unwind(|| prettyplease::unparse(&file));
    panic::set_hook(hook);
    formatted.ok()
}

/// The formatter indents generic arguments, a level each: its output grows with the square of their depth.
const MAX_GENERICS: usize = 256;

/// How deep generic arguments are nested.
#[derive(Default)]
struct Generics {
    open: usize,
    deepest: usize,
}

impl Generics {
    fn of(file: &syn::File) -> Self {
        let mut generics = Self::default();
        generics.visit_file(file);
        generics
    }
}

impl Visit<'_> for Generics {
    fn visit_angle_bracketed_generic_arguments(&mut self, it: &AngleBracketedGenericArguments) {
        self.open += 1;
        self.deepest = self.deepest.max(self.open);
        visit::visit_angle_bracketed_generic_arguments(self, it);
        self.open -= 1;
    }
}
