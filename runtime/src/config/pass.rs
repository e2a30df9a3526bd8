//! What is done to each setting in turn: it is read from the environment, or described, or its variables are listed.
//!
//! Settings list themselves once, with their names, variables and formats. A pass over the list reads them, and a later one describes
//! them with their sources and gathers the warnings that still matter.

use super::environment::Environment;
use super::format::Format;
use super::sourced::{Origin, Source, Sourced, Warning};

/// A pass over settings.
pub(crate) enum Pass<'a> {
    Read(Environment<'a>),
    Describe(&'a mut Listing),
    /// Takes the variables of each setting.
    Variables(&'a mut Vec<String>),
}

/// What is active.
#[derive(Debug, Default)]
pub(crate) struct Listing {
    /// Name, value and source of each setting.
    pub(crate) settings: Vec<(String, String, Source)>,
    /// What was wrong with variables that count.
    pub(crate) warnings: Vec<Warning>,
}

/// No variable sets it.
pub(crate) const NO_VARIABLE: [&str; 0] = [];

impl Pass<'_> {
    /// A setting that the first of `variables` sets that is there, unless the code sets it. It is described if its format shows it.
    pub(crate) fn setting<T>(
        &mut self,
        name: &str,
        variables: &[impl AsRef<str>],
        format: &Format<T>,
        setting: &mut Sourced<T>,
    ) {
        self.part(
            name,
            variables,
            format,
            &mut setting.value,
            &mut setting.origin,
        );
    }

    /// The same of a value that stands apart from its origin.
    pub(crate) fn part<T>(
        &mut self,
        name: &str,
        variables: &[impl AsRef<str>],
        format: &Format<T>,
        value: &mut T,
        origin: &mut Origin,
    ) {
        match self {
            Self::Read(environment) => environment.read(variables, format, value, origin),
            Self::Describe(_) => self.described(name, (format.shown)(value), origin),
            Self::Variables(_) => self.variables(variables),
        }
    }

    /// Variables that are not read by this pass.
    pub(crate) fn variables(&mut self, variables: &[impl AsRef<str>]) {
        if let Self::Variables(all) = self {
            all.extend(variables.iter().map(|it| it.as_ref().to_owned()));
        }
    }

    /// A setting that is described only, if it has a `value` to show.
    pub(crate) fn described(&mut self, name: &str, value: Option<String>, origin: &Origin) {
        let Self::Describe(listing) = self else {
            return;
        };
        if let Some(value) = value {
            let setting = (name.to_owned(), value, origin.source.clone());
            listing.settings.push(setting);
        }
        listing.warnings.extend_from_slice(&origin.warnings);
    }
}
