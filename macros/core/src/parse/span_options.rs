//! The options of `#[traced_handler(…)]` and `#[traced(…)]`, as tables.

use proc_macro2::{Ident, Span, TokenStream};
use syn::parse::ParseStream;
use syn::{Error, Expr, LitStr, Path, Token, parenthesized, parse_quote};

use super::entries::{Entry, entries};
use super::option_table::{OptionReader, OptionRow};
use super::tracing::{refusal_of_traced, refusal_of_traced_handler};
use crate::runtime_path::{CRATE_OPTION, crate_path};

/// The options that were set. Each attribute sets those of its table.
#[derive(Default)]
pub(crate) struct SpanOptions {
    pub(crate) child: bool,
    pub(crate) name: Option<LitStr>,
    pub(crate) kind: Option<LitStr>,
    /// The database system, whose client the span is.
    pub(crate) db: Option<LitStr>,
    /// Whether `db` is there, readable or not.
    pub(crate) has_db: bool,
    /// The constant text of the query.
    pub(crate) query: Option<Expr>,
    pub(crate) attrs: Vec<Entry>,
    /// Whether the span starts a new trace.
    pub(crate) root: bool,
    /// The spans that it is linked to.
    pub(crate) links: Option<Expr>,
    /// The place of the option `err`, which records an error's message.
    pub(crate) err: Option<Span>,
    /// The condition on which an `Err` is not an error.
    pub(crate) ok_if: Option<Expr>,
    /// The condition on which a result is an error.
    pub(crate) err_if: Option<Expr>,
    /// The path of the runtime crate.
    pub(crate) krate: Option<Path>,
}

impl SpanOptions {
    /// The span's kind, one of [`KINDS`].
    pub(crate) fn kind(&self) -> String {
        match (&self.kind, &self.db) {
            (Some(kind), _) => kind.value(),
            (None, Some(_)) => "client".to_owned(),
            (None, None) => "internal".to_owned(),
        }
    }
}

/// What `query` sets.
pub(crate) const QUERY_TEXT: &str = "db.query.text";
pub(crate) const QUERY_SUMMARY: &str = "db.query.summary";

/// Reads what follows an option's name.
type Read = fn(&Ident, ParseStream<'_>, &mut SpanOptions, &mut Vec<Error>) -> syn::Result<()>;

type SpanOptionRow = OptionRow<Read>;

const CHILD: SpanOptionRow = OptionRow::new("child", "child", |_, _, options, _| {
    options.child = true;
    Ok(())
});
const NAME: SpanOptionRow = OptionRow::new("name", "name = \"…\"", |_, input, options, _| {
    input.parse::<Token![=]>()?;
    options.name = Some(input.parse()?);
    Ok(())
});
const KIND: SpanOptionRow = OptionRow::new("kind", "kind = \"…\"", |_, input, options, _| {
    input.parse::<Token![=]>()?;
    options.kind = Some(input.parse()?);
    Ok(())
});
const DB: SpanOptionRow = OptionRow::new("db", "db = \"…\"", |name, input, options, _| {
    options.has_db = true;
    input.parse::<Token![=]>()?;
    let db: LitStr = input.parse()?;
    let entry = Entry::new("db.system.name", name, parse_quote!(#db));
    options.attrs.push(entry);
    options.db = Some(db);
    Ok(())
});
const QUERY: SpanOptionRow = OptionRow::new("query", "query = SQL", |name, input, options, _| {
    input.parse::<Token![=]>()?;
    let query: Expr = input.parse()?;
    let entry = Entry::new(QUERY_TEXT, name, query.clone());
    options.attrs.push(entry);
    options.query = Some(query);
    Ok(())
});
const ATTRS: SpanOptionRow = OptionRow::new(
    "attrs",
    "attrs(key = expression, …)",
    |_, input, options, errors| {
        let content;
        parenthesized!(content in input);
        options.attrs.extend(entries(content.parse()?, errors));
        Ok(())
    },
);
const CRATE: SpanOptionRow = OptionRow::new("crate", CRATE_OPTION, |_, input, options, _| {
    options.krate = Some(crate_path(input)?);
    Ok(())
});
const PARENT: SpanOptionRow = OptionRow::new("parent", "parent = none", |_, input, options, _| {
    input.parse::<Token![=]>()?;
    input.parse::<none>()?;
    options.root = true;
    Ok(())
});
const LINKS: SpanOptionRow = OptionRow::new(
    "links",
    "links = [span_context, …]",
    |_, input, options, _| {
        input.parse::<Token![=]>()?;
        options.links = Some(input.parse()?);
        Ok(())
    },
);
const ERR: SpanOptionRow = OptionRow::new("err", "err", |name, _, options, _| {
    options.err = Some(name.span());
    Ok(())
});
const OK_IF: SpanOptionRow = OptionRow::new(
    "ok_if",
    "ok_if = |result| condition",
    |_, input, options, _| {
        input.parse::<Token![=]>()?;
        options.ok_if = Some(input.parse()?);
        Ok(())
    },
);
const ERR_IF: SpanOptionRow = OptionRow::new(
    "err_if",
    "err_if = |result| condition",
    |_, input, options, _| {
        input.parse::<Token![=]>()?;
        options.err_if = Some(input.parse()?);
        Ok(())
    },
);

const TRACED_HANDLER: &[SpanOptionRow] = &[CHILD, ERR, CRATE];
const TRACED: &[SpanOptionRow] = &[
    NAME, KIND, DB, QUERY, ATTRS, ERR, OK_IF, ERR_IF, PARENT, LINKS, CRATE,
];

syn::custom_keyword!(none);

/// The values of `kind`, with the names of their `SpanKind`. The first is the default.
pub(crate) const KINDS: [(&str, &str); 5] = [
    ("internal", "Internal"),
    ("server", "Server"),
    ("client", "Client"),
    ("producer", "Producer"),
    ("consumer", "Consumer"),
];

/// Reads the options of `attribute` up to the end of `input`. An option that can't be read goes to `errors`.
pub(super) fn span_options(
    attribute: &Ident,
    input: ParseStream<'_>,
    errors: &mut Vec<Error>,
) -> SpanOptions {
    let (rows, refusal): (_, fn(&str, &TokenStream) -> Option<String>) = if attribute == "traced" {
        (TRACED, refusal_of_traced)
    } else {
        (TRACED_HANDLER, refusal_of_traced_handler)
    };
    let mut options = SpanOptions::default();
    let mut reader = OptionReader::new(format!("`{attribute}`"), rows.iter().copied());
    reader.refusal = refusal;
    reader.read_list(input, errors, |name, row, input, errors| {
        (row.meaning)(name, input, &mut options, errors)
    });
    options
}
