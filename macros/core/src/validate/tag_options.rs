//! The options of one tag: whether they go together, and with what they stand on.

use proc_macro2::Ident;
use syn::Error;

use crate::parse::{AppliesTo, Effect, Group, TagOption};

/// Reports options that contradict each other, and numbers out of range, and takes these options out.
pub(crate) fn check_options(options: &mut Vec<TagOption>, errors: &mut Vec<Error>) {
    let mut seen: Vec<(Group, Ident)> = Vec::new();
    options.retain(|option| {
        let mistake = conflict(option, &mut seen).or_else(|| not_characters(option));
        let is_right = mistake.is_none();
        errors.extend(mistake);
        is_right
    });
}

/// The error for the second option of a group.
fn conflict(option: &TagOption, seen: &mut Vec<(Group, Ident)>) -> Option<Error> {
    let name = &option.name;
    let group = option.row.meaning.group?;
    let Some((_, first)) = seen.iter().find(|(other, _)| *other == group) else {
        seen.push((group, name.clone()));
        return None;
    };
    let decision = match group {
        Group::Protection => "how the value is protected",
        Group::Format => "how the value is formatted",
        Group::ResultArm => "which result the value is evaluated on",
    };
    let message = format!("`{first}` and `{name}` both say {decision}: keep one of the two");
    Some(Error::new(name.span(), message))
}

/// The error for a number that is not a number of characters.
fn not_characters(option: &TagOption) -> Option<Error> {
    let name = &option.name;
    let (number, least) = match &option.effect {
        Effect::MaxLen(number) => (number, 1),
        Effect::Mask(number) => (number, 0),
        _ => return None,
    };
    let is_valid =
        number.suffix().is_empty() && number.base10_parse::<u32>().is_ok_and(|n| n >= least);
    (!is_valid).then(|| {
        let message =
            format!("`{name}` takes a number of characters, {least} or more, such as `{name}(4)`");
        Error::new(number.span(), message)
    })
}

/// The first option that applies to one attribute only.
pub(crate) fn only_for_one_attribute(options: &[TagOption]) -> Option<&TagOption> {
    let mut options = options.iter();
    options.find(|option| option.row.meaning.applies_to == AppliesTo::Attribute)
}
