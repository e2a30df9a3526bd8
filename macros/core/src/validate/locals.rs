//! Values that name a local of the function's body. An entry never sees it.

use std::collections::HashSet;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::visit::Visit;
use syn::{Error, Expr, ExprCall, ExprMethodCall, ExprPath, Macro};

use crate::names::{Names, formatted};
use crate::parse::{Effect, Entry};

/// The names that `let` binds in a body, at any depth.
pub(super) fn of_body(statements: &TokenStream) -> Names {
    let mut names = Names::default();
    collect(statements.clone(), false, &mut names.0);
    names
}

/// Collects the names between a `let` and its `:`, `=` or `;`. `in_pattern` if `tokens` are in brackets there.
fn collect(tokens: TokenStream, in_pattern: bool, names: &mut HashSet<Ident>) {
    let mut binds = in_pattern;
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "let" => binds = true,
            TokenTree::Ident(name) => {
                let colon =
                    |next: &TokenTree| matches!(next, TokenTree::Punct(it) if it.as_char() == ':');
                let is_field = in_pattern && tokens.peek().is_some_and(colon);
                let is_type = name.to_string().starts_with(char::is_uppercase);
                if binds && !is_field && !is_type {
                    names.insert(name);
                }
            }
            TokenTree::Group(group) => collect(group.stream(), binds, names),
            TokenTree::Punct(punct) => {
                let ends_pattern = matches!(punct.as_char(), ':' | '=' | ';');
                binds &= in_pattern || !ends_pattern;
            }
            TokenTree::Literal(_) => {}
        }
    }
}

/// The error for a value that names one of `locals`, the names that `let` binds in the body.
///
/// It can't mean a constant or a static: a `let` of its name does not compile. It may mean a function, so a name that is called or
/// handed to a method is left to rustc.
pub(super) fn named_by(entry: &Entry, locals: &Names, arguments: &Names) -> Option<Error> {
    let mut visible = Names(arguments.0.clone());
    for option in &entry.options {
        if let Effect::OnResult(_, pattern) = &option.effect {
            visible.visit_pat(pattern);
        }
    }
    entry
        .expressions()
        .for_each(|expr| visible.visit_expr(expr));
    let mut search = Search {
        locals: locals.0.difference(&visible.0).cloned().collect(),
        found: None,
    };
    entry.expressions().for_each(|expr| search.visit_expr(expr));
    let local = search.found?;
    let when = if entry.is_on_result() {
        "has ended when this is evaluated"
    } else {
        "has not begun when this is evaluated"
    };
    let target = entry.key().map(|key| format!("{} = ", key.name));
    let target = target.unwrap_or_else(|| "..".to_owned());
    let message = format!(
        "`{local}` is a local of the body, which {when}: set this in the body, below its `let`, with `tag!({target}…)`"
    );
    Some(Error::new(local.span(), message))
}

/// The first local that an expression names.
struct Search {
    locals: HashSet<Ident>,
    found: Option<Ident>,
}

impl<'a> Visit<'a> for Search {
    fn visit_expr_path(&mut self, path: &'a ExprPath) {
        if let Some(name) = path.path.get_ident()
            && self.locals.contains(name)
        {
            self.found.get_or_insert_with(|| name.clone());
        }
    }

    fn visit_macro(&mut self, mac: &'a Macro) {
        for argument in formatted(mac) {
            Visit::visit_expr(self, &argument);
        }
    }

    fn visit_expr_call(&mut self, call: &'a ExprCall) {
        let called = [&*call.func].into_iter().filter(|it| !is_name(it));
        called.chain(&call.args).for_each(|it| self.visit_expr(it));
    }

    fn visit_expr_method_call(&mut self, call: &'a ExprMethodCall) {
        let arguments = call.args.iter().filter(|it| !is_name(it));
        [&*call.receiver]
            .into_iter()
            .chain(arguments)
            .for_each(|it| self.visit_expr(it));
    }
}

fn is_name(expr: &Expr) -> bool {
    matches!(expr, Expr::Path(_))
}
