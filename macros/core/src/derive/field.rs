//! A field of a struct that derives `BizAttrs`.

use syn::{Expr, Member, Type};

use crate::lower::protects;
use crate::parse::biz::Biz;
use crate::parse::{Effect, Key};

/// A field that is recorded.
pub(crate) struct Field {
    pub(crate) member: Member,
    pub(crate) ty: Type,
    pub(crate) biz: Biz,
    /// `None` for a nested field: its type has the keys.
    pub(crate) key: Option<Key>,
}

impl Field {
    /// Whether an option protects its value.
    pub(super) fn is_protected(&self) -> bool {
        protects(&self.biz.tag_options)
    }

    /// The condition on which it is recorded.
    pub(super) fn condition(&self) -> Option<&Expr> {
        let mut options = self.biz.tag_options.iter();
        options.find_map(|option| match &option.effect {
            Effect::When(condition) => Some(condition),
            _ => None,
        })
    }
}
