//! A setting with its source.

use std::fmt;

/// Where a setting came from. A later one takes precedence over an earlier one.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Source {
    /// Nothing sets it.
    Default,
    /// That environment variable.
    Variable(String),
    /// The builder.
    Code,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Code => "code",
            Self::Variable(name) => name,
            Self::Default => "default",
        })
    }
}

/// A variable that could not be taken as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Warning {
    pub(crate) variable: String,
    /// What follows the variable's name: what is wrong, and what is done instead.
    pub(crate) problem: String,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, problem } = self;
        write!(f, "{variable}{problem}")
    }
}

/// The source of a setting, and what was wrong with the variables that should have set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) source: Source,
    pub(crate) warnings: Vec<Warning>,
}

impl Origin {
    pub(crate) const DEFAULT: Self = Self {
        source: Source::Default,
        warnings: Vec::new(),
    };

    /// The code sets it: variables are not read.
    pub(crate) const CODE: Self = Self {
        source: Source::Code,
        warnings: Vec::new(),
    };

    /// Of a value that nothing is wrong with.
    pub(crate) fn of(source: Source) -> Self {
        Self {
            source,
            ..Self::DEFAULT
        }
    }

    pub(crate) fn is_code(&self) -> bool {
        self.source == Source::Code
    }

    pub(crate) fn warn(&mut self, variable: &str, problem: impl Into<String>) {
        self.warnings.push(Warning {
            variable: variable.to_owned(),
            problem: problem.into(),
        });
    }
}

/// A setting's value and origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sourced<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

impl<T> Sourced<T> {
    /// A value that holds until something sets another.
    pub(crate) const fn new(value: T) -> Self {
        Self {
            value,
            origin: Origin::DEFAULT,
        }
    }

    /// A value that the code sets.
    pub(crate) const fn in_code(value: T) -> Self {
        Self {
            value,
            origin: Origin::CODE,
        }
    }

    /// Sets the value in code.
    pub(crate) fn set(&mut self, value: T) {
        *self = Self::in_code(value);
    }
}

impl<T: Default> Default for Sourced<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}
