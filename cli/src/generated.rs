//! The code that the macros generate for a site. They are called as rustc calls them.

use biztrace_macros_core::{derive_biz_attrs, derive_biz_value, tag};
use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, Ident, LitStr, Meta, Token, braced};

use crate::annotated::{Site, SiteKind, outermost};
use crate::attributes::{AttributeMacro, our_macro, split, unfolded};
use crate::format::format;
use crate::mistake::Mistake;
use crate::modules::SourceFile;

/// The code that a site becomes, or that a derive adds to it, formatted for `depth` levels of indentation. Sites
/// within it are expanded, too.
pub(crate) fn generated(site: &Site, sites: &[Site], file: &SourceFile, depth: usize) -> String {
    let (_, code) = expanded(site, with_inner(site, sites, file));
    format(site.kind, &code, depth)
}

/// The mistakes that the macros report.
pub(crate) fn mistakes(site: &Site, file: &SourceFile) -> Vec<Mistake> {
    let (errors, _) = expanded(site, site.tokens.clone());
    let errors = errors.into_iter().map(|(message, place)| {
        // An error at the end of the input has no place of its own.
        let has_place = site.range.contains(&place.byte_range().start);
        Mistake::new(
            message,
            &file.display_path,
            if has_place { place } else { site.place },
        )
    });
    errors.collect()
}

/// `text`, which begins at the byte `start` of its file, with the generated code of `sites` in it.
pub(crate) fn spliced<'a>(
    text: &str,
    start: usize,
    sites: impl Iterator<Item = &'a Site>,
    generate: impl Fn(&Site) -> String,
) -> String {
    let mut output = String::new();
    let mut end = 0;
    for site in sites {
        let (first, last) = (site.range.start - start, site.range.end - start);
        let code = generate(site);
        match site.kind {
            SiteKind::Attrs | SiteKind::Value if code.is_empty() => continue,
            SiteKind::Attrs | SiteKind::Value => {
                let indentation = text[..first].rsplit('\n').next().unwrap_or_default();
                output += &text[end..last];
                output += &format!("\n\n{indentation}{code}");
            }
            SiteKind::BracedTag => output += &format!("{}{code};", &text[end..first]),
            SiteKind::Function | SiteKind::Tag => output += &format!("{}{code}", &text[end..first]),
        }
        end = last;
    }
    output + &text[end..]
}

/// A site's tokens, with the sites within it expanded.
fn with_inner(site: &Site, sites: &[Site], file: &SourceFile) -> TokenStream {
    let is_inner =
        |other: &&Site| site.range.start < other.range.start && other.range.end <= site.range.end;
    let mut inner = outermost(sites.iter().filter(is_inner)).peekable();
    if inner.peek().is_none() {
        return site.tokens.clone();
    }
    let generate = |inner: &Site| {
        expanded(inner, with_inner(inner, sites, file))
            .1
            .to_string()
    };
    let text = spliced(
        &file.text[site.range.clone()],
        site.range.start,
        inner,
        generate,
    );
    text.parse().map_or_else(|_| site.tokens.clone(), unfolded)
}

/// The errors of the macros, and the code that they generate beside.
fn expanded(site: &Site, tokens: TokenStream) -> (Vec<(String, Span)>, TokenStream) {
    match site.kind {
        SiteKind::Function => function(tokens),
        SiteKind::Attrs => errors_apart(derive_biz_attrs(tokens)),
        SiteKind::Value => errors_apart(derive_biz_value(tokens)),
        SiteKind::Tag | SiteKind::BracedTag => {
            let code = tag(quote!([::biztrace] #tokens));
            let block = |input: ParseStream<'_>| {
                let block;
                braced!(block in input);
                block.parse::<TokenStream>()
            };
            let errors = block.parse2(code.clone()).unwrap_or_else(|_| code.clone());
            (errors_apart(errors).0, code)
        }
    }
}

/// Expands the attributes of an item as rustc does, from the outside in.
fn function(mut item: TokenStream) -> (Vec<(String, Span)>, TokenStream) {
    let mut all = Vec::new();
    while let Some((mut attrs, rest)) = split(item.clone())
        && let Some((first, expand)) = first_of_ours(&attrs)
    {
        let args = match attrs.remove(first).meta {
            Meta::List(list) => list.tokens,
            // rustc refuses `#[traced = …]` by itself.
            Meta::Path(_) | Meta::NameValue(_) => TokenStream::new(),
        };
        let expansion = expand(args, quote!(#(#attrs)* #rest));
        let (mut errors, expansion) = errors_apart(expansion);
        all.append(&mut errors);
        item = expansion;
    }
    (all, item)
}

fn first_of_ours(attrs: &[Attribute]) -> Option<(usize, AttributeMacro)> {
    let mut numbered = attrs.iter().enumerate();
    numbered.find_map(|(index, attr)| Some((index, our_macro(attr)?)))
}

/// Splits the `compile_error!`s at the start of an expansion from the rest.
fn errors_apart(expansion: TokenStream) -> (Vec<(String, Span)>, TokenStream) {
    let split = |input: ParseStream<'_>| {
        let mut errors = Vec::new();
        while input.peek(Token![::]) {
            let ahead = input.fork();
            let Ok(error) = compile_error(&ahead) else {
                break;
            };
            compile_error(input)?;
            errors.push(error);
        }
        Ok((errors, input.parse()?))
    };
    split
        .parse2(expansion.clone())
        .unwrap_or_else(|_| (Vec::new(), expansion))
}

/// `::core::compile_error! { "message" }`
fn compile_error(input: ParseStream<'_>) -> syn::Result<(String, Span)> {
    let start: Token![::] = input.parse()?;
    input.parse::<Ident>()?;
    input.parse::<Token![::]>()?;
    input.parse::<Ident>()?;
    input.parse::<Token![!]>()?;
    let message;
    braced!(message in input);
    let message: LitStr = message.parse()?;
    Ok((message.value(), start.spans[0]))
}
