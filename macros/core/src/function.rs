//! The annotated function: its signature is parsed, its statements stay tokens.
//!
//! Half-typed statements so reach rustc, which has the better message for them.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, TokenStreamExt, quote};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, Expr, Signature, Token, Visibility, braced, token};

use crate::names::Names;

/// A function with a body. `to_tokens` gives back what was parsed.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Body,
}

pub(crate) struct Body {
    pub(crate) brace: token::Brace,
    pub(crate) inner_attrs: Vec<Attribute>,
    pub(crate) statements: TokenStream,
}

impl Function {
    /// Parses the item that `#[attribute]` stands on. The error for any other kind of item says where the attribute goes.
    pub(crate) fn parse(
        attribute: &Ident,
        attrs: Vec<Attribute>,
        item: TokenStream,
    ) -> syn::Result<Self> {
        let parser = |input: ParseStream<'_>| {
            let vis = input.parse()?;
            let sig: Signature = input.parse().map_err(|error: Error| {
                Error::new(
                    error.span(),
                    format!("`#[{attribute}]` goes on a function or method: {error}"),
                )
            })?;
            if input.peek(Token![;]) {
                let message = format!(
                    "`{}` has no body for `#[{attribute}]` to wrap: put the attribute on its implementations",
                    sig.ident
                );
                return Err(Error::new_spanned(&sig.ident, message));
            }
            let body;
            let brace = braced!(body in input);
            let body = Body {
                brace,
                inner_attrs: body.call(Attribute::parse_inner)?,
                statements: body.parse()?,
            };
            Ok(Self {
                attrs,
                vis,
                sig,
                body,
            })
        };
        parser
            .parse2(item.clone())
            .map_err(|error| misplaced(attribute, item).unwrap_or(error))
    }

    /// Makes the arguments that `tokens` name count as used, although their entry can't be expanded.
    pub(crate) fn use_arguments(&mut self, tokens: TokenStream) {
        let named = Names::of(&self.sig.inputs).take_named(tokens);
        let statements = &self.body.statements;
        self.body.statements = quote!(#(let _ = &#named;)* #statements);
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        tokens.append_all(&self.attrs);
        self.vis.to_tokens(tokens);
        self.sig.to_tokens(tokens);
        self.body.brace.surround(tokens, |tokens| {
            tokens.append_all(&self.body.inner_attrs);
            self.body.statements.to_tokens(tokens);
        });
    }
}

/// The keywords that items other than functions start with.
const OTHER_ITEMS: [&str; 10] = [
    "impl", "trait", "mod", "struct", "enum", "union", "static", "type", "use", "let",
];

/// The error for an item that is not a function: for an expression, or at the keyword that says what it is.
fn misplaced(attribute: &Ident, item: TokenStream) -> Option<Error> {
    if let Some(expr) = expression(&item) {
        let what = match &expr {
            Expr::Closure(_) => "a closure",
            Expr::Async(_) => "an async block",
            _ => "an expression",
        };
        let message = format!(
            "`#[{attribute}]` can't go on {what}: move the code into a function, and put the attribute there"
        );
        return Some(Error::new_spanned(expr, message));
    }
    let words = item.into_iter().filter_map(|token| match token {
        TokenTree::Ident(word) => Some(word),
        _ => None,
    });
    let keyword = words
        .take_while(|word| word != "fn")
        .find(|word| OTHER_ITEMS.iter().any(|other| word == other))?;
    let message = format!(
        "`#[{attribute}]` can't go on `{keyword}`: put it on each function or method that has a body"
    );
    Some(Error::new(keyword.span(), message))
}

/// The expression that `item` is. The call of a macro may be an item instead, and syn takes a `let` for an expression.
pub(crate) fn expression(item: &TokenStream) -> Option<Expr> {
    let read = |input: ParseStream<'_>| {
        let expr = input.parse()?;
        input.parse::<Option<Token![;]>>()?;
        Ok(expr)
    };
    let expr = read.parse2(item.clone()).ok()?;
    (!matches!(expr, Expr::Macro(_) | Expr::Let(_))).then_some(expr)
}
