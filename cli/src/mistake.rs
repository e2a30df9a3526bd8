//! A mistake in source, with its place.

use std::fmt;

use proc_macro2::Span;

use crate::visible::visible;

/// A mistake, as it is reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Mistake {
    pub(crate) message: String,
    /// The file's display path.
    pub(crate) file: String,
    /// Line and column, from 1; `None` for a file that can't be read at all.
    pub(crate) at: Option<(usize, usize)>,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, file: &str, place: Span) -> Self {
        let start = place.start();
        Self {
            message: message.into(),
            file: file.to_owned(),
            at: Some((start.line, start.column + 1)),
        }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n  --> {}",
            visible(&self.message),
            visible(&self.file)
        )?;
        match self.at {
            Some((line, column)) => write!(f, ":{line}:{column}"),
            None => Ok(()),
        }
    }
}
