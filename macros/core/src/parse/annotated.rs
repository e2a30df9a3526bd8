//! A function with our attributes on it.

use proc_macro2::Ident;
use syn::Error;
use syn::parse::{ParseStream, Parser};

use super::entries::{Entry, entries};
use super::span_options::{SpanOptions, span_options};
use crate::fold::RawAttribute;
use crate::function::Function;

/// A function and all that our attributes say about it.
pub(crate) struct Annotated {
    pub(crate) function: Function,
    /// The attributes that open a span. More than one is a mistake.
    pub(crate) span_attributes: Vec<SpanAttribute>,
    /// The entries of `#[biz_attrs]`.
    pub(crate) tags: Vec<Entry>,
}

/// `#[traced_handler]` or `#[traced]`.
pub(crate) struct SpanAttribute {
    pub(crate) name: Ident,
    pub(crate) options: SpanOptions,
}

impl Annotated {
    /// All entries: first those of `attrs(…)`, then those of `#[biz_attrs]`.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry> + Clone {
        self.attrs().chain(&self.tags)
    }

    /// The entries of `attrs(…)`.
    pub(crate) fn attrs(&self) -> impl Iterator<Item = &Entry> + Clone {
        let attributes = self.span_attributes.iter();
        attributes.flat_map(|it| &it.options.attrs)
    }

    /// The lists of entries, in the order of [`entries`](Self::entries).
    pub(crate) fn entry_lists_mut(&mut self) -> impl Iterator<Item = &mut Vec<Entry>> {
        let attributes = self.span_attributes.iter_mut();
        let lists = attributes.map(|it| &mut it.options.attrs);
        lists.chain([&mut self.tags])
    }
}

impl SpanAttribute {
    pub(crate) fn is_handler(&self) -> bool {
        self.name == "traced_handler"
    }
}

/// Reads the arguments of our attributes on `function`. An argument that can't be read goes to `errors`.
pub(crate) fn annotated(
    function: Function,
    attributes: Vec<RawAttribute>,
    errors: &mut Vec<Error>,
) -> Annotated {
    let mut annotated = Annotated {
        function,
        span_attributes: Vec::new(),
        tags: Vec::new(),
    };
    for RawAttribute { name, args } in attributes {
        if name == "biz_attrs" {
            annotated.tags.extend(entries(args, errors));
            continue;
        }
        let read = |input: ParseStream<'_>| Ok(span_options(&name, input, errors));
        match read.parse2(args) {
            Ok(options) => {
                let attribute = SpanAttribute { name, options };
                annotated.span_attributes.push(attribute);
            }
            Err(error) => errors.push(error),
        }
    }
    annotated
}
