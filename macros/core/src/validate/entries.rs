//! Entries: whether their values can be evaluated where they stand, and their keys together.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::visit::{self, Visit};
use syn::{Error, Expr, ExprAsync, ExprClosure, ExprPath, Macro, Pat};

use super::locals;
use super::tag_options::only_for_one_attribute;
use crate::function::Function;
use crate::names::{Names, formatted};
use crate::parse::{Effect, Entry, EntryTarget, ListKind, Needs, ResultArm, TagOption};
use crate::readers;

/// What the entries of a list stand in.
pub(super) struct Surroundings {
    list: ListKind,
    /// The names of the function's arguments.
    pub(super) arguments: Names,
    /// The names that its body binds.
    locals: Names,
}

impl Surroundings {
    pub(super) fn function(function: &Function) -> Self {
        Self {
            list: ListKind::Function,
            arguments: Names::of(&function.sig.inputs),
            locals: locals::of_body(&function.body.statements),
        }
    }

    pub(super) fn tag_macro() -> Self {
        Self {
            list: ListKind::TagMacro,
            arguments: Names::default(),
            locals: Names::default(),
        }
    }
}

/// Reports the mistakes of entries, beside those of their keys, and takes out the entries that can't be expanded.
pub(super) fn check(
    entries: &mut Vec<Entry>,
    surroundings: &Surroundings,
    errors: &mut Vec<Error>,
) {
    entries.retain(|entry| {
        errors.extend(on_spread(entry));
        let obstacles = obstacles(entry, surroundings);
        let can_be_expanded = obstacles.is_empty();
        errors.extend(obstacles);
        can_be_expanded
    });
}

/// The errors for an entry that can't be expanded.
fn obstacles(entry: &Entry, surroundings: &Surroundings) -> Vec<Error> {
    let mut errors = Vec::from_iter(control_flow(entry, surroundings.list));
    let arguments = &surroundings.arguments;
    errors.extend(
        entry
            .expressions()
            .find_map(|it| readers::unreadable(it, arguments)),
    );
    errors.extend(locals::named_by(entry, &surroundings.locals, arguments));
    for option in &entry.options {
        let refusal = surroundings.list.refusal(&option.row);
        let refusal = refusal.or_else(|| too_late(entry, option));
        if let Some(message) = refusal {
            errors.push(Error::new(option.name.span(), message));
        } else if let Effect::OnResult(_, pattern) = &option.effect {
            errors.extend(moved_argument(entry, pattern, arguments));
        }
    }
    errors
}

/// The message for an option that needs the body, on an entry that is evaluated once the body has run.
fn too_late(entry: &Entry, option: &TagOption) -> Option<String> {
    let is_late = option.row.meaning.needs == Needs::Body && entry.is_on_result();
    is_late.then(|| {
        format!(
            "`{}` takes effect while the body runs; a result is known only afterwards: remove it, or set a value that is known \
             before the body in an entry of its own",
            option.name
        )
    })
}

/// The error for an option of one attribute, where a whole type's attributes stand.
fn on_spread(entry: &Entry) -> Option<Error> {
    let EntryTarget::Spread(_) = entry.target else {
        return None;
    };
    let name = &only_for_one_attribute(&entry.options)?.name;
    let message = format!(
        "`{name}` applies to one attribute, and `..` sets every attribute that a type declares: put it on the type's field, \
         `#[biz({name})]`"
    );
    Some(Error::new(name.span(), message))
}

/// The error for a value that would leave the function, or wait.
fn control_flow(entry: &Entry, list: ListKind) -> Option<Error> {
    let (place, what) = ControlFlow::of(entry.expressions())?;
    let message = if list == ListKind::TagMacro {
        format!(
            "{what} can't stand in a value, which is evaluated only if a span is recorded: compute it in a `let` before `tag!`"
        )
    } else if entry.is_on_result() {
        format!(
            "{what} can't stand in a value, which is evaluated once the body has run: compute it in the body"
        )
    } else {
        format!(
            "{what} can't stand in a value, which is evaluated before the body runs: compute it in the body, or use an \
             `Option`: `None` sets nothing"
        )
    };
    Some(Error::new_spanned(place, message))
}

/// The error for a condition of a field that would leave the function, or read a request.
pub(crate) fn misplaced_condition(condition: &Expr) -> Option<Error> {
    if let Some((place, what)) = ControlFlow::of([condition]) {
        let message = format!(
            "{what} can't stand in a condition, which decides on one field: write an expression that is a `bool`"
        );
        return Some(Error::new_spanned(place, message));
    }
    let reader = readers::first(condition)?;
    let message = format!(
        "`{reader}(…)` reads a request, and a struct has none: put it on an entry of `#[biz_attrs]`"
    );
    Some(Error::new(reader.span(), message))
}

/// The error for a value on the result that needs an argument, or the request.
fn moved_argument(entry: &Entry, pattern: &Pat, arguments: &Names) -> Option<Error> {
    let mut bound = Names::default();
    bound.visit_pat(pattern);
    entry.expressions().for_each(|expr| bound.visit_expr(expr));
    let arguments = arguments.0.difference(&bound.0).cloned().collect();
    if let Some(argument) = first_argument(&arguments, entry.expressions()) {
        let message = format!(
            "`{argument}` has moved into the body, which has run by now: only the names that the pattern binds are left. Set \
             values from the arguments in an entry of their own, without `ok`, `err` or `ret`"
        );
        return Some(Error::new(argument.span(), message));
    }
    let reader = entry.expressions().find_map(readers::first)?;
    let message = format!(
        "`{reader}(…)` reads the request before the body runs, and this is evaluated after it: make it an entry of its own"
    );
    Some(Error::new(reader.span(), message))
}

/// The first of `arguments` that one of the expressions names.
pub(super) fn first_argument<'a>(
    arguments: &HashSet<Ident>,
    expressions: impl IntoIterator<Item = &'a Expr>,
) -> Option<Ident> {
    let mut search = FirstArgument {
        arguments,
        first: None,
    };
    expressions.into_iter().for_each(|it| search.visit_expr(it));
    search.first
}

struct FirstArgument<'s> {
    arguments: &'s HashSet<Ident>,
    first: Option<Ident>,
}

impl<'a> Visit<'a> for FirstArgument<'_> {
    fn visit_expr_path(&mut self, path: &'a ExprPath) {
        if let Some(name) = path.path.get_ident()
            && self.arguments.contains(name)
        {
            self.first.get_or_insert_with(|| name.clone());
        }
    }

    fn visit_macro(&mut self, mac: &'a Macro) {
        for argument in formatted(mac) {
            Visit::visit_expr(self, &argument);
        }
    }
}

/// The first expression that leaves a value, if it has one.
#[derive(Default)]
struct ControlFlow<'a> {
    first: Option<(&'a Expr, &'static str)>,
    /// How many loops are around the current expression.
    loops: usize,
}

impl<'a> ControlFlow<'a> {
    fn of(expressions: impl IntoIterator<Item = &'a Expr>) -> Option<(&'a Expr, &'static str)> {
        let mut found = Self::default();
        expressions.into_iter().for_each(|it| found.visit_expr(it));
        found.first
    }
}

impl<'a> Visit<'a> for ControlFlow<'a> {
    fn visit_expr(&mut self, expr: &'a Expr) {
        let what = match expr {
            Expr::Await(_) => "`.await`",
            Expr::Return(_) => "`return`",
            Expr::Try(_) => "`?`",
            Expr::Break(it) if it.label.is_none() && self.loops == 0 => "`break`",
            Expr::Continue(it) if it.label.is_none() && self.loops == 0 => "`continue`",
            Expr::Loop(_) | Expr::While(_) | Expr::ForLoop(_) => {
                self.loops += 1;
                visit::visit_expr(self, expr);
                self.loops -= 1;
                return;
            }
            _ => return visit::visit_expr(self, expr),
        };
        self.first.get_or_insert((expr, what));
    }

    // An expression in one of these leaves it only.
    fn visit_expr_closure(&mut self, _: &'a ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'a ExprAsync) {}
}

/// Reports entries that set the same key unconditionally, at the same time.
pub(super) fn check_duplicates<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    errors: &mut Vec<Error>,
) {
    let mut seen = HashSet::new();
    for entry in entries {
        if let (Some(key), Some(phase)) = (entry.key(), phase(&entry.options))
            && !seen.insert((key.name.as_str(), phase))
        {
            let message = format!(
                "`{}` is set twice: keep one of the two, or rename this one",
                key.name
            );
            errors.push(Error::new_spanned(&key.tokens, message));
        }
    }
}

/// What an entry is evaluated on, if it always is.
fn phase(options: &[TagOption]) -> Option<Option<ResultArm>> {
    let mut phase = None;
    for option in options {
        match &option.effect {
            Effect::When(_) => return None,
            Effect::OnResult(arm, Pat::Ident(_) | Pat::Wild(_)) => phase = Some(*arm),
            Effect::OnResult(..) => return None,
            _ => {}
        }
    }
    Some(phase)
}
