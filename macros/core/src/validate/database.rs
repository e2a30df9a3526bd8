//! The options `db` and `query`.

use syn::{Error, LitStr};

use super::entries::first_argument;
use crate::names::Names;
use crate::parse::SpanOptions;

/// What people call some systems, and their names in OpenTelemetry's conventions.
const SYSTEMS: [(&str, &str); 8] = [
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
    if options.db.is_none() {
        let message = "`query` needs the name of the database system beside it: add `db = \"postgresql\"`, or the system that you use";
        errors.push(Error::new_spanned(query, message));
    }
    if let Some(argument) = first_argument(&arguments.0, [query]) {
        let message = format!(
            "`{argument}` is an argument, and `query` takes a constant, which can hold no personal data: write a constant, or \
             `attrs(db.query.text = {argument})` if every text that it can have may be recorded"
        );
        errors.push(Error::new(argument.span(), message));
        options.query = None;
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
