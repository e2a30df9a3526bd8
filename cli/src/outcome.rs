//! The outcome of a command.

use crate::mistake::Mistake;

/// What a command reports about a project, beside what it prints.
pub(crate) struct Outcome {
    pub(crate) mistakes: Vec<Mistake>,
    /// What the command can't tell. It does not fail for these.
    pub(crate) warnings: Vec<String>,
    /// Why it fails, although it did its work.
    pub(crate) failure: Option<String>,
}
