//! The functions that an application gives to the middleware.

use std::sync::Arc;

use actix_web::HttpRequest;
use actix_web::dev::{ServiceRequest, ServiceResponse};

use crate::attribute::Tags;
use crate::recorder::RunScope;

#[derive(Clone, Default)]
pub(super) struct Hooks {
    pub(super) skip: Option<Skip>,
    pub(super) tenant: Option<TenantOf>,
    pub(super) tags: Vec<RequestTags>,
    pub(super) span_name: Option<SpanName>,
    pub(super) response_tags: Vec<ResponseTags>,
}

type Skip = Arc<dyn Fn(&ServiceRequest) -> bool + Send + Sync>;
pub(super) type TenantOf = Arc<dyn Fn(&ServiceRequest) -> Option<String> + Send + Sync>;
type RequestTags = Arc<dyn Fn(&ServiceRequest, &mut Tags) + Send + Sync>;
type SpanName = Arc<dyn Fn(&HttpRequest) -> Option<String> + Send + Sync>;
type ResponseTags = Arc<dyn Fn(&ServiceResponse<()>, &mut Tags) + Send + Sync>;

/// Paths that only machines ask for, often.
const SKIPPED: [&str; 5] = ["/health", "/healthz", "/livez", "/readyz", "/metrics"];

impl Hooks {
    pub(super) fn skips(&self, request: &ServiceRequest) -> bool {
        match &self.skip {
            Some(skip) => skip(request),
            None => SKIPPED.contains(&request.path()),
        }
    }

    #[inline]
    pub(super) fn tag_request(&self, scope: &mut RunScope, request: &ServiceRequest) {
        if !self.tags.is_empty() {
            scope.tag(|set| self.tags.iter().for_each(|tags| tags(request, set)));
        }
    }

    /// Names and tags the span, if there is one, as the application wishes.
    #[inline]
    pub(super) fn see_response(&self, scope: &mut RunScope, response: &ServiceResponse<()>) {
        let sees_responses = self.span_name.is_some() || !self.response_tags.is_empty();
        if sees_responses && scope.span().is_some() {
            self.show_response(scope, response);
        }
    }

    /// The application's code runs under the span.
    fn show_response(&self, scope: &mut RunScope, response: &ServiceResponse<()>) {
        if let Some(span_name) = &self.span_name {
            let entered = scope.enter();
            let name = span_name(response.request());
            drop(entered);
            if let Some((span, name)) = scope.span().zip(name) {
                span.set_name(&name);
            }
        }
        if !self.response_tags.is_empty() {
            let all = self.response_tags.iter();
            scope.tag(|set| all.for_each(|tags| tags(response, set)));
        }
    }
}
