//! The private parts of a request's URL: what protected entries are made of.
//!
//! Found by names: of the arguments that are extractors, and of parameters in `query("…")`.

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{FnArg, LitStr, PathArguments, PathSegment, Signature};

use crate::names::Names;
use crate::parse::{Effect, Entry, EntryTarget, TagOption};
use crate::readers;

/// Parts of a request's URL.
#[derive(Default)]
pub(crate) struct PrivateUrl {
    pub(crate) path: bool,
    /// All values of the query.
    pub(crate) query: bool,
    pub(crate) parameters: Vec<LitStr>,
}

impl PrivateUrl {
    pub(crate) fn is_nothing(&self) -> bool {
        !self.path && !self.query && self.parameters.is_empty()
    }

    pub(super) fn add(&mut self, other: Self) {
        self.path |= other.path;
        self.query |= other.query;
        self.parameters.extend(other.parameters);
    }
}

/// The arguments of a function that are made of a request's URL.
#[derive(Default)]
pub(crate) struct UrlArguments {
    path: Names,
    query: Names,
    /// Those that are the request itself.
    request: Names,
}

/// What of a request is made of its path, and of its query.
const OF_PATH: [&str; 5] = ["match_info", "path", "unprocessed_path", "uri", "full_url"];
const OF_QUERY: [&str; 3] = ["query_string", "uri", "full_url"];

impl UrlArguments {
    pub(crate) fn of(sig: &Signature) -> Self {
        let mut arguments = Self::default();
        for argument in &sig.inputs {
            let FnArg::Typed(typed) = argument else {
                continue;
            };
            let mut extractor = Extractor::default();
            extractor.visit_type(&typed.ty);
            for (is_it, names) in [
                (extractor.path, &mut arguments.path),
                (extractor.query, &mut arguments.query),
                (extractor.request, &mut arguments.request),
            ] {
                if is_it {
                    names.visit_pat(&typed.pat);
                }
            }
        }
        arguments
    }

    /// Whether there are such arguments, beside the request itself.
    pub(crate) fn are_any(&self) -> bool {
        !self.path.0.is_empty() || !self.query.0.is_empty()
    }

    /// The parts of the URL that a value is made of.
    pub(crate) fn parts_of(&self, value: impl ToTokens) -> PrivateUrl {
        let tokens = value.into_token_stream();
        let reads = |methods: &[&str]| {
            occurs(&tokens, &|word| self.request.has(word))
                && occurs(&tokens, &|word| methods.contains(&word))
        };
        PrivateUrl {
            path: occurs(&tokens, &|word| self.path.has(word)) || reads(&OF_PATH),
            query: occurs(&tokens, &|word| self.query.has(word)) || reads(&OF_QUERY),
            parameters: readers::parameters(tokens),
        }
    }
}

/// Whether one of these options protects a value.
pub(crate) fn protects(options: &[TagOption]) -> bool {
    let protects = |effect: &Effect| matches!(effect, Effect::Hash | Effect::Mask(_) | Effect::Pii);
    options.iter().any(|option| protects(&option.effect))
}

/// Whether an entry spreads a type's attributes on a condition: then nothing says at the end if the type protects one.
pub(super) fn is_conditional_spread(entry: &Entry) -> bool {
    let is_condition = |effect: &Effect| matches!(effect, Effect::When(_));
    matches!(entry.target, EntryTarget::Spread(_))
        && (entry.options.iter()).any(|option| is_condition(&option.effect))
}

/// What an argument extracts, judged by the name of its type: `web::Path<T>`, also within `Option` and others.
#[derive(Default)]
struct Extractor {
    path: bool,
    query: bool,
    request: bool,
}

impl<'a> Visit<'a> for Extractor {
    fn visit_path_segment(&mut self, segment: &'a PathSegment) {
        let name = segment.ident.to_string();
        // `std::path::Path` has no parameters.
        if let PathArguments::AngleBracketed(_) = segment.arguments {
            self.path |= name.ends_with("Path");
            self.query |= name.ends_with("Query");
        }
        self.request |= name == "HttpRequest";
        visit::visit_path_segment(self, segment);
    }
}

/// Whether such a word occurs in tokens, at any depth: as a name, or as one within braces in a string, which `format!` reads.
pub(crate) fn occurs(tokens: &TokenStream, is_it: &dyn Fn(&str) -> bool) -> bool {
    tokens.clone().into_iter().any(|token| match token {
        TokenTree::Ident(name) => is_it(&name.to_string()),
        TokenTree::Group(group) => occurs(&group.stream(), is_it),
        TokenTree::Literal(literal) => {
            let text = literal.to_string();
            let mut braced = text.split('{').skip(1);
            braced.any(|text| {
                let is_word = |character: char| character.is_alphanumeric() || character == '_';
                is_it(text.split(|it| !is_word(it)).next().unwrap_or_default())
            })
        }
        TokenTree::Punct(_) => false,
    })
}
