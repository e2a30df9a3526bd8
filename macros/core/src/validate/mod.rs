//! The second step: mistakes in what was read, each at the tokens at fault, with the fix.

use std::collections::HashSet;

use quote::quote;
use syn::visit::{self, Visit};
use syn::{Error, Expr, ExprAsync, ExprClosure, Signature, TraitBound};

use crate::parse::{Annotated, Entry, KINDS, Key, Opener};

/// The namespaces that the middleware fills.
const RESERVED: [&str; 7] = ["otel", "http", "url", "network", "server", "client", "code"];

/// OpenTelemetry sets no limit; this one keeps a key from being a value.
const MAX_KEY_BYTES: usize = 255;

/// Reports every mistake in `annotated`.
pub(crate) fn check(annotated: &Annotated, errors: &mut Vec<Error>) {
    check_openers(&annotated.openers, errors);
    errors.extend(unservable(annotated));

    let attrs = || {
        annotated
            .openers
            .iter()
            .flat_map(|opener| &opener.options.attrs)
    };
    errors.extend(
        attrs()
            .chain(&annotated.tags)
            .filter_map(|entry| malformed(&entry.key)),
    );
    errors.extend(
        annotated
            .tags
            .iter()
            .filter_map(|entry| reserved(&entry.key)),
    );
    errors.extend(attrs().chain(&annotated.tags).filter_map(escaping));
    check_duplicates(attrs().chain(&annotated.tags), errors);
}

fn check_openers(openers: &[Opener], errors: &mut Vec<Error>) {
    for opener in openers {
        let Some(kind) = &opener.options.kind else {
            continue;
        };
        if !KINDS.iter().any(|(name, _)| *name == kind.value()) {
            let kinds = KINDS.map(|(name, _)| format!("`\"{name}\"`")).join(", ");
            errors.push(Error::new(
                kind.span(),
                format!("no such kind of span: it is one of {kinds}"),
            ));
        }
    }
    let Some((first, others)) = openers.split_first() else {
        return;
    };
    for other in others {
        let message = if other.name == first.name {
            format!(
                "`#[{}]` stands twice on this function: keep one of the two",
                other.name
            )
        } else {
            "this function has both `#[traced_handler]` and `#[traced]`: keep `#[traced_handler]` on an actix-web handler, \
             `#[traced]` elsewhere"
                .to_owned()
        };
        errors.push(Error::new(other.name.span(), message));
    }
}

/// The error for a function that the attributes can't serve.
fn unservable(annotated: &Annotated) -> Option<Error> {
    let sig = &annotated.function.sig;
    if let Some(constness) = &sig.constness {
        let message = "a `const fn` runs at compile time too, where nothing can be traced: remove `const` or the attribute";
        return Some(Error::new_spanned(constness, message));
    }
    if let Some(abi) = &sig.abi {
        let message = "a function with a foreign ABI is not traced: put the attribute on a Rust function that it calls";
        return Some(Error::new_spanned(abi, message));
    }
    if let Some(variadic) = &sig.variadic {
        let message =
            "a variadic function is not traced: put the attribute on a Rust function that it calls";
        return Some(Error::new_spanned(variadic, message));
    }
    if let Some(future) = returned_future(sig)
        && !annotated.openers.is_empty()
    {
        let message = "a function that returns a future is not traced, since its span would end before the future runs: write \
                       `async fn`, or put the attribute on an `async fn` that it calls (in an `async_trait` too)";
        return Some(Error::new_spanned(future, message));
    }
    if sig.asyncness.is_none() && annotated.openers.iter().any(Opener::is_handler) {
        let (fn_token, name) = (&sig.fn_token, &sig.ident);
        let message = format!(
            "an actix-web handler is an `async fn`: write `async fn {name}`, or use `#[traced]`, which serves sync functions"
        );
        return Some(Error::new_spanned(quote!(#fn_token #name), message));
    }
    None
}

/// The `Future` in the return type of a function that is not async, as `async_trait` makes one of each method.
fn returned_future(sig: &Signature) -> Option<&TraitBound> {
    struct Find<'a>(Option<&'a TraitBound>);
    impl<'a> Visit<'a> for Find<'a> {
        fn visit_trait_bound(&mut self, bound: &'a TraitBound) {
            let name = bound.path.segments.last();
            if name.is_some_and(|segment| segment.ident == "Future") {
                self.0.get_or_insert(bound);
            }
        }
    }
    let mut find = Find(None);
    find.visit_return_type(&sig.output);
    find.0.filter(|_| sig.asyncness.is_none())
}

/// The error for a key that breaks OpenTelemetry's naming rules for attributes.
fn malformed(key: &Key) -> Option<Error> {
    let name = &key.name;
    let message = if name.len() > MAX_KEY_BYTES {
        format!(
            "this key has {} bytes: at most {MAX_KEY_BYTES} are allowed",
            name.len()
        )
    } else if name.contains(|c: char| c.is_ascii_uppercase()) {
        format!("a key is in lower case: write `{}`", snake_case(name))
    } else {
        let segment = name
            .split('.')
            .find(|segment| !is_segment(segment, key.quoted))?;
        format!(
            "`{segment}` can't stand in a key: between its dots are names such as `order_id`, of `a-z`, `0-9` and single `_` \
             (`-` too in a string literal), from a letter to a letter or digit"
        )
    };
    Some(Error::new_spanned(&key.tokens, message))
}

fn is_segment(segment: &str, quoted: bool) -> bool {
    let allowed = |c: char| matches!(c, 'a'..='z' | '0'..='9' | '_') || (quoted && c == '-');
    segment.starts_with(|c: char| c.is_ascii_lowercase())
        && segment.chars().all(allowed)
        && !segment.ends_with(['_', '-'])
        && !segment.contains("__")
}

/// `orderId` → `order_id`, `HTTPRoute` → `http_route`.
fn snake_case(name: &str) -> String {
    let chars: Vec<char> = name.chars().collect();
    let mut snake = String::new();
    for (i, c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|i| chars.get(i));
        let after = chars.get(i + 1);
        let starts_word = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
            || before.is_some_and(char::is_ascii_uppercase)
                && after.is_some_and(char::is_ascii_lowercase);
        if c.is_ascii_uppercase() && starts_word {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake
}

/// The error for a key of `#[biz_attrs]` in a namespace that is not the user's.
fn reserved(key: &Key) -> Option<Error> {
    let namespace = key.name.split('.').next()?;
    RESERVED.contains(&namespace).then(|| {
        let message = format!("the middleware fills the namespace `{namespace}`: use one of your own, such as `order.`");
        Error::new_spanned(&key.tokens, message)
    })
}

/// The error for a value that would leave the function, or wait: it is evaluated before the body runs.
fn escaping(entry: &Entry) -> Option<Error> {
    let mut escapes = Escapes(None);
    escapes.visit_expr(&entry.value);
    let (place, what) = escapes.0?;
    let message = format!(
        "{what} can't stand in a value, which is evaluated before the body runs: compute it in the body, or use an `Option`, \
         of which `None` sets nothing"
    );
    Some(Error::new_spanned(place, message))
}

/// The first expression that leaves a value, if it has one.
struct Escapes<'a>(Option<(&'a Expr, &'static str)>);

impl<'a> Visit<'a> for Escapes<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        let what = match expr {
            Expr::Await(_) => "`.await`",
            Expr::Return(_) => "`return`",
            Expr::Try(_) => "`?`",
            _ => return visit::visit_expr(self, expr),
        };
        self.0.get_or_insert((expr, what));
    }

    // What stands in these leaves them only.
    fn visit_expr_closure(&mut self, _: &'a ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'a ExprAsync) {}
}

fn check_duplicates<'a>(entries: impl Iterator<Item = &'a Entry>, errors: &mut Vec<Error>) {
    let mut seen = HashSet::new();
    for Entry { key, .. } in entries {
        if !seen.insert(key.name.as_str()) {
            let message = format!(
                "`{}` is set twice: keep one of the two, or rename this one",
                key.name
            );
            errors.push(Error::new_spanned(&key.tokens, message));
        }
    }
}
