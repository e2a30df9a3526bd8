//! Reads settings from environment variables, as the specification's page "Environment Variable Specification" says. The process's
//! environment is behind a lookup, so that tests bring their own.

use std::ffi::OsString;

use super::format::{Format, Refused};
use super::sourced::{Origin, Source};

/// The environment's variables. An empty variable counts as unset.
///
/// Nothing here fails: as the specification wants, what cannot be read is reported and ignored.
#[derive(Clone, Copy)]
pub(crate) struct Environment<'a> {
    /// The value of a variable.
    pub(crate) lookup: &'a dyn Fn(&str) -> Option<OsString>,
    /// The names of all variables.
    pub(crate) names: &'a [String],
}

impl Environment<'_> {
    /// Sets `value` by the first of `variables` that can be read, unless the code has set it. Notes what is wrong with those before.
    pub(crate) fn read<T>(
        self,
        variables: &[impl AsRef<str>],
        format: &Format<T>,
        value: &mut T,
        origin: &mut Origin,
    ) {
        if origin.is_code() {
            return;
        }
        let mut refused = Vec::new();
        for variable in variables.iter().map(AsRef::as_ref) {
            let Some(text) = self.text(variable, origin) else {
                continue;
            };
            let mut problems = Refused::default();
            let parsed = (format.parse)(&text, &mut problems);
            let is_taken = parsed.is_some();
            if let Some(parsed) = parsed {
                *value = parsed;
                origin.source = Source::Variable(variable.to_owned());
            }
            refused.push((variable, is_taken, problems));
            if is_taken {
                break;
            }
        }
        for (variable, is_taken, problems) in refused {
            let instead = match is_taken {
                true => "the others".to_owned(),
                false => (format.written)(value),
            };
            for problem in problems.0 {
                origin.warn(variable, format!("{problem}; using {instead}"));
            }
        }
    }

    /// The text of a variable. Warns if it is not text.
    pub(crate) fn text(self, variable: &str, origin: &mut Origin) -> Option<String> {
        let value = (self.lookup)(variable).filter(|value| !value.is_empty())?;
        value
            .into_string()
            .inspect_err(|_| origin.warn(variable, " is ignored: it is not text in UTF-8"))
            .ok()
    }

    pub(crate) fn is_set(self, variable: &str) -> bool {
        (self.lookup)(variable).is_some_and(|value| !value.is_empty())
    }
}
