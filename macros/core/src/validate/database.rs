//! The options `db` and `query`.

use syn::{Error, Expr, LitStr};

use super::entries::first_argument;
use crate::names::Names;
use crate::parse::{Entry, QUERY_SUMMARY, QUERY_TEXT, SpanOptions};
use crate::readers;

/// What people call some systems, and their names in OpenTelemetry's conventions.
const SYSTEMS: [(&str, &str); 15] = [
    ("cosmosdb", "azure.cosmosdb"),
    ("db2", "ibm.db2"),
    ("dynamodb", "aws.dynamodb"),
    ("firebird", "firebirdsql"),
    ("h2", "h2database"),
    ("hana", "sap.hana"),
    ("informix", "ibm.informix"),
    ("maria", "mariadb"),
    ("mongo", "mongodb"),
    ("mssql", "microsoft.sql_server"),
    ("oracle", "oracle.db"),
    ("pg", "postgresql"),
    ("postgres", "postgresql"),
    ("sqlite3", "sqlite"),
    ("sqlserver", "microsoft.sql_server"),
];

/// Reports mistakes in the two, and takes out a query that can't be a constant.
pub(super) fn check(options: &mut SpanOptions, arguments: &Names, errors: &mut Vec<Error>) {
    errors.extend(options.db.as_ref().and_then(misnamed));
    let Some(query) = &options.query else { return };
    if !options.has_db {
        let message = "`query` needs the name of the database system beside it: add `db = \"postgresql\"`, or the system that you use";
        errors.push(Error::new_spanned(query, message));
    }
    if let Some(error) = not_constant(query, arguments) {
        errors.push(error);
        options.attrs.retain(|entry| !sets(entry, QUERY_TEXT));
    }
    if !options.attrs.iter().any(|entry| sets(entry, QUERY_TEXT)) {
        options.query = None;
    }
    let summary = options.attrs.iter().filter_map(Entry::key);
    for key in summary.filter(|key| key.name == QUERY_SUMMARY) {
        let message = "`query` sets `db.query.summary`: remove this entry, or `query`";
        errors.push(Error::new_spanned(&key.tokens, message));
    }
}

fn sets(entry: &Entry, name: &str) -> bool {
    entry.key().is_some_and(|key| key.name == name)
}

/// The error for a query that is known at run time only. What else is no constant, rustc says.
fn not_constant(query: &Expr, arguments: &Names) -> Option<Error> {
    if let Some(argument) = first_argument(&arguments.0, [query]) {
        let message = format!(
            "`{argument}` is an argument, and `query` takes a constant, which can hold no personal data: write a constant, or \
             `attrs(db.query.text = {argument})` if every text that it can have may be recorded"
        );
        return Some(Error::new(argument.span(), message));
    }
    match query {
        Expr::Reference(it) => not_constant(&it.expr, arguments),
        Expr::Macro(it) if it.mac.path.is_ident("format") => {
            let message = "`format!` makes text at run time, and `query` takes a constant, which can hold no personal data: write a \
                           constant, or `attrs(db.query.text = …)` if every text that this can make may be recorded";
            Some(Error::new_spanned(query, message))
        }
        _ => {
            let reader = readers::first(query)?;
            let message =
                format!("`{reader}(…)` reads the request, and `query` takes a constant: write one");
            Some(Error::new(reader.span(), message))
        }
    }
}

fn misnamed(db: &LitStr) -> Option<Error> {
    let name = db.value();
    let lower = name.trim().to_ascii_lowercase();
    let message = match SYSTEMS.iter().find(|(it, _)| *it == lower) {
        Some((_, system)) => {
            format!("OpenTelemetry's conventions call this system `{system}`: write `db = \"{system}\"`")
        }
        None if lower.is_empty() => {
            "the name of the database system is empty: write one of OpenTelemetry's names, such as `db = \"postgresql\"`".to_owned()
        }
        None if lower != name => format!("names of database systems are lower case, without spaces around them: write `db = \"{lower}\"`"),
        None => return None,
    };
    Some(Error::new(db.span(), message))
}
