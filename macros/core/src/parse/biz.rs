//! `#[biz(…)]`, on the types that have the derives, and on their fields and variants.

use proc_macro2::{Ident, Span};
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Error, LitStr, Meta, Path, Token};

use super::option_table::{OptionReader, OptionRow};
use super::tag_options::{ListKind, TagOption, TagOptionRow, refusal, rows_for};
use crate::runtime_path::{CRATE_OPTION, crate_path};

/// The options of one or several `#[biz(…)]` together.
#[derive(Default)]
pub(crate) struct Biz {
    /// The place of the first `#[biz]`.
    pub(crate) place: Option<Span>,
    /// `name = "text"`, in order.
    pub(crate) texts: Vec<(Ident, LitStr)>,
    /// Bare names: `nested`, `skip`.
    pub(crate) flags: Vec<Ident>,
    pub(crate) tag_options: Vec<TagOption>,
    pub(crate) krate: Option<Path>,
}

/// The options that `#[biz(…)]` takes in one place.
#[derive(Clone, Copy)]
pub(crate) struct BizTable {
    /// What it stands on, for messages.
    pub(crate) on: &'static str,
    pub(crate) rows: &'static [BizRow],
    /// Whether it takes the options of tags, too.
    pub(crate) takes_tag_options: bool,
}

pub(crate) type BizRow = OptionRow<BizOption>;

#[derive(Clone, Copy)]
pub(crate) enum BizOption {
    /// `name = "text"`
    Text,
    /// `name`
    Flag,
    /// `crate = path`
    Crate,
    Tag(TagOptionRow),
}

pub(crate) const CRATE: BizRow = OptionRow::new("crate", CRATE_OPTION, BizOption::Crate);

impl Biz {
    /// The text of that name.
    pub(crate) fn text(&self, name: &str) -> Option<&LitStr> {
        let text = self.texts.iter().find(|(other, _)| other == name);
        text.map(|(_, text)| text)
    }

    pub(crate) fn flag(&self, name: &str) -> Option<&Ident> {
        self.flags.iter().find(|flag| *flag == name)
    }

    /// Reads the `#[biz(…)]` among `attrs`. An option that can't be read goes to `errors`.
    pub(crate) fn parse(attrs: &[Attribute], table: BizTable, errors: &mut Vec<Error>) -> Self {
        let mut reader = table.reader();
        let mut biz = Self::default();
        for attr in attrs.iter().filter(|attr| attr.path().is_ident("biz")) {
            biz.place.get_or_insert(attr.pound_token.span);
            match &attr.meta {
                Meta::Path(_) => {}
                Meta::List(list) => {
                    let read = |input: ParseStream<'_>| {
                        reader.read_list(input, errors, |name, row, input, _| {
                            biz.option(name, row.meaning, input)
                        });
                        Ok(())
                    };
                    if let Err(error) = read.parse2(list.tokens.clone()) {
                        errors.push(error);
                    }
                }
                Meta::NameValue(value) => errors.push(Error::new_spanned(
                    value,
                    "`#[biz]` takes its options in parentheses: `#[biz(…)]`",
                )),
            }
        }
        biz
    }

    fn option(
        &mut self,
        name: &Ident,
        option: BizOption,
        input: ParseStream<'_>,
    ) -> syn::Result<()> {
        match option {
            BizOption::Text => {
                input.parse::<Token![=]>()?;
                self.texts.push((name.clone(), input.parse()?));
            }
            BizOption::Flag => self.flags.push(name.clone()),
            BizOption::Crate => self.krate = Some(crate_path(input)?),
            BizOption::Tag(row) => self.tag_options.push(TagOption::read(name, row, input)?),
        }
        Ok(())
    }
}

impl BizTable {
    fn reader(self) -> OptionReader<BizOption> {
        let tags = rows_for(ListKind::Field).filter(|_| self.takes_tag_options);
        let tags = tags.map(|row| OptionRow {
            name: row.name,
            written: row.written,
            if_repeated: row.if_repeated,
            meaning: BizOption::Tag(row),
        });
        let owner = format!("`#[biz]` on {}", self.on);
        let mut reader = OptionReader::new(owner, self.rows.iter().copied().chain(tags));
        if self.takes_tag_options {
            reader.refusal = |name, _| refusal(name, ListKind::Field);
        }
        reader
    }
}
