//! Entries: their values, their options, and their keys together.

use std::collections::HashSet;

use proc_macro2::Ident;
use syn::punctuated::Punctuated;
use syn::visit::{self, Visit};
use syn::{Error, Expr, ExprAsync, ExprClosure, ExprPath, FnArg, Pat, Token};

use crate::names::Names;
use crate::parse::{Entry, EntryOption, Form, Part, Target};
use crate::readers;

/// The arguments of a function.
pub(super) type Inputs = Punctuated<FnArg, Token![,]>;

/// Reports the mistakes of entries beside those of their keys. They stand on a function with these arguments, or in `tag!`.
pub(super) fn check<'a>(
    entries: impl IntoIterator<Item = &'a Entry> + Clone,
    inputs: Option<&Inputs>,
    errors: &mut Vec<Error>,
) {
    for entry in entries.clone() {
        errors.extend(on_spread(entry));
        errors.extend(unfit(entry, inputs));
    }
    check_duplicates(entries, errors);
}

/// The errors for an entry that can't be expanded.
pub(super) fn unfit(entry: &Entry, inputs: Option<&Inputs>) -> Vec<Error> {
    let mut errors = Vec::from_iter(escaping(entry, inputs.is_none()));
    let arguments = Names::of(inputs.into_iter().flatten());
    errors.extend(expressions(entry).find_map(|it| readers::unreadable(it, &arguments)));
    for option in &entry.options {
        match (&option.form, inputs) {
            (Form::Result(_, pattern), Some(inputs)) => {
                errors.extend(gone(entry, pattern, inputs));
            }
            (Form::Result(..), None) => errors.push(without_result(option, "`tag!`")),
            (Form::Baggage, inputs) => errors.extend(too_late(entry, option, inputs.is_none())),
            _ => {}
        }
    }
    errors
}

/// The error for a value that is to travel where nothing that calls out comes after it.
fn too_late(entry: &Entry, option: &EntryOption, in_tag: bool) -> Option<Error> {
    let message = if in_tag {
        "`baggage` is for a whole body, and `tag!` stands within one: put this entry on the function, in `#[biz_attrs(…)]` or \
         `#[traced(attrs(…))]`"
    } else if entry.is_on_result() {
        "`baggage` travels with what the body calls, and its result is there after that: remove it, or set what is known before \
         the body in an entry of its own"
    } else {
        return None;
    };
    Some(Error::new(option.name.span(), message))
}

/// The error for an option on a result where there is none.
pub(crate) fn without_result(option: &EntryOption, place: &str) -> Error {
    let name = &option.name;
    let message =
        format!("`{name}` waits for a function's result, and {place} has none: remove it");
    Error::new(name.span(), message)
}

/// The group of `when`.
const CONDITION: u8 = 3;

/// Options of which an entry has one at most, and what they say.
fn group(form: &Form) -> (u8, &'static str) {
    match form {
        Form::Hash | Form::Mask(_) | Form::Pii => (0, "how the value is protected"),
        Form::Display | Form::Debug => (1, "how the value is formatted"),
        Form::Result(..) => (2, "what the value is evaluated on"),
        Form::When(_) => (
            CONDITION,
            "when the attribute is set: join the conditions with `&&`",
        ),
        Form::MaxLen(_) => (4, "how long the value may be"),
        Form::Inherit => (5, "that children have the attribute, too"),
        Form::Baggage => (6, "that the value travels"),
    }
}

/// Reports options that don't go together, and numbers that are none, and takes these options out.
pub(crate) fn check_options(options: &mut Vec<EntryOption>, errors: &mut Vec<Error>) {
    let mut seen: Vec<(u8, Ident)> = Vec::new();
    options.retain(|option| {
        let mistake = conflict(option, &mut seen).or_else(|| not_characters(option));
        let is_right = mistake.is_none();
        errors.extend(mistake);
        is_right
    });
}

/// The error for an option that says again what one before it says.
fn conflict(option: &EntryOption, seen: &mut Vec<(u8, Ident)>) -> Option<Error> {
    let EntryOption { name, form } = option;
    let (group, says) = group(form);
    let Some((_, first)) = seen.iter().find(|(other, _)| *other == group) else {
        seen.push((group, name.clone()));
        return None;
    };
    let message = if group == CONDITION {
        format!("`{first}` and `{name}` both say {says}")
    } else if first == name {
        format!("`{name}` is set twice: keep one of the two")
    } else {
        format!("`{first}` and `{name}` both say {says}: keep one of the two")
    };
    Some(Error::new(name.span(), message))
}

/// The error for a number that is no number of characters.
fn not_characters(EntryOption { name, form }: &EntryOption) -> Option<Error> {
    let (number, least) = match form {
        Form::MaxLen(number) => (number, 1),
        Form::Mask(number) => (number, 0),
        _ => return None,
    };
    let is_one =
        number.suffix().is_empty() && number.base10_parse::<u32>().is_ok_and(|n| n >= least);
    (!is_one).then(|| {
        let message =
            format!("`{name}` takes a number of characters, {least} or more, such as `{name}(4)`");
        Error::new(number.span(), message)
    })
}

/// The error for an option that says how a value becomes an attribute, where a whole type's attributes stand.
fn on_spread(entry: &Entry) -> Option<Error> {
    let Target::Spread(_) = entry.target else {
        return None;
    };
    let on_value = |option: &&EntryOption| !matches!(option.form, Form::When(_) | Form::Result(..));
    let option = entry.options.iter().find(on_value)?;
    let name = &option.name;
    let message = format!(
        "`{name}` is about one attribute, and `..` sets all that a type declares: put it on the type's field, `#[biz({name})]`"
    );
    Some(Error::new(name.span(), message))
}

/// The expressions of an entry: its value, and its condition.
fn expressions(entry: &Entry) -> impl Iterator<Item = &Expr> {
    let conditions = entry
        .options
        .iter()
        .filter_map(|option| match &option.form {
            Form::When(condition) => Some(condition),
            _ => None,
        });
    conditions.chain([&entry.value])
}

/// The error for a value that would leave the function, or wait.
fn escaping(entry: &Entry, in_tag: bool) -> Option<Error> {
    let (place, what) = Escapes::of(expressions(entry))?;
    let message = if in_tag {
        format!(
            "{what} can't stand in a value, which is evaluated only where a span is recorded: compute it in a `let` before `tag!`"
        )
    } else if entry.is_on_result() {
        format!(
            "{what} can't stand in a value, which is evaluated once the body has run: compute it in the body"
        )
    } else {
        format!(
            "{what} can't stand in a value, which is evaluated before the body runs: compute it in the body, or use an \
             `Option`, of which `None` sets nothing"
        )
    };
    Some(Error::new_spanned(place, message))
}

/// The error for a condition of a field that would leave the function, or read a request.
pub(crate) fn out_of_place(condition: &Expr) -> Option<Error> {
    if let Some((place, what)) = Escapes::of([condition]) {
        let message = format!(
            "{what} can't stand in a condition, which decides on one field: write an expression that is a `bool`"
        );
        return Some(Error::new_spanned(place, message));
    }
    let reader = readers::first(condition)?;
    let message = format!(
        "`{reader}(…)` reads a request, which a struct knows nothing of: put it on an entry of `#[biz_attrs]`"
    );
    Some(Error::new(reader.span(), message))
}

/// The error for a value on the result that needs what the body has taken.
fn gone(entry: &Entry, pattern: &Pat, inputs: &Inputs) -> Option<Error> {
    let arguments = Names::of(inputs);
    let mut bound = Names::default();
    bound.visit_pat(pattern);
    expressions(entry).for_each(|expr| bound.visit_expr(expr));
    let mut gone = Gone {
        arguments: arguments.0.difference(&bound.0).cloned().collect(),
        first: None,
    };
    expressions(entry).for_each(|expr| gone.visit_expr(expr));
    if let Some(argument) = gone.first {
        let message = format!(
            "`{argument}` has moved into the body, which has run by now: only what the pattern binds is there. Set what comes \
             from the arguments in an entry of its own, without `ok`, `err` and `ret`"
        );
        return Some(Error::new(argument.span(), message));
    }
    let reader = expressions(entry).find_map(readers::first)?;
    let message = format!(
        "`{reader}(…)` reads the request before the body runs, and this is evaluated after it: make it an entry of its own"
    );
    Some(Error::new(reader.span(), message))
}

/// The first of the arguments that an expression names.
struct Gone {
    arguments: HashSet<Ident>,
    first: Option<Ident>,
}

impl<'a> Visit<'a> for Gone {
    fn visit_expr_path(&mut self, path: &'a ExprPath) {
        if let Some(name) = path.path.get_ident()
            && self.arguments.contains(name)
        {
            self.first.get_or_insert_with(|| name.clone());
        }
    }
}

/// The first expression that leaves a value, if it has one.
#[derive(Default)]
struct Escapes<'a> {
    first: Option<(&'a Expr, &'static str)>,
    /// Loops around what is looked at.
    loops: usize,
}

impl<'a> Escapes<'a> {
    fn of(expressions: impl IntoIterator<Item = &'a Expr>) -> Option<(&'a Expr, &'static str)> {
        let mut escapes = Self::default();
        expressions
            .into_iter()
            .for_each(|it| escapes.visit_expr(it));
        escapes.first
    }
}

impl<'a> Visit<'a> for Escapes<'a> {
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

    // What stands in these leaves them only.
    fn visit_expr_closure(&mut self, _: &'a ExprClosure) {}
    fn visit_expr_async(&mut self, _: &'a ExprAsync) {}
}

/// Two that set the same key unconditionally, at the same time.
fn check_duplicates<'a>(entries: impl IntoIterator<Item = &'a Entry>, errors: &mut Vec<Error>) {
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
fn phase(options: &[EntryOption]) -> Option<Option<Part>> {
    let mut phase = None;
    for option in options {
        match &option.form {
            Form::When(_) => return None,
            Form::Result(part, Pat::Ident(_) | Pat::Wild(_)) => phase = Some(*part),
            Form::Result(..) => return None,
            _ => {}
        }
    }
    Some(phase)
}
