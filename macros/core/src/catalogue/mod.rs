//! Spans and tags that annotations declare, as far as source shows, without an expansion.
//!
//! For tools that read source. Mistakes are left out: an expansion reports them.

mod names;
mod origin;
mod reader;
mod scope;
mod source_text;
mod types;

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::{Attribute, Expr, LitStr, Member, Meta, Signature};

pub use crate::destination::{Destination, Destinations};
use crate::fold::{self, RawAttribute};
use crate::function::Function;
use crate::parse::{self, Effect, Entry, EntryTarget, SpanAttribute, TagOption};

use crate::lower::UrlArguments;

pub use origin::UrlOrigin;
use scope::Scope;
use source_text::written;
pub use types::Types;

/// What the attributes of one function declare.
#[derive(Debug)]
#[non_exhaustive]
pub struct Declared {
    /// The span that they open or claim: none for `#[biz_attrs]` alone.
    pub span: Option<DeclaredSpan>,
    /// Its tags, in the order in which they are written.
    pub tags: Vec<DeclaredTag>,
    /// Whether an argument is read from the request's URL, as `web::Path` and `web::Query` are.
    pub reads_url: bool,
}

/// A span.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeclaredSpan {
    /// Its name. For a handler with a route attribute, the method and the route without the scopes around it; otherwise the
    /// function's name, also where rustc takes the name from a query.
    pub name: String,
    /// `internal`, `server`, `client`, `producer` or `consumer`.
    pub kind: String,
    /// Whether it is the request's span, which the handler claims.
    pub is_request: bool,
    /// The method and the path of a handler's route attribute.
    pub route: Option<(String, String)>,
}

/// A tag.
#[derive(Debug)]
#[non_exhaustive]
pub struct DeclaredTag {
    /// Its key; `..value` for a spread of a type that is not known.
    pub key: String,
    /// `string`, `boolean`, `int`, `double`, or a list such as `int[]`, as the attribute's type; `None` if source does not show it.
    pub value_type: Option<String>,
    /// The expression, on one line.
    pub value: String,
    /// How it is protected: `plain`, `hash`, `mask` or `pii`.
    pub privacy: &'static str,
    /// Where its value comes from, if it is protected.
    pub origin: UrlOrigin,
    /// The places that it goes to, beside its span.
    pub destinations: Destinations,
    /// Where it is written.
    pub place: Span,
}

/// The span and tags that the attributes on a function declare; `None` for an item that is not a function.
///
/// `item` has all its attributes. `module` is the module of the item, as in [`Types::read`].
///
/// ```
/// use biztrace_macros_core::catalogue::{Types, function};
/// use quote::quote;
///
/// let declared = function(
///     &Types::default(),
///     "shop::storefront",
///     quote! {
///         #[traced(kind = "client")]
///         #[biz_attrs(#[hash] order.id = id)]
///         fn load(id: u64) {}
///     },
/// );
/// assert_eq!(declared.unwrap().tags[0].privacy, "hash");
/// ```
pub fn function(types: &Types, module: &str, item: TokenStream) -> Option<Declared> {
    let split = |input: ParseStream<'_>| {
        let attrs = input.call(Attribute::parse_outer)?;
        Ok((attrs, input.parse::<TokenStream>()?))
    };
    let (attrs, undecorated) = split.parse2(item).ok()?;
    let (ours, others): (Vec<_>, Vec<_>) = attrs.into_iter().partition(fold::is_ours);
    let ours: Vec<RawAttribute> = ours.into_iter().filter_map(raw).collect();
    let name = ours.first()?.name.clone();
    let function = Function::parse(&name, others, undecorated).ok()?;
    let annotated = parse::annotated(function, ours, &mut Vec::new());
    let (sig, attrs) = (&annotated.function.sig, &annotated.function.attrs);
    let attribute = annotated.span_attributes.first();
    let span = attribute.map(|attribute| span(attribute, sig, attrs));
    let is_handler = attribute.is_some_and(SpanAttribute::is_handler);
    let tags_of = |entry: &Entry| {
        let mut tags = tags(types, entry, &Scope::of(types, module, sig, entry));
        if is_handler && !entry.is_on_result() {
            give_origin(&mut tags, || origin::of_handler(sig, &entry.value));
        }
        tags
    };
    Some(Declared {
        span,
        tags: annotated.entries().flat_map(tags_of).collect(),
        reads_url: UrlArguments::of(sig).are_any(),
    })
}

/// The tags that a `tag!(…)` in that module declares; `input` is the content of its parentheses.
pub fn tag(types: &Types, module: &str, input: TokenStream) -> Vec<DeclaredTag> {
    let entries = parse::entries(input, &mut Vec::new());
    // The names in a body are not those of the signature.
    let scope = Scope::empty(types, module);
    let tags_of = |entry: &Entry| {
        let mut tags = tags(types, entry, &scope);
        give_origin(&mut tags, || origin::of_body(&entry.value));
        tags
    };
    entries.iter().flat_map(tags_of).collect()
}

fn give_origin(tags: &mut [DeclaredTag], origin: impl Fn() -> UrlOrigin) {
    for tag in tags.iter_mut().filter(|tag| tag.privacy != "plain") {
        tag.origin = origin();
    }
}

fn raw(attr: Attribute) -> Option<RawAttribute> {
    let name = attr.path().segments.last()?.ident.clone();
    let args = match attr.meta {
        Meta::List(list) => list.tokens,
        Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
    };
    Some(RawAttribute { name, args })
}

fn span(attribute: &SpanAttribute, sig: &Signature, attrs: &[Attribute]) -> DeclaredSpan {
    let options = &attribute.options;
    let function = || sig.ident.unraw().to_string();
    if attribute.is_handler() && !options.child {
        let route = attrs.iter().find_map(route);
        let name = route
            .as_ref()
            .map(|(method, path)| format!("{method} {path}"));
        return DeclaredSpan {
            name: name.unwrap_or_else(function),
            kind: "server".to_owned(),
            is_request: true,
            route,
        };
    }
    let system = options.db.as_ref().filter(|_| options.query.is_none());
    let name = options.name.as_ref().or(system);
    DeclaredSpan {
        name: name.map_or_else(function, LitStr::value),
        kind: options.kind(),
        is_request: false,
        route: None,
    }
}

/// `#[post("/orders")]` → `POST`, `/orders`
fn route(attr: &Attribute) -> Option<(String, String)> {
    let method = attr.path().segments.last()?.ident.to_string();
    let is_method = [
        "get", "post", "put", "patch", "delete", "head", "options", "connect", "trace",
    ]
    .contains(&method.as_str());
    let Meta::List(list) = &attr.meta else {
        return None;
    };
    let path = |input: ParseStream<'_>| {
        let path = input.parse::<LitStr>()?;
        input.parse::<TokenStream>()?;
        Ok(path)
    };
    let path = path
        .parse2(list.tokens.clone())
        .ok()
        .filter(|_| is_method)?;
    Some((method.to_uppercase(), path.value()))
}

/// The tags that an entry sets: one, or all that a type declares.
fn tags(types: &Types, entry: &Entry, scope: &Scope<'_>) -> Vec<DeclaredTag> {
    let value = &entry.value;
    match &entry.target {
        EntryTarget::Key(key) => vec![declared(
            key.name.clone(),
            scope.attribute_type(value),
            written(value),
            &entry.options,
            key.tokens.span(),
        )],
        EntryTarget::Spread(dots) => {
            let value_name = written(peeled(value));
            let spread = scope
                .struct_name(value)
                .and_then(|name| spread(types, &name, &value_name, dots.span(), &mut Vec::new()));
            spread.unwrap_or_else(|| vec![unknown_spread(&value_name, dots.span())])
        }
    }
}

/// The tags that the type of that full path declares. `within` has the types on the way here.
fn spread(
    types: &Types,
    name: &str,
    value: &str,
    place: Span,
    within: &mut Vec<String>,
) -> Option<Vec<DeclaredTag>> {
    let fields = types.fields(name)?;
    if within.iter().any(|it| it == name) {
        // A type that contains itself has endlessly many keys.
        return None;
    }
    within.push(name.to_owned());
    let module = names::parent(name);
    let mut tags = Vec::new();
    for field in fields {
        let member = match &field.member {
            Member::Named(name) => name.to_string(),
            Member::Unnamed(index) => index.index.to_string(),
        };
        let value = format!("{value}.{member}");
        if let Some(key) = &field.key {
            let value_type = types.attribute_type(&field.ty, module);
            tags.push(declared(
                key.name.clone(),
                value_type,
                value,
                &field.biz.tag_options,
                place,
            ));
            continue;
        }
        let nested = types
            .struct_name(&field.ty, module)
            .and_then(|name| spread(types, &name, &value, place, within));
        let mut nested = nested.unwrap_or_else(|| vec![unknown_spread(&value, place)]);
        if let Some(prefix) = field.biz.text("prefix") {
            for tag in nested.iter_mut().filter(|tag| !tag.is_unknown_spread()) {
                tag.key = format!("{}.{}", prefix.value(), tag.key);
            }
        }
        tags.append(&mut nested);
    }
    within.pop();
    Some(tags)
}

fn declared(
    key: String,
    value_type: Option<String>,
    value: String,
    options: &[TagOption],
    place: Span,
) -> DeclaredTag {
    let mut tag = DeclaredTag {
        key,
        value_type,
        value,
        privacy: "plain",
        origin: UrlOrigin::Known,
        destinations: Destinations::new(),
        place,
    };
    for option in options {
        match option.effect {
            Effect::Hash => tag.privacy = "hash",
            Effect::Mask(_) => tag.privacy = "mask",
            Effect::Pii => tag.privacy = "pii",
            Effect::SendTo(destination) => drop(tag.destinations.insert(destination)),
            Effect::Display | Effect::Debug => tag.value_type = Some("string".to_owned()),
            Effect::When(_) | Effect::OnResult(..) | Effect::MaxLen(_) => {}
        }
    }
    if matches!(tag.privacy, "hash" | "mask") {
        // The text of each element, in a list.
        let is_list = tag.value_type.is_some_and(|it| it.ends_with("[]"));
        tag.value_type = Some(if is_list { "string[]" } else { "string" }.to_owned());
    }
    tag
}

fn unknown_spread(value: &str, place: Span) -> DeclaredTag {
    declared(format!("..{value}"), None, value.to_owned(), &[], place)
}

impl DeclaredTag {
    /// Whether it stands for the attributes of a type that is not known.
    fn is_unknown_spread(&self) -> bool {
        self.key.starts_with("..")
    }
}

/// An expression without references and parentheses around it.
fn peeled(expr: &Expr) -> &Expr {
    match expr {
        Expr::Reference(reference) => peeled(&reference.expr),
        Expr::Paren(paren) => peeled(&paren.expr),
        Expr::Group(group) => peeled(&group.expr),
        expr => expr,
    }
}
