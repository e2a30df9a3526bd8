//! Parts that the environment names, of which a build may lack some.

use crate::error::Error;

/// A part under the name that a variable has for it.
#[derive(Clone, Copy)]
pub(super) struct Named<M> {
    pub(super) name: &'static str,
    /// Makes it. Or the feature that it needs, if this build has not got it.
    make: Result<M, &'static str>,
}

impl<M: Copy> Named<M> {
    pub(super) const fn new(name: &'static str, make: M) -> Self {
        Self {
            name,
            make: Ok(make),
        }
    }

    #[cfg_attr(
        all(feature = "otlp-grpc", feature = "otlp-http", feature = "zipkin"),
        expect(dead_code, reason = "this build has all parts")
    )]
    pub(super) const fn missing(name: &'static str, feature: &'static str) -> Self {
        Self {
            name,
            make: Err(feature),
        }
    }

    /// What makes it, if `variable` may name it.
    pub(super) fn get(&self, variable: &'static str) -> Result<M, Error> {
        self.make.map_err(|feature| Error::NotBuilt {
            part: self.name,
            feature,
            setting: variable,
        })
    }
}
