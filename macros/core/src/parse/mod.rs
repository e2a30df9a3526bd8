//! The first step: from tokens to what the user wrote, each value with its place.
//!
//! It reports what can't be read. Whether it makes sense together is for [`validate`](crate::validate).

mod entries;
mod entry_options;
pub(crate) mod fields;
mod options;
mod similar;

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{Error, Path, Token};

pub(crate) use entries::{Entry, Key, Target, entries};
pub(crate) use entry_options::{EntryOption, Form, Part};
pub(crate) use options::{KINDS, Options};

use crate::fold::Written;
use crate::function::Function;

/// A function and all that our attributes say about it.
pub(crate) struct Annotated {
    pub(crate) function: Function,
    /// The attributes that open a span. More than one is a mistake.
    pub(crate) openers: Vec<Opener>,
    /// The entries of `#[biz_attrs]`.
    pub(crate) tags: Vec<Entry>,
}

/// `#[traced_handler]` or `#[traced]`.
pub(crate) struct Opener {
    pub(crate) name: Ident,
    pub(crate) options: Options,
}

impl Annotated {
    /// All entries: first those of `attrs(…)`, then those of `#[biz_attrs]`.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> + Clone {
        let openers = self.openers.iter();
        openers.flat_map(|it| &it.options.attrs).chain(&self.tags)
    }

    /// The same.
    pub(crate) fn entries_mut(&mut self) -> impl Iterator<Item = &mut Entry> {
        let openers = self.openers.iter_mut();
        openers
            .flat_map(|it| &mut it.options.attrs)
            .chain(&mut self.tags)
    }
}

impl Opener {
    pub(crate) fn is_handler(&self) -> bool {
        self.name == "traced_handler"
    }
}

/// Reads the arguments of our attributes on `function`. What can't be read goes to `errors`.
pub(crate) fn annotated(
    function: Function,
    attributes: Vec<Written>,
    errors: &mut Vec<Error>,
) -> Annotated {
    let mut annotated = Annotated {
        function,
        openers: Vec::new(),
        tags: Vec::new(),
    };
    for Written { name, args } in attributes {
        let parser = |input: ParseStream<'_>| {
            if name == "biz_attrs" {
                annotated.tags.extend(entries(input, errors));
            } else {
                let options = options::options(&name, input, errors);
                annotated.openers.push(Opener { name, options });
            }
            Ok(())
        };
        if let Err(error) = parser.parse2(args) {
            errors.push(error);
        }
    }
    annotated
}

/// Reads what follows `crate`: `= path::to::biztrace`.
fn crate_path(input: ParseStream<'_>) -> syn::Result<Path> {
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style)?;
    // It has to do behind `use`, too.
    match path.segments.iter().find(|segment| segment.ident == "Self") {
        Some(segment) => Err(Error::new_spanned(segment, "`Self` is no crate")),
        None => Ok(path),
    }
}

/// How an option is written, for one that is not.
fn is_written(name: &Ident, form: &str) -> String {
    if name == form {
        format!("`{name}` takes no value: write `{name}`")
    } else {
        format!("`{name}` is written `{form}`")
    }
}

/// Takes the tokens up to the next comma, and the comma.
fn until_comma(input: ParseStream<'_>) -> TokenStream {
    std::iter::from_fn(|| input.parse::<TokenTree>().ok())
        .take_while(|token| !is_comma(token))
        .collect()
}

fn is_comma(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(punct) if punct.as_char() == ',')
}
