//! The catalogue as data: its spans, its tags, and the format of its file.

use serde::{Deserialize, Serialize};

/// The version of the JSON form. It changes when readers of the previous version would misunderstand it.
pub(crate) const VERSION: u32 = 1;

/// All spans and tags, in the order of files and lines.
#[derive(Serialize, Deserialize)]
pub(crate) struct Catalogue {
    pub(crate) version: u32,
    pub(crate) spans: Vec<Span>,
    pub(crate) tags: Vec<Tag>,
}

/// A span that an attribute opens or claims.
#[derive(Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// As `code.function.name` has it.
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// A tag, where it is set.
#[derive(Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    /// `string`, `boolean`, `int`, `double`, one of these with `[]`, or `unknown`.
    #[serde(rename = "type")]
    pub(crate) value_type: String,
    /// The expression.
    pub(crate) value: String,
    /// `plain`, `hash`, `mask` or `pii`.
    pub(crate) privacy: String,
    /// `span`, `inherited` if the spans below have it, and `baggage` if called services receive it.
    pub(crate) destinations: Vec<String>,
    /// The name of the span; `null` for the current one.
    pub(crate) span: Option<String>,
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

impl Tag {
    /// Whether it stands for the tags of a type that is not known.
    pub(crate) fn is_unknown_spread(&self) -> bool {
        self.key.starts_with("..")
    }
}
