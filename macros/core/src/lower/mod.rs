//! The third step: from what the user wrote, now known to be right, to what is to be emitted.

use proc_macro2::{Delimiter, Group, Ident, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, LitStr, Pat, PatType, ReturnType, Signature, Token, Type, TypeInfer, parse_quote_spanned,
};

use crate::function::Function;
use crate::parse::{Annotated, Entry, KINDS, Opener, Options};

/// All that [`emit`](crate::emit) needs to know.
pub(crate) struct Expansion {
    pub(crate) function: Function,
    /// The path of the runtime's `__private`.
    pub(crate) private: TokenStream,
    /// Where `header("…")` and its like read from: the function's `HttpRequest`, as a reference, if it has one.
    pub(crate) request: Option<TokenStream>,
    pub(crate) tags: Vec<Tag>,
    /// Whether a tag's value reads from the request.
    pub(crate) reads_head: bool,
    /// The span to wrap the body in. Without one, the current span is annotated.
    pub(crate) span: Option<SpanPlan>,
}

pub(crate) struct Tag {
    pub(crate) key: LitStr,
    pub(crate) value: TokenStream,
    /// The first and the last of the value's tokens.
    pub(crate) place: [Span; 2],
}

pub(crate) struct SpanPlan {
    /// The function of `__private` that opens it.
    pub(crate) open: Ident,
    pub(crate) name: LitStr,
    pub(crate) function_name: LitStr,
    /// A variant of `SpanKind`, if not the default.
    pub(crate) kind: Option<Ident>,
    pub(crate) is_async: bool,
    /// The return type as far as it can be named in the body, if it is worth naming.
    pub(crate) returns: Option<Type>,
    /// `-> !`: there is no result to look at.
    pub(crate) diverges: bool,
}

/// Decides what to emit for `annotated`, in which there are no mistakes.
pub(crate) fn expansion(annotated: Annotated) -> Expansion {
    let Annotated {
        function,
        openers,
        tags,
    } = annotated;
    let mut expansion = Expansion {
        private: quote!(::biztrace::__private),
        request: request(&function.sig),
        tags: Vec::new(),
        reads_head: false,
        span: None,
        function,
    };
    let mut attrs = Vec::new();
    for Opener { name, mut options } in openers {
        attrs.append(&mut options.attrs);
        if let Some(krate) = &options.krate {
            expansion.private = quote!(#krate::__private);
        }
        expansion.span = Some(span_plan(&name, options, &expansion.function.sig));
    }
    let reads_head = &mut expansion.reads_head;
    expansion.tags = attrs
        .into_iter()
        .chain(tags)
        .map(|entry| tag(entry, reads_head))
        .collect();
    expansion
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

fn span_plan(attribute: &Ident, options: Options, sig: &Signature) -> SpanPlan {
    let open = match (attribute == "traced", options.child) {
        (true, _) => "traced",
        (false, true) => "child_handler",
        (false, false) => "handler",
    };
    let function_name = LitStr::new(&sig.ident.unraw().to_string(), Span::mixed_site());
    let kind = options.kind.map(|kind| kind.value());
    let kind = KINDS
        .iter()
        .skip(1)
        .find(|(name, _)| kind.as_deref() == Some(name));
    SpanPlan {
        open: format_ident!("{open}"),
        name: options.name.unwrap_or_else(|| function_name.clone()),
        function_name,
        kind: kind.map(|(_, variant)| format_ident!("{variant}")),
        is_async: sig.asyncness.is_some(),
        returns: nameable(sig),
        diverges: matches!(&sig.output, ReturnType::Type(_, ty) if matches!(**ty, Type::Never(_))),
    }
}

/// The type that a body can say it returns. What is `impl Trait` in a signature is left to inference in a body.
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

fn tag(Entry { key, value }: Entry, reads_head: &mut bool) -> Tag {
    Tag {
        key: LitStr::new(&key.name, key.tokens.span()),
        place: ends(value.to_token_stream()),
        value: on_head(value.into_token_stream(), reads_head),
    }
}

/// Where an expression starts and ends.
fn ends(tokens: TokenStream) -> [Span; 2] {
    let mut spans = tokens.into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::mixed_site);
    [first, spans.last().unwrap_or(first)]
}

/// Turns `header("…")`, `query("…")` and `cookie("…")` into methods of the request's head, and notes whether there are any.
///
/// On tokens, so that they work within the arguments of any macro too. `req.header("…")` and `m::query("…")` are the user's own.
fn on_head(tokens: TokenStream, found: &mut bool) -> TokenStream {
    let mut output = TokenStream::new();
    let mut tokens = tokens.into_iter().peekable();
    let mut qualified = false;
    let mut last: Option<Punct> = None;
    while let Some(token) = tokens.next() {
        if let TokenTree::Ident(name) = &token
            && !qualified
            && is_reader(name)
            && tokens.peek().is_some_and(is_one_string)
        {
            *found = true;
            output.extend(quote_spanned!(Span::mixed_site().located_at(name.span())=> __head.));
        }
        (qualified, last) = match &token {
            TokenTree::Punct(punct) => (qualifies(last.as_ref(), punct), Some(punct.clone())),
            _ => (false, None),
        };
        output.extend([match token {
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), on_head(group.stream(), found));
                inner.set_span(group.span());
                TokenTree::Group(inner)
            }
            other => other,
        }]);
    }
    output
}

fn is_reader(name: &Ident) -> bool {
    ["header", "query", "cookie"]
        .iter()
        .any(|reader| name == reader)
}

/// `("…")`
fn is_one_string(token: &TokenTree) -> bool {
    let TokenTree::Group(group) = token else {
        return false;
    };
    group.delimiter() == Delimiter::Parenthesis && syn::parse2::<LitStr>(group.stream()).is_ok()
}

/// Whether a name behind `punct` belongs to what is before it: `.` and `::` do that, `..` and `:` don't.
fn qualifies(last: Option<&Punct>, punct: &Punct) -> bool {
    let doubled = last
        .is_some_and(|last| last.as_char() == punct.as_char() && last.spacing() == Spacing::Joint);
    match punct.as_char() {
        '.' => !doubled,
        ':' => doubled,
        _ => false,
    }
}
