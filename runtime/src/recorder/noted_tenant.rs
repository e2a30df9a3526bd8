//! Who the tenant of a trace is, as far as it is known: a request may name it, and later the tag `tenant.id` does.

use std::sync::{Arc, Mutex, PoisonError};

use super::open::OpenSpan;
use crate::attribute::{Key, Scalar, Tags};
use crate::sampling::{TENANT, Tenants, TierId, tenant_name};

const KEY: Key<'_> = Key::new(TENANT);
const TIER: Key<'_> = Key::new("sampling.tier");

/// The tenant of a trace that waits for its verdict.
#[derive(Debug)]
pub(super) struct NotedTenant {
    tenants: Arc<Tenants>,
    noted: Mutex<Noted>,
}

#[derive(Debug)]
struct Noted {
    name: Option<Arc<str>>,
    /// Whether the verdict was given with it: all spans of a trace are of one tenant.
    is_final: bool,
}

impl NotedTenant {
    /// `name` is what the request says.
    pub(super) fn new(tenants: Arc<Tenants>, name: Option<Arc<str>>) -> Self {
        Self {
            tenants,
            noted: Mutex::new(Noted {
                name,
                is_final: false,
            }),
        }
    }

    fn with<R>(&self, f: impl FnOnce(&mut Noted) -> R) -> R {
        f(&mut self.noted.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Notes the tag of a span that has changed, if the tag was set then: `before` is where what was set begins in the span's buffer.
    #[cold]
    pub(super) fn note(&self, span: &mut OpenSpan, before: usize) {
        if span.was_set(&KEY, before)
            && let Some(tag) = span.attribute(&KEY)
            && let Some(name) = name(tag)
        {
            self.with(|noted| {
                if !noted.is_final {
                    noted.name = Some(name);
                }
            });
        }
    }

    /// The tenant for the verdict. It does not change any more.
    pub(super) fn decide(&self) -> Option<Arc<str>> {
        self.with(|noted| {
            noted.is_final = true;
            noted.name.clone()
        })
    }

    /// What it tags spans with.
    pub(super) fn tags(name: &str) -> Tags {
        let mut tags = Tags::new();
        tags.set(KEY, name);
        tags
    }

    /// Tags a span of a trace that is kept, beside what the limits allow. What the application has said of this span stands.
    pub(super) fn tag(&self, span: &mut OpenSpan, tier: TierId) {
        let name = self.with(|noted| noted.name.clone());
        if let Some(name) = name
            && !span.has(&KEY)
        {
            span.replace(&KEY, |tags| tags.set(KEY, &*name));
        }
        if span.is_first {
            let tier = self.tenants.tier_name(tier);
            span.replace(&TIER, |tags| tags.set(TIER, tier));
        }
    }
}

/// The name in an encoded tag.
fn name(tag: &[u8]) -> Option<Arc<str>> {
    match Scalar::of(tag)? {
        Scalar::Text(text) => tenant_name(text).map(Arc::from),
        Scalar::Int(number) => Some(number.to_string().into()),
        Scalar::Bool(_) | Scalar::Double(_) => None,
    }
}
