//! The parts of a request's URL that protected tags are made of.

/// Parts of a request's URL that its span must not show, since a protected tag is made of them. An expansion knows them by the names
/// in its entries: of extractors, and of `query("…")`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrivateUrl {
    /// The path.
    pub path: bool,
    /// All values of the query.
    pub query: bool,
    /// The values of these parameters of the query.
    pub parameters: &'static [&'static str],
}

impl PrivateUrl {
    pub(crate) const NOTHING: Self = Self {
        path: false,
        query: false,
        parameters: &[],
    };
    #[cfg_attr(
        not(feature = "_inbound"),
        allow(dead_code, reason = "servers hide paths")
    )]
    pub(crate) const PATH: Self = Self {
        path: true,
        ..Self::NOTHING
    };

    /// Whether something is private.
    #[inline]
    pub(crate) fn is_any(&self) -> bool {
        self.path | self.query | !self.parameters.is_empty()
    }
}
