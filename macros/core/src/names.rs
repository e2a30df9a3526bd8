//! The names that patterns bind, also those of arguments.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{FnArg, PatIdent, Receiver};

#[derive(Default)]
pub(crate) struct Names(pub(crate) HashSet<Ident>);

impl Names {
    /// The names of arguments, including `self`.
    pub(crate) fn of<'a>(inputs: impl IntoIterator<Item = &'a FnArg>) -> Self {
        let mut names = Self::default();
        inputs.into_iter().for_each(|it| names.visit_fn_arg(it));
        names
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

    fn visit_receiver(&mut self, receiver: &'a Receiver) {
        self.0.insert(Ident::from(receiver.self_token));
    }
}
