//! How a function runs: when it is called, or when what it returns is polled.

use syn::visit::{self, Visit};
use syn::{ReturnType, Signature, TraitBound, Type, TypeParamBound};

/// How a function runs, according to its signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// It has finished when it returns.
    Sync,
    /// An `async fn`.
    Async,
    /// It returns a future, directly or in a pinned box, as the methods of `async_trait` do.
    Future { boxed: bool },
    /// It returns a stream.
    Stream { boxed: bool },
}

impl Shape {
    /// Fails on a future or stream in a place where it can't be wrapped, such as in a tuple.
    pub(crate) fn of(sig: &Signature) -> Result<Self, &TraitBound> {
        if sig.asyncness.is_some() {
            return Ok(Self::Async);
        }
        let ReturnType::Type(_, ty) = &sig.output else {
            return Ok(Self::Sync);
        };
        let mut polled = Polled(None);
        polled.visit_type(ty);
        match (&**ty, polled.0) {
            (Type::ImplTrait(ty), Some(bound)) if ty.bounds.iter().any(|it| is(it, bound)) => {
                Ok(Self::polled(bound, false))
            }
            (Type::Path(path), bound) => {
                let name = path.path.segments.last().map(|it| it.ident.to_string());
                match (name.as_deref(), bound) {
                    (Some("Pin"), Some(bound)) => Ok(Self::polled(bound, true)),
                    (Some("BoxFuture" | "LocalBoxFuture"), _) => Ok(Self::Future { boxed: true }),
                    (Some("BoxStream" | "LocalBoxStream"), _) => Ok(Self::Stream { boxed: true }),
                    (_, Some(bound)) => Err(bound),
                    (_, None) => Ok(Self::Sync),
                }
            }
            (_, Some(bound)) => Err(bound),
            (_, None) => Ok(Self::Sync),
        }
    }

    fn polled(bound: &TraitBound, boxed: bool) -> Self {
        if FUTURES.iter().any(|name| names(bound, name)) {
            Self::Future { boxed }
        } else {
            Self::Stream { boxed }
        }
    }
}

const FUTURES: [&str; 3] = ["Future", "FusedFuture", "TryFuture"];
const STREAMS: [&str; 3] = ["Stream", "FusedStream", "TryStream"];

fn is(bound: &TypeParamBound, polled: &TraitBound) -> bool {
    matches!(bound, TypeParamBound::Trait(bound) if std::ptr::eq(bound, polled))
}

fn names(bound: &TraitBound, name: &str) -> bool {
    let last = bound.path.segments.last();
    last.is_some_and(|segment| segment.ident == name)
}

/// The first `Future` or `Stream` in a type, from the outside in.
struct Polled<'a>(Option<&'a TraitBound>);

impl<'a> Visit<'a> for Polled<'a> {
    fn visit_trait_bound(&mut self, bound: &'a TraitBound) {
        if FUTURES
            .iter()
            .chain(&STREAMS)
            .any(|name| names(bound, name))
        {
            self.0.get_or_insert(bound);
        }
        visit::visit_trait_bound(self, bound);
    }
}
