//! The third step: from what the user wrote, now checked, to a plan of what to emit.

mod database;
mod private_url;
mod tag;

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Expr, FnArg, LitStr, Pat, PatType, ReturnType, Signature, Token, Type, TypeInfer, Visibility,
    parse_quote_spanned,
};

use crate::function::Function;
use crate::parse::{Annotated, Entry, KINDS, SpanAttribute, SpanOptions};
use crate::runtime_path;
use crate::shape::Shape;

pub(crate) use private_url::{PrivateUrl, UrlArguments, occurs, protects};
pub(crate) use tag::{Tag, TagPlan, TagTarget, Wrapper, ends};

/// All that [`emit`](crate::emit) needs to know about a function.
pub(crate) struct Expansion {
    pub(crate) function: Function,
    /// The path of the runtime's `__private`.
    pub(crate) private: TokenStream,
    /// The source that `header("…")` and the other readers read: a reference to the function's `HttpRequest`, if it has one.
    pub(crate) request: Option<TokenStream>,
    /// Set before the body runs.
    pub(crate) tags: TagPlan,
    /// Set on the result.
    pub(crate) on_result: Vec<Tag>,
    /// How to run the body under a span; `None` if only tags are set before it.
    pub(crate) span: Option<SpanPlan>,
    /// The name of a function that is `main` if it is in the root of a crate.
    pub(crate) main: Option<Span>,
}

/// A span around a body.
pub(crate) struct SpanPlan {
    pub(crate) open: Open,
    pub(crate) shape: Shape,
    /// The return type, as far as it can be named in the body.
    pub(crate) returns: Option<Type>,
    /// `-> !`: there is no result to look at.
    pub(crate) diverges: bool,
    pub(crate) links: Option<Expr>,
    /// The place of the option `err`, which records an error's message.
    pub(crate) err: Option<Span>,
    pub(crate) ok_if: Option<Expr>,
    pub(crate) err_if: Option<Expr>,
}

/// The span that a body runs under.
pub(crate) enum Open {
    /// The current span.
    Current,
    /// A span that the attribute opens or claims.
    Site {
        /// The function of `__private` that opens or claims it.
        by: Ident,
        name: LitStr,
        function_name: LitStr,
        /// The call that tells the site about its query.
        query: Option<TokenStream>,
        /// A variant of `SpanKind`, if not the default.
        kind: Option<Ident>,
    },
}

/// Decides what to emit for `annotated`, in which there are no mistakes.
pub(crate) fn expansion(annotated: Annotated) -> Expansion {
    let Annotated {
        function,
        span_attributes,
        tags,
    } = annotated;
    let mut private = runtime_path::private(None);
    let mut span = None;
    let mut entries = Vec::new();
    for SpanAttribute { name, mut options } in span_attributes {
        if let Some(krate) = &options.krate {
            private = runtime_path::private(Some(krate));
        }
        database::finish(&mut options);
        entries.append(&mut options.attrs);
        let open = open(&name, &options, &private, &function.sig);
        span = Some(SpanPlan::new(open, options, &function.sig));
    }
    entries.extend(tags);
    let wraps_body = entries.iter().any(Entry::wraps_body);
    let (on_result, before) = entries.into_iter().partition(|entry| entry.is_on_result());
    // No entry on a result names an argument.
    let on_result: Vec<Tag> = TagPlan::new(on_result, &UrlArguments::default()).tags;
    if span.is_none() && wraps_body {
        span = Some(SpanPlan::new(
            Open::Current,
            SpanOptions::default(),
            &function.sig,
        ));
    }
    Expansion {
        private,
        request: request(&function.sig),
        tags: TagPlan::new(before, &UrlArguments::of(&function.sig)),
        on_result,
        span,
        main: main(&function),
        function,
    }
}

/// The place of the name, if the function looks like the `main` of a program.
fn main(function: &Function) -> Option<Span> {
    let sig = &function.sig;
    let is_main = sig.ident == "main"
        && sig.inputs.is_empty()
        && matches!(function.vis, Visibility::Inherited);
    is_main.then(|| sig.ident.span())
}

/// A reference to the argument that is written as an `HttpRequest`.
fn request(sig: &Signature) -> Option<TokenStream> {
    sig.inputs.iter().find_map(|argument| {
        let FnArg::Typed(PatType { pat, ty, .. }) = argument else {
            return None;
        };
        let Pat::Ident(pat) = &**pat else { return None };
        let name = &pat.ident;
        match &**ty {
            Type::Reference(reference) if is_http_request(&reference.elem) => Some(quote!(&*#name)),
            ty => is_http_request(ty).then(|| quote!(&#name)),
        }
    })
}

fn is_http_request(ty: &Type) -> bool {
    let Type::Path(path) = ty else { return false };
    path.path
        .segments
        .last()
        .is_some_and(|segment| segment.ident == "HttpRequest")
}

fn open(attribute: &Ident, options: &SpanOptions, private: &TokenStream, sig: &Signature) -> Open {
    let by = match (attribute == "traced", options.child, options.root) {
        (true, _, true) => "traced_root",
        (true, _, false) => "traced",
        (false, true, _) => "child_handler",
        (false, false, _) => "handler",
    };
    let function_name = LitStr::new(&sig.ident.unraw().to_string(), Span::mixed_site());
    let kind = options.kind();
    let kind = KINDS.iter().skip(1).find(|(name, _)| *name == kind);
    let name = options.name.as_ref().or(options.db.as_ref());
    Open::Site {
        by: format_ident!("{by}"),
        name: name.unwrap_or(&function_name).clone(),
        query: database::on_site(options, private),
        function_name,
        kind: kind.map(|(_, variant)| format_ident!("{variant}")),
    }
}

impl SpanPlan {
    fn new(open: Open, options: SpanOptions, sig: &Signature) -> Self {
        let diverges =
            matches!(&sig.output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_)));
        Self {
            open,
            // A function that is not supported has no expansion.
            shape: Shape::of(sig).unwrap_or(Shape::Sync),
            returns: nameable(sig),
            diverges,
            links: options.links,
            err: options.err,
            ok_if: options.ok_if,
            err_if: options.err_if,
        }
    }
}

impl SpanPlan {
    /// Whether an `async fn` may return another future, judged by the name of its return type.
    pub(crate) fn may_yield_a_future(&self) -> bool {
        let is_plain = match &self.returns {
            Some(Type::Path(path)) => (path.path.segments.last()).is_some_and(|last| {
                ["Result", "Option", "HttpResponse"]
                    .iter()
                    .any(|it| last.ident == it)
            }),
            Some(Type::Tuple(_) | Type::Reference(_)) => true,
            _ => self.diverges,
        };
        self.shape == Shape::Async && !is_plain
    }
}

/// The return type as a body can write it. `impl Trait` of a signature is inferred in a body.
fn nameable(sig: &Signature) -> Option<Type> {
    let ReturnType::Type(_, ty) = &sig.output else {
        return Some(parse_quote_spanned!(sig.ident.span()=> ()));
    };
    let mut ty = (**ty).clone();
    ImplTraitToInfer.visit_type_mut(&mut ty);
    match &ty {
        Type::Infer(_) | Type::Never(_) => None,
        _ => Some(ty),
    }
}

struct ImplTraitToInfer;

impl VisitMut for ImplTraitToInfer {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        if let Type::ImplTrait(_) = ty {
            *ty = Type::Infer(TypeInfer {
                attrs: Vec::new(),
                underscore_token: Token![_](ty.span()),
            });
        } else {
            visit_mut::visit_type_mut(self, ty);
        }
    }
}
