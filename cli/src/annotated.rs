//! Finds the items and calls in a file that our macros work on.

use std::ops::Range;

use proc_macro2::{Group, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{ParseStream, Parser};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    Attribute, Ident, ImplItemFn, ItemEnum, ItemFn, ItemImpl, ItemMod, ItemStruct, ItemTrait,
    Macro, MacroDelimiter, Path, StmtMacro, Token, TraitItemFn, Type, UseTree,
};

use crate::attributes::{applied, derives, ends_in, is_ours, is_test, unfolded};
use crate::modules::SourceFile;

/// The crate that `tag!` is imported from.
const CRATE: &str = "biztrace";

/// Macros that take tokens without running them.
const QUOTING: [&str; 6] = [
    "macro_rules",
    "quote",
    "quote_spanned",
    "parse_quote",
    "parse_quote_spanned",
    "stringify",
];

/// Something that one of our macros works on.
pub(crate) struct Site {
    pub(crate) kind: SiteKind,
    /// The input of the macro: the item with its attributes as if every `cfg_attr` held, or the arguments of `tag!`.
    pub(crate) tokens: TokenStream,
    /// Crate, modules, types and functions that lead to it, itself included; of `tag!`, the function that it is in.
    pub(crate) path: Vec<String>,
    /// The module, from the name of its crate: `shop::storefront`.
    pub(crate) module: String,
    /// The function, as `code.function.name` has it.
    pub(crate) function: String,
    /// The bytes of the file that it takes.
    pub(crate) range: Range<usize>,
    pub(crate) place: Span,
    /// The name of the function or type; of `tag!`, all of it.
    pub(crate) name_place: Span,
}

/// The kind of thing that a macro works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SiteKind {
    /// A function with attributes of ours.
    Function,
    /// A type that derives `BizAttrs`.
    Attrs,
    /// A type that derives `BizValue`.
    Value,
    /// `tag!(…)`
    Tag,
    /// `tag! { … }` as a statement, without a semicolon.
    BracedTag,
}

impl SiteKind {
    /// How deep it is in a file at least: an expression stands in a function.
    pub(crate) fn least_depth(self) -> usize {
        usize::from(matches!(self, Self::Tag | Self::BracedTag))
    }
}

/// All sites of a file, in its order; a site within another comes after it.
pub(crate) fn find(file: &SourceFile, shipped_only: bool) -> Vec<Site> {
    let mut imports = Imports(false);
    imports.visit_file(&file.syntax);
    let mut finder = Finder {
        imports_tag: imports.0,
        shipped_only,
        path: file.module.clone(),
        modules: file.module.clone(),
        sites: Vec::new(),
    };
    finder.visit_file(&file.syntax);
    finder.sites
}

/// The sites that are not within an earlier one.
pub(crate) fn outermost<'a>(
    sites: impl IntoIterator<Item = &'a Site>,
) -> impl Iterator<Item = &'a Site> {
    let mut end = 0;
    sites.into_iter().filter(move |site| {
        let is_outermost = site.range.start >= end;
        end = end.max(site.range.end);
        is_outermost
    })
}

struct Finder {
    imports_tag: bool,
    shipped_only: bool,
    path: Vec<String>,
    modules: Vec<String>,
    sites: Vec<Site>,
}

impl Finder {
    fn site(&mut self, kind: SiteKind, tokens: TokenStream, place: Span, name_place: Span) {
        let function = self
            .path
            .last()
            .filter(|_| self.path.len() > self.modules.len());
        let function = self.modules.iter().chain(function).map(String::as_str);
        self.sites.push(Site {
            kind,
            tokens,
            path: self.path.clone(),
            module: self.modules.join("::"),
            function: function.collect::<Vec<_>>().join("::"),
            range: place.byte_range(),
            place,
            name_place,
        });
    }

    fn within(&mut self, name: String, visit: impl FnOnce(&mut Self)) {
        self.path.push(name);
        visit(self);
        self.path.pop();
    }

    fn function(
        &mut self,
        attrs: &[Attribute],
        name: &Ident,
        item: &impl ToTokens,
        visit: impl FnOnce(&mut Self),
    ) {
        if self.shipped_only && is_test(attrs) {
            return;
        }
        self.within(name.unraw().to_string(), |finder| {
            if attrs.iter().flat_map(applied).any(|attr| is_ours(&attr)) {
                finder.site(
                    SiteKind::Function,
                    unfolded(item.to_token_stream()),
                    item.span(),
                    name.span(),
                );
            }
            visit(finder);
        });
    }

    fn derived(&mut self, attrs: &[Attribute], name: &Ident, item: &impl ToTokens) {
        for (derive, kind) in [("BizAttrs", SiteKind::Attrs), ("BizValue", SiteKind::Value)] {
            if derives(attrs, derive) {
                self.within(name.unraw().to_string(), |finder| {
                    finder.site(kind, item.to_token_stream(), item.span(), name.span());
                });
            }
        }
    }

    /// A call of a macro: `tag!`, or one that may have it among its tokens.
    fn call(&mut self, kind: SiteKind, mac: &Macro) {
        let path = &mac.path;
        let qualified = path
            .segments
            .first()
            .is_some_and(|first| first.ident == CRATE);
        let is_tag =
            ends_in(path, "tag") && (qualified || self.imports_tag && path.get_ident().is_some());
        if is_tag {
            self.site(kind, mac.tokens.clone(), mac.span(), mac.span());
        } else if !QUOTING.iter().any(|name| ends_in(path, name)) {
            self.tokens(mac.tokens.clone());
        }
    }

    /// Calls of macros among the arguments of another macro.
    fn tokens(&mut self, tokens: TokenStream) {
        let search = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let ahead = input.fork();
                if let Ok(mac) = ahead.parse::<Macro>() {
                    input.advance_to(&ahead);
                    self.visit_macro(&mac);
                } else if definition(&input.fork()).is_ok() {
                    definition(input)?;
                } else if let TokenTree::Group(group) = input.parse()? {
                    self.tokens(group.stream());
                }
            }
            Ok(())
        };
        // It takes any tokens.
        let _ = search.parse2(tokens);
    }
}

impl<'a> Visit<'a> for Finder {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        if self.shipped_only && is_test(&item.attrs) {
            return;
        }
        let name = item.ident.unraw().to_string();
        self.modules.push(name.clone());
        self.within(name, |finder| visit::visit_item_mod(finder, item));
        self.modules.pop();
    }

    fn visit_item_impl(&mut self, item: &'a ItemImpl) {
        let name = match &*item.self_ty {
            Type::Path(ty) => last_name(&ty.path),
            _ => None,
        };
        self.within(name.unwrap_or_else(|| "impl".to_owned()), |finder| {
            visit::visit_item_impl(finder, item);
        });
    }

    fn visit_item_trait(&mut self, item: &'a ItemTrait) {
        self.within(item.ident.unraw().to_string(), |finder| {
            visit::visit_item_trait(finder, item)
        });
    }

    fn visit_item_fn(&mut self, item: &'a ItemFn) {
        self.function(&item.attrs, &item.sig.ident, item, |finder| {
            visit::visit_item_fn(finder, item)
        });
    }

    fn visit_impl_item_fn(&mut self, item: &'a ImplItemFn) {
        self.function(&item.attrs, &item.sig.ident, item, |finder| {
            visit::visit_impl_item_fn(finder, item)
        });
    }

    fn visit_trait_item_fn(&mut self, item: &'a TraitItemFn) {
        self.function(&item.attrs, &item.sig.ident, item, |finder| {
            visit::visit_trait_item_fn(finder, item)
        });
    }

    fn visit_item_struct(&mut self, item: &'a ItemStruct) {
        self.derived(&item.attrs, &item.ident, item);
    }

    fn visit_item_enum(&mut self, item: &'a ItemEnum) {
        self.derived(&item.attrs, &item.ident, item);
    }

    fn visit_stmt_macro(&mut self, statement: &'a StmtMacro) {
        let is_bare = statement.semi_token.is_none()
            && matches!(statement.mac.delimiter, MacroDelimiter::Brace(_));
        self.call(
            if is_bare {
                SiteKind::BracedTag
            } else {
                SiteKind::Tag
            },
            &statement.mac,
        );
    }

    fn visit_macro(&mut self, mac: &'a Macro) {
        self.call(SiteKind::Tag, mac);
    }
}

/// `macro_rules! name { … }`
fn definition(input: ParseStream<'_>) -> syn::Result<()> {
    let word: Ident = input.parse()?;
    if word != "macro_rules" {
        return Err(input.error("no definition"));
    }
    input.parse::<Token![!]>()?;
    input.parse::<Ident>()?;
    input.parse::<Group>()?;
    Ok(())
}

fn last_name(path: &Path) -> Option<String> {
    Some(path.segments.last()?.ident.unraw().to_string())
}

/// Whether `tag` is imported from our crate, by name or by `*`.
struct Imports(bool);

impl<'a> Visit<'a> for Imports {
    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        if let UseTree::Path(path) = &item.tree {
            self.0 |= path.ident == CRATE && imports_tag(&path.tree);
        }
    }
}

fn imports_tag(tree: &UseTree) -> bool {
    match tree {
        UseTree::Name(name) => name.ident == "tag",
        UseTree::Glob(_) => true,
        UseTree::Group(group) => group.items.iter().any(imports_tag),
        UseTree::Path(_) | UseTree::Rename(_) => false,
    }
}
