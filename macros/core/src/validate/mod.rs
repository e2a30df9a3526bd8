//! The second step: mistakes in what was read, each at the tokens at fault, with the fix.

mod database;
mod entries;
mod function;
mod keys;
mod locals;
mod tag_options;

use syn::Error;

use crate::parse::{Annotated, Entry, Key};

use entries::Surroundings;
pub(crate) use entries::misplaced_condition;
use keys::of_tracing;
pub(crate) use keys::{malformed, malformed_prefix, reserved};
pub(crate) use tag_options::{check_options, only_for_one_attribute};

/// Reports every mistake in `annotated`, and takes out the entries that can't be expanded. `false` if the function can't be.
pub(crate) fn annotated(annotated: &mut Annotated, errors: &mut Vec<Error>) -> bool {
    let before = errors.len();
    function::check_span_attributes(&annotated.span_attributes, errors);
    errors.extend(function::unsupported(annotated));
    function::without_result(annotated, errors);
    let can_be_expanded = errors.len() == before;
    errors.extend(keys(annotated.entries(), malformed));
    errors.extend(keys(annotated.attrs(), of_tracing));
    errors.extend(keys(&annotated.tags, reserved));
    for entry in annotated.entry_lists_mut().flatten() {
        check_options(&mut entry.options, errors);
    }
    entries::check_duplicates(annotated.entries(), errors);
    let surroundings = Surroundings::function(&annotated.function);
    for entries in annotated.entry_lists_mut() {
        entries::check(entries, &surroundings, errors);
    }
    for attribute in &mut annotated.span_attributes {
        database::check(&mut attribute.options, &surroundings.arguments, errors);
    }
    can_be_expanded
}

/// Reports every mistake in the entries of `tag!`, and takes out the entries that can't be expanded.
pub(crate) fn tags(tags: &mut Vec<Entry>, errors: &mut Vec<Error>) {
    errors.extend(keys(&*tags, malformed));
    errors.extend(keys(&*tags, reserved));
    for entry in &mut *tags {
        check_options(&mut entry.options, errors);
    }
    entries::check_duplicates(&*tags, errors);
    entries::check(tags, &Surroundings::tag_macro(), errors);
}

fn keys<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    mistake: fn(&Key) -> Option<Error>,
) -> impl Iterator<Item = Error> {
    let keys = entries.into_iter().filter_map(Entry::key);
    keys.filter_map(mistake)
}
