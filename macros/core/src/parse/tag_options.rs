//! The options of a tag: `#[mask(4)]` before an entry, or `mask(4)` within a field's `#[biz(…)]`.
//!
//! A new option is a row of [`TAG_OPTIONS`] and an [`Effect`].

use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Expr, LitInt, Pat, Token, bracketed, parenthesized, token};

use super::option_table::{OptionReader, OptionRow};
use super::tokens::is_comma;
use crate::destination::Destination;

/// An option, with its name as the user wrote it.
pub(crate) struct TagOption {
    pub(crate) name: Ident,
    pub(crate) row: TagOptionRow,
    pub(crate) effect: Effect,
}

/// What an option does.
pub(crate) enum Effect {
    /// Sets the tag only if the condition holds.
    When(Expr),
    /// Evaluates the entry on the function's result, where it matches the pattern.
    OnResult(ResultArm, Pat),
    Display,
    Debug,
    /// Cuts the text to that number of characters.
    MaxLen(LitInt),
    Hash,
    /// Hides all but the last characters, of that number.
    Mask(LitInt),
    Pii,
    /// Sends the attribute to another place too.
    SendTo(Destination),
}

/// Which results a pattern is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum ResultArm {
    /// `Ok` or `Some`: the pattern is for what it holds.
    Ok,
    /// `Err` or `None`: the pattern is for what it holds.
    Err,
    /// Every result: the pattern is for the whole of it.
    Ret,
}

pub(crate) type TagOptionRow = OptionRow<TagOptionRule>;

/// Where an option may stand, and how it is read.
#[derive(Clone, Copy)]
pub(crate) struct TagOptionRule {
    /// A tag has one option of a group at most.
    pub(crate) group: Option<Group>,
    pub(crate) applies_to: AppliesTo,
    pub(crate) needs: Needs,
    /// Reads what follows the option's name.
    read: fn(ParseStream<'_>) -> syn::Result<Effect>,
}

/// Options that decide the same thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// How the value is protected.
    Protection,
    /// How the value becomes text.
    Format,
    /// Which result the value is evaluated on.
    ResultArm,
}

/// What an option is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AppliesTo {
    /// One attribute and its value.
    Attribute,
    /// A whole entry, which may set several attributes: `..value`, or a `nested` field.
    Entry,
}

/// What an option needs of the place that it stands in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Needs {
    Nothing,
    /// A function's result.
    Result,
    /// A function's body that runs once the tag is set.
    Body,
}

/// A kind of list that options stand in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListKind {
    /// `#[biz_attrs(…)]` or `attrs(…)`, on a function.
    Function,
    /// `tag!(…)`, within a body.
    TagMacro,
    /// `#[biz(…)]` on a field.
    Field,
}

impl ListKind {
    /// Why an option can't stand in this kind of list.
    pub(crate) fn refusal(self, row: &TagOptionRow) -> Option<String> {
        let name = row.name;
        match (row.meaning.needs, self) {
            (Needs::Nothing, _) | (_, Self::Function) | (Needs::Body, Self::Field) => None,
            (Needs::Body, Self::TagMacro) => Some(format!(
                "`{name}` needs a whole body, and `tag!` is within one: move this entry to the function, into \
                 `#[biz_attrs(…)]` or `#[traced(attrs(…))]`"
            )),
            (Needs::Result, Self::TagMacro) => Some(format!(
                "`{name}` needs a function result; `tag!` has none: remove it"
            )),
            (Needs::Result, Self::Field) => Some(format!(
                "`{name}` needs a function result; a field has none: remove it"
            )),
        }
    }
}

/// Every option of a tag.
#[rustfmt::skip]
const TAG_OPTIONS: [TagOptionRow; 12] = {
    use AppliesTo::{Attribute, Entry};
    use Needs::{Body, Nothing, Result};
    const PROTECTION: Option<Group> = Some(Group::Protection);
    const FORMAT: Option<Group> = Some(Group::Format);
    const ARM: Option<Group> = Some(Group::ResultArm);
    [
        row("hash", "hash", PROTECTION, Attribute, Nothing, |_| Ok(Effect::Hash)),
        row("mask", "mask(4)", PROTECTION, Attribute, Nothing, |input| argument(input).map(Effect::Mask)),
        row("pii", "pii", PROTECTION, Attribute, Nothing, |_| Ok(Effect::Pii)),
        row("inherit", "inherit", None, Attribute, Nothing, |_| Ok(Effect::SendTo(Destination::Descendants))),
        row("baggage", "baggage", None, Attribute, Body, |_| Ok(Effect::SendTo(Destination::Baggage))),
        OptionRow {
            if_repeated: "join the conditions with `&&`",
            ..row("when", "when(condition)", None, Entry, Nothing, |input| argument(input).map(Effect::When))
        },
        row("ok", "ok(pattern)", ARM, Entry, Result, |input| on_result(input, ResultArm::Ok)),
        row("err", "err(pattern)", ARM, Entry, Result, |input| on_result(input, ResultArm::Err)),
        row("ret", "ret(pattern)", ARM, Entry, Result, |input| on_result(input, ResultArm::Ret)),
        row("display", "display", FORMAT, Attribute, Nothing, |_| Ok(Effect::Display)),
        row("debug", "debug", FORMAT, Attribute, Nothing, |_| Ok(Effect::Debug)),
        row("max_len", "max_len(64)", None, Attribute, Nothing, |input| argument(input).map(Effect::MaxLen)),
    ]
};

/// Options that this version does not have yet.
const PLANNED: [&str; 2] = ["log", "metric"];

const fn row(
    name: &'static str,
    written: &'static str,
    group: Option<Group>,
    applies_to: AppliesTo,
    needs: Needs,
    read: fn(ParseStream<'_>) -> syn::Result<Effect>,
) -> TagOptionRow {
    let rule = TagOptionRule {
        group,
        applies_to,
        needs,
        read,
    };
    OptionRow::new(name, written, rule)
}

fn argument<T: Parse>(input: ParseStream<'_>) -> syn::Result<T> {
    in_parentheses(input, T::parse)
}

fn on_result(input: ParseStream<'_>, arm: ResultArm) -> syn::Result<Effect> {
    let pattern = in_parentheses(input, Pat::parse_multi_with_leading_vert)?;
    Ok(Effect::OnResult(arm, pattern))
}

fn in_parentheses<T>(
    input: ParseStream<'_>,
    read: fn(ParseStream<'_>) -> syn::Result<T>,
) -> syn::Result<T> {
    let content;
    parenthesized!(content in input);
    // Parsed apart from `input`: there, tokens left over in parentheses would be an error of the whole list.
    read.parse2(content.parse()?)
}

/// The rows of the options that a list of that kind takes.
pub(super) fn rows_for(list: ListKind) -> impl Iterator<Item = TagOptionRow> {
    let rows = TAG_OPTIONS.into_iter();
    rows.filter(move |row| list.refusal(row).is_none())
}

/// Why a list of that kind does not take an option, if the option exists elsewhere or will exist.
pub(super) fn refusal(name: &str, list: ListKind) -> Option<String> {
    if PLANNED.contains(&name) {
        return Some(format!("`{name}` is not supported yet"));
    }
    let row = TAG_OPTIONS.iter().find(|row| row.name == name)?;
    list.refusal(row)
}

impl TagOption {
    /// Reads what follows the name of an option.
    pub(super) fn read(
        name: &Ident,
        row: TagOptionRow,
        input: ParseStream<'_>,
    ) -> syn::Result<Self> {
        Ok(Self {
            name: name.clone(),
            row,
            effect: (row.meaning.read)(input)?,
        })
    }
}

/// Reads options that stand behind `target`, before its value, and gives the error for them.
pub(super) fn misplaced(input: ParseStream<'_>, target: &str) -> syn::Result<Option<Error>> {
    let mut place = TokenStream::new();
    let mut options = String::new();
    while input.peek(Token![#]) && input.peek2(token::Bracket) {
        input.parse::<Token![#]>()?.to_tokens(&mut place);
        let content;
        let brackets = bracketed!(content in input);
        let option: TokenStream = content.parse()?;
        brackets.surround(&mut place, |tokens| option.to_tokens(tokens));
        // Not the text of all tokens: its spaces are not the user's.
        let mut tokens = option.into_iter();
        let name = tokens.next().map(|it| it.to_string());
        let arguments = tokens.next().map_or("", |_| "(…)");
        options += &format!("#[{}{arguments}] ", name.unwrap_or_default());
    }
    let message = format!("options stand before the key: write `{options}{target}…`");
    Ok((!place.is_empty()).then(|| Error::new_spanned(place, message)))
}

/// Reads the options before an entry, and says whether these are all. An option that can't be read goes to `errors`.
pub(super) fn options_of_entry(
    input: ParseStream<'_>,
    errors: &mut Vec<Error>,
) -> syn::Result<(Vec<TagOption>, bool)> {
    let mut reader = OptionReader::new("an entry", TAG_OPTIONS);
    reader.refusal = |name, _| refusal(name, ListKind::Function);
    reader.separator = "";
    let mut options = Vec::new();
    let mut are_all = true;
    while input.peek(Token![#]) {
        let hash: Token![#] = input.parse()?;
        let content;
        let brackets = bracketed!(content in input);
        let written: TokenStream = content.fork().parse()?;
        if let Some(comma) = written.clone().into_iter().find(is_comma) {
            let message =
                "each option needs brackets of its own, as in `#[hash] #[inherit] order.id = id`";
            errors.push(Error::new(comma.span(), message));
        }
        if content.peek(Ident::peek_any) {
            are_all &= reader.read_list(&content, errors, |name, row, input, _| {
                options.push(TagOption::read(name, row, input)?);
                Ok(())
            });
        } else {
            are_all = false;
            content.parse::<TokenStream>()?;
            let mut place = quote!(#hash);
            brackets.surround(&mut place, |tokens| written.to_tokens(tokens));
            errors.push(Error::new_spanned(place, reader.expected()));
        }
    }
    Ok((options, are_all))
}
