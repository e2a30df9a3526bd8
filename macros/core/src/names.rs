//! The names that patterns bind, also those of arguments.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Expr, FnArg, Macro, PatIdent, Receiver, Token};

#[derive(Default)]
pub(crate) struct Names(pub(crate) HashSet<Ident>);

impl Names {
    /// The names of arguments, including `self`.
    pub(crate) fn of<'a>(inputs: impl IntoIterator<Item = &'a FnArg>) -> Self {
        let mut names = Self::default();
        inputs.into_iter().for_each(|it| names.visit_fn_arg(it));
        names
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|name| name == word)
    }

    /// Removes the names that occur in `tokens`, at any depth, and returns them in that order.
    pub(crate) fn take_named(&mut self, tokens: TokenStream) -> Vec<Ident> {
        let named = |token| match token {
            TokenTree::Ident(name) => self.0.take(&name).into_iter().collect(),
            TokenTree::Group(group) => self.take_named(group.stream()),
            _ => Vec::new(),
        };
        tokens.into_iter().flat_map(named).collect()
    }
}

impl<'a> Visit<'a> for Names {
    fn visit_pat_ident(&mut self, pattern: &'a PatIdent) {
        self.0.insert(pattern.ident.clone());
        visit::visit_pat_ident(self, pattern);
    }

    fn visit_macro(&mut self, mac: &'a Macro) {
        for argument in formatted(mac) {
            Visit::visit_expr(self, &argument);
        }
    }

    fn visit_receiver(&mut self, receiver: &'a Receiver) {
        self.0.insert(Ident::from(receiver.self_token));
    }
}

/// The arguments of a `format!`, which are tokens to syn. Empty for another macro, whose tokens may be anything.
pub(crate) fn formatted(mac: &Macro) -> Vec<Expr> {
    let name = mac.path.segments.last().map(|it| it.ident.to_string());
    if !name.is_some_and(|name| ["format", "format_args"].contains(&name.as_str())) {
        return Vec::new();
    }
    let parse = Punctuated::<Expr, Token![,]>::parse_terminated;
    let arguments = mac.parse_body_with(parse).unwrap_or_default();
    // The name in `name = value` is that of a place in the text.
    let value = |argument| match argument {
        Expr::Assign(named) => *named.right,
        argument => argument,
    };
    arguments.into_iter().map(value).collect()
}
