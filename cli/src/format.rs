//! Formats generated code for a place in a file.

use std::panic;

use proc_macro2::TokenStream;
use quote::quote;

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

/// `None` for syntax that the formatter does not know, such as unstable syntax: it panics there.
fn unparse(code: TokenStream) -> Option<String> {
    let file: syn::File = syn::parse2(code).ok()?;
    let hook = panic::take_hook();
    panic::set_hook(Box::new(|_| {}));
    let formatted = panic::catch_unwind(|| prettyplease::unparse(&file));
    panic::set_hook(hook);
    formatted.ok()
}
