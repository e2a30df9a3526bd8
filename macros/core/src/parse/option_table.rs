//! Options as rows of a table. Unknown, repeated and misspelt options are reported here, for every attribute that takes options.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Token};

use super::similar::hint;
use super::tokens::until_comma;

/// An option: its name, how it is written, and what it means to its table.
#[derive(Clone, Copy)]
pub(crate) struct OptionRow<T> {
    pub(crate) name: &'static str,
    /// An example of it, for messages.
    pub(crate) written: &'static str,
    /// What to do if it is set twice, for messages.
    pub(crate) if_repeated: &'static str,
    pub(crate) meaning: T,
}

impl<T> OptionRow<T> {
    pub(crate) const fn new(name: &'static str, written: &'static str, meaning: T) -> Self {
        Self {
            name,
            written,
            if_repeated: "keep one of the two",
            meaning,
        }
    }

    /// The error for the second of two of these options.
    fn set_twice(&self, name: &Ident) -> Error {
        let message = format!("`{name}` is set twice: {}", self.if_repeated);
        Error::new(name.span(), message)
    }

    fn usage(&self) -> String {
        let Self { name, written, .. } = self;
        if name == written {
            format!("`{name}` takes no value: write `{name}`")
        } else {
            format!("`{name}` is written `{written}`")
        }
    }
}

/// Reads the options that may stand in one place.
pub(super) struct OptionReader<T> {
    /// What has these options, for messages.
    owner: String,
    rows: Vec<OptionRow<T>>,
    /// Explains why a name is not in `rows`, also from the whole option as written; `None` for a name that exists nowhere.
    pub(super) refusal: fn(&str, &TokenStream) -> Option<String>,
    /// How an option is separated from the next, for messages.
    pub(super) separator: &'static str,
    /// The names that were read.
    seen: Vec<&'static str>,
}

impl<T: Copy> OptionReader<T> {
    /// A reader of options that commas separate.
    pub(super) fn new(
        owner: impl Into<String>,
        rows: impl IntoIterator<Item = OptionRow<T>>,
    ) -> Self {
        Self {
            owner: owner.into(),
            rows: rows.into_iter().collect(),
            refusal: |_, _| None,
            separator: ", with a comma before the next option",
            seen: Vec::new(),
        }
    }

    /// Reads options up to the end of `input`. `read` gets each option's name and row, and reads what follows the name.
    ///
    /// An option that can't be read goes to `errors`, and reading continues behind the next comma. Returns whether every
    /// option was read; one that is set twice counts as read.
    pub(super) fn read_list(
        &mut self,
        input: ParseStream<'_>,
        errors: &mut Vec<Error>,
        mut read: impl FnMut(&Ident, OptionRow<T>, ParseStream<'_>, &mut Vec<Error>) -> syn::Result<()>,
    ) -> bool {
        let mut are_read = true;
        while !input.is_empty() {
            let start = input.span();
            let option = until_comma(&input.fork());
            let name = input.call(Ident::parse_any);
            let name = name.map_err(|_| Error::new(start, self.expected()));
            let result = name.and_then(|name| {
                let row = self.row(&name, &option)?;
                if self.seen.contains(&row.name) {
                    errors.push(row.set_twice(&name));
                    return Ok(());
                }
                self.seen.push(row.name);
                let is_read = read(&name, row, input, errors).is_ok();
                if is_read && (input.is_empty() || input.peek(Token![,])) {
                    return Ok(());
                }
                // A name behind a complete option starts the next one. Anything else belongs to this option.
                let lacks_comma = is_read && input.peek(Ident::peek_any);
                let separator = if lacks_comma { self.separator } else { "" };
                Err(Error::new_spanned(option, row.usage() + separator))
            });
            if let Err(error) = result {
                are_read = false;
                errors.push(error);
            }
            until_comma(input);
        }
        are_read
    }

    /// The message for something that is not an option.
    pub(super) fn expected(&self) -> String {
        format!("expected an option of {}: {}", self.owner, self.listed())
    }

    fn row(&self, name: &Ident, option: &TokenStream) -> syn::Result<OptionRow<T>> {
        let text = name.unraw().to_string();
        if let Some(row) = self.rows.iter().find(|row| row.name == text) {
            return Ok(*row);
        }
        let message = (self.refusal)(&text, option).unwrap_or_else(|| {
            let hint = hint(&text, self.rows.iter().map(|row| row.name));
            let (owner, listed) = (&self.owner, self.listed());
            format!("{owner} has no option `{name}`{hint} It takes {listed}")
        });
        Err(Error::new(name.span(), message))
    }

    fn listed(&self) -> String {
        let rows = self.rows.iter().map(|row| format!("`{}`", row.written));
        rows.collect::<Vec<_>>().join(", ")
    }
}
