//! The options of `#[traced_handler(…)]` and `#[traced(…)]`, as tables.

use proc_macro2::{Ident, TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Error, LitStr, Path, Token, parenthesized};

use super::entries::{Entry, entries};
use super::until_comma;

/// What was set. Each attribute sets those of its table.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) child: bool,
    pub(crate) name: Option<LitStr>,
    pub(crate) kind: Option<LitStr>,
    pub(crate) attrs: Vec<Entry>,
    /// The path under which the runtime crate is reached.
    pub(crate) krate: Option<Path>,
}

/// One option: its name, how it is written, and how what follows the name is read.
struct Form {
    name: &'static str,
    written: &'static str,
    read: fn(ParseStream<'_>, &mut Options, &mut Vec<Error>) -> syn::Result<()>,
}

const CHILD: Form = Form {
    name: "child",
    written: "child",
    read: |_, options, _| {
        options.child = true;
        Ok(())
    },
};
const NAME: Form = Form {
    name: "name",
    written: "name = \"…\"",
    read: |input, options, _| {
        input.parse::<Token![=]>()?;
        options.name = Some(input.parse()?);
        Ok(())
    },
};
const KIND: Form = Form {
    name: "kind",
    written: "kind = \"…\"",
    read: |input, options, _| {
        input.parse::<Token![=]>()?;
        options.kind = Some(input.parse()?);
        Ok(())
    },
};
const ATTRS: Form = Form {
    name: "attrs",
    written: "attrs(key = expression, …)",
    read: |input, options, errors| {
        let content;
        parenthesized!(content in input);
        options.attrs = entries(&content, errors);
        Ok(())
    },
};
const CRATE: Form = Form {
    name: "crate",
    written: "crate = path::to::biztrace",
    read: |input, options, _| {
        input.parse::<Token![=]>()?;
        options.krate = Some(input.call(Path::parse_mod_style)?);
        Ok(())
    },
};

const TRACED_HANDLER: &[Form] = &[CHILD, CRATE];
const TRACED: &[Form] = &[NAME, KIND, ATTRS, CRATE];

/// The values of `kind`, with the names of their `SpanKind`. The first is the default.
pub(crate) const KINDS: [(&str, &str); 5] = [
    ("internal", "Internal"),
    ("server", "Server"),
    ("client", "Client"),
    ("producer", "Producer"),
    ("consumer", "Consumer"),
];

/// Reads the options of `attribute` up to the end of `input`. What can't be read goes to `errors`.
pub(super) fn options(
    attribute: &Ident,
    input: ParseStream<'_>,
    errors: &mut Vec<Error>,
) -> Options {
    let forms = if attribute == "traced" {
        TRACED
    } else {
        TRACED_HANDLER
    };
    let mut options = Options::default();
    let mut seen = Vec::new();
    while !input.is_empty() {
        let start = input.span();
        let option = until_comma(input);
        let mut tokens = option.clone().into_iter();
        let Some(TokenTree::Ident(name)) = tokens.next() else {
            errors.push(Error::new(
                start,
                format!("expected an option of `{attribute}`: {}", listed(forms)),
            ));
            continue;
        };
        let Some(form) = forms.iter().find(|form| name == form.name) else {
            errors.push(unknown(attribute, &name, forms));
            continue;
        };
        if seen.contains(&form.name) {
            errors.push(Error::new(
                name.span(),
                format!("`{name}` is set twice: keep one of the two"),
            ));
            continue;
        }
        seen.push(form.name);
        let value: TokenStream = tokens.collect();
        let read = |input: ParseStream<'_>| (form.read)(input, &mut options, errors);
        if read.parse2(value).is_err() {
            let message = format!(
                "`{name}` is written `{}`, with a comma before the next option",
                form.written
            );
            errors.push(Error::new_spanned(option, message));
        }
    }
    options
}

fn unknown(attribute: &Ident, name: &Ident, forms: &[Form]) -> Error {
    let text = name.unraw().to_string();
    let similar = forms
        .iter()
        .min_by_key(|form| edit_distance(form.name, &text));
    let hint = similar.filter(|form| edit_distance(form.name, &text) <= 2);
    let hint = hint.map_or_else(
        || ".".to_owned(),
        |form| format!("; did you mean `{}`?", form.name),
    );
    let message = format!(
        "`{attribute}` has no option `{name}`{hint} It takes {}",
        listed(forms)
    );
    Error::new(name.span(), message)
}

fn listed(forms: &[Form]) -> String {
    forms
        .iter()
        .map(|form| format!("`{}`", form.written))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Levenshtein's distance, in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut previous: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.chars().enumerate() {
            row.push(
                (previous[j] + usize::from(x != y))
                    .min(previous[j + 1] + 1)
                    .min(row[j] + 1),
            );
        }
        previous = row;
    }
    previous[b.chars().count()]
}
