//! The second step: mistakes in what was read, each at the tokens at fault, with the fix.

mod entries;
mod function;
mod keys;

use syn::Error;

use crate::parse::{Annotated, Entry};

pub(crate) use entries::{check_options, out_of_place, without_result};
pub(crate) use keys::{malformed, mistaken_prefix, reserved};

/// Reports every mistake in `annotated`, and takes the entries out that can't be expanded. `false` if the function can't.
pub(crate) fn annotated(annotated: &mut Annotated, errors: &mut Vec<Error>) -> bool {
    let before = errors.len();
    function::check_openers(&annotated.openers, errors);
    errors.extend(function::unservable(annotated));
    function::without_result(annotated, errors);
    let can_be_expanded = errors.len() == before;
    errors.extend(keys(annotated.entries(), malformed));
    errors.extend(keys(&annotated.tags, reserved));
    for entry in annotated.entries_mut() {
        check_options(&mut entry.options, errors);
    }
    let inputs = &annotated.function.sig.inputs;
    entries::check(annotated.entries(), Some(inputs), errors);
    let is_fit = |entry: &Entry| entries::unfit(entry, Some(inputs)).is_empty();
    annotated.tags.retain(is_fit);
    for opener in &mut annotated.openers {
        opener.options.attrs.retain(is_fit);
    }
    can_be_expanded
}

/// Reports every mistake in the entries of `tag!`, and takes those out that can't be expanded.
pub(crate) fn tags(tags: &mut Vec<Entry>, errors: &mut Vec<Error>) {
    errors.extend(keys(&*tags, malformed));
    errors.extend(keys(&*tags, reserved));
    for entry in &mut *tags {
        check_options(&mut entry.options, errors);
    }
    entries::check(&*tags, None, errors);
    tags.retain(|entry| entries::unfit(entry, None).is_empty());
}

fn keys<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    mistake: fn(&crate::parse::Key) -> Option<Error>,
) -> impl Iterator<Item = Error> {
    let keys = entries.into_iter().filter_map(Entry::key);
    keys.filter_map(mistake)
}
