//! The options of `#[traced_handler(…)]` and `#[traced(…)]`, as tables.

use proc_macro2::{Ident, Span};
use syn::ext::IdentExt;
use syn::parse::ParseStream;
use syn::{Error, Expr, LitStr, Path, Token, parenthesized};

use super::entries::{Entry, entries};
use super::similar::hint;
use super::{crate_path, is_written, until_comma};

/// What was set. Each attribute sets those of its table.
#[derive(Default)]
pub(crate) struct Options {
    pub(crate) child: bool,
    pub(crate) name: Option<LitStr>,
    pub(crate) kind: Option<LitStr>,
    pub(crate) attrs: Vec<Entry>,
    /// Whether the span starts a trace of its own.
    pub(crate) root: bool,
    /// The spans that it is linked to.
    pub(crate) links: Option<Expr>,
    /// Where it says that an error's message is recorded.
    pub(crate) err: Option<Span>,
    /// Says of the result that it is none, although an `Err`.
    pub(crate) ok_if: Option<Expr>,
    /// Says of the result that it is an error.
    pub(crate) err_if: Option<Expr>,
    /// The path under which the runtime crate is reached.
    pub(crate) krate: Option<Path>,
}

/// One option: its name, how it is written, and how what follows the name is read.
struct Form {
    name: &'static str,
    written: &'static str,
    read: fn(&Ident, ParseStream<'_>, &mut Options, &mut Vec<Error>) -> syn::Result<()>,
}

const CHILD: Form = Form {
    name: "child",
    written: "child",
    read: |_, _, options, _| {
        options.child = true;
        Ok(())
    },
};
const NAME: Form = Form {
    name: "name",
    written: "name = \"…\"",
    read: |_, input, options, _| {
        input.parse::<Token![=]>()?;
        options.name = Some(input.parse()?);
        Ok(())
    },
};
const KIND: Form = Form {
    name: "kind",
    written: "kind = \"…\"",
    read: |_, input, options, _| {
        input.parse::<Token![=]>()?;
        options.kind = Some(input.parse()?);
        Ok(())
    },
};
const ATTRS: Form = Form {
    name: "attrs",
    written: "attrs(key = expression, …)",
    read: |_, input, options, errors| {
        let content;
        parenthesized!(content in input);
        options.attrs = entries(&content, errors);
        Ok(())
    },
};
const CRATE: Form = Form {
    name: "crate",
    written: "crate = path::to::biztrace",
    read: |_, input, options, _| {
        options.krate = Some(crate_path(input)?);
        Ok(())
    },
};

const PARENT: Form = Form {
    name: "parent",
    written: "parent = none",
    read: |_, input, options, _| {
        input.parse::<Token![=]>()?;
        input.parse::<none>()?;
        options.root = true;
        Ok(())
    },
};
const LINKS: Form = Form {
    name: "links",
    written: "links = [span_context, …]",
    read: |_, input, options, _| {
        input.parse::<Token![=]>()?;
        options.links = Some(input.parse()?);
        Ok(())
    },
};
const ERR: Form = Form {
    name: "err",
    written: "err",
    read: |name, _, options, _| {
        options.err = Some(name.span());
        Ok(())
    },
};
const OK_IF: Form = Form {
    name: "ok_if",
    written: "ok_if = |result| condition",
    read: |_, input, options, _| {
        input.parse::<Token![=]>()?;
        options.ok_if = Some(input.parse()?);
        Ok(())
    },
};
const ERR_IF: Form = Form {
    name: "err_if",
    written: "err_if = |result| condition",
    read: |_, input, options, _| {
        input.parse::<Token![=]>()?;
        options.err_if = Some(input.parse()?);
        Ok(())
    },
};

const TRACED_HANDLER: &[Form] = &[CHILD, ERR, CRATE];
const TRACED: &[Form] = &[NAME, KIND, ATTRS, ERR, OK_IF, ERR_IF, PARENT, LINKS, CRATE];

syn::custom_keyword!(none);

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
        let written = until_comma(&input.fork());
        if let Ok(name) = input.call(Ident::parse_any) {
            match forms.iter().find(|form| name == form.name) {
                None => errors.push(unknown(attribute, &name, forms)),
                Some(form) if seen.contains(&form.name) => {
                    let message = format!("`{name}` is set twice: keep one of the two");
                    errors.push(Error::new(name.span(), message));
                }
                Some(form) => {
                    seen.push(form.name);
                    let read = (form.read)(&name, input, &mut options, errors);
                    if read.is_err() || !(input.is_empty() || input.peek(Token![,])) {
                        let message = is_written(&name, form.written);
                        errors.push(Error::new_spanned(
                            written,
                            message + ", with a comma before the next option",
                        ));
                    }
                }
            }
        } else {
            let message = format!("expected an option of `{attribute}`: {}", listed(forms));
            errors.push(Error::new(start, message));
        }
        until_comma(input);
    }
    options
}

fn unknown(attribute: &Ident, name: &Ident, forms: &[Form]) -> Error {
    let hint = hint(
        &name.unraw().to_string(),
        forms.iter().map(|form| form.name),
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
