//! The paths that a module names: in `use` items, in types and expressions, and in the tokens of macros.

use proc_macro2::{TokenStream, TokenTree};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItem, Item, ItemUse, Macro, Path, UseTree, VisRestricted};

use crate::crate_sources::{is_re_export, is_test, name_of};

/// What a module names.
#[derive(Debug, Default)]
pub(crate) struct NamedPaths {
    pub(crate) uses: Vec<Use>,
    /// Paths of two segments or more.
    pub(crate) inline: Vec<Vec<String>>,
}

/// One leaf of a `use` item.
#[derive(Debug)]
pub(crate) struct Use {
    /// The name that it brings into scope; `*` for all names.
    pub(crate) name: String,
    pub(crate) path: Vec<String>,
    pub(crate) is_re_export: bool,
}

/// What these items name, without the modules among them, which are modules of their own.
pub(crate) fn named_paths(items: &[Item]) -> NamedPaths {
    let mut named = NamedPaths::default();
    for item in items {
        if !matches!(item, Item::Mod(_)) {
            named.visit_item(item);
        }
    }
    named
}

impl<'ast> Visit<'ast> for NamedPaths {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item(&mut self, item: &'ast ImplItem) {
        let is_test = match item {
            ImplItem::Const(item) => is_test(&item.attrs),
            ImplItem::Fn(item) => is_test(&item.attrs),
            _ => false,
        };
        if !is_test {
            visit::visit_impl_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.add_tree(&item.tree, &mut Vec::new(), is_re_export(&item.vis));
    }

    fn visit_path(&mut self, path: &'ast Path) {
        let segments = path.segments.iter().map(|segment| name_of(&segment.ident));
        self.add_inline(segments.collect());
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast Macro) {
        visit::visit_macro(self, call);
        self.add_tokens(call.tokens.clone());
    }

    fn visit_attribute(&mut self, _: &'ast Attribute) {}

    /// `pub(in crate::a)` names a module and imports nothing.
    fn visit_vis_restricted(&mut self, _: &'ast VisRestricted) {}
}

impl NamedPaths {
    fn add_tree(&mut self, tree: &UseTree, prefix: &mut Vec<String>, is_re_export: bool) {
        match tree {
            UseTree::Path(path) => {
                prefix.push(name_of(&path.ident));
                self.add_tree(&path.tree, prefix, is_re_export);
                prefix.pop();
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(tree, prefix, is_re_export);
                }
            }
            UseTree::Name(name) => {
                let name = name_of(&name.ident);
                self.add_use(prefix, &name, name.clone(), is_re_export);
            }
            UseTree::Rename(rename) => {
                let name = name_of(&rename.rename);
                self.add_use(prefix, &name_of(&rename.ident), name, is_re_export);
            }
            UseTree::Glob(_) => self.uses.push(Use {
                name: "*".to_owned(),
                path: prefix.clone(),
                is_re_export,
            }),
        }
    }

    fn add_use(&mut self, prefix: &[String], last: &str, name: String, is_re_export: bool) {
        let mut path = prefix.to_vec();
        let is_self = last == "self" && !path.is_empty();
        if !is_self {
            path.push(last.to_owned());
        }
        let name = match path.last() {
            Some(last) if name == "self" => last.clone(),
            _ => name,
        };
        self.uses.push(Use {
            name,
            path,
            is_re_export,
        });
    }

    fn add_inline(&mut self, path: Vec<String>) {
        if path.len() > 1 {
            self.inline.push(path);
        }
    }

    /// Adds each run of names with `::` between them.
    fn add_tokens(&mut self, tokens: TokenStream) {
        let mut path = Vec::new();
        let mut colons = 0;
        for token in tokens {
            match token {
                TokenTree::Ident(ident) => {
                    if colons != 2 {
                        self.add_inline(std::mem::take(&mut path));
                    }
                    path.push(name_of(&ident));
                    colons = 0;
                }
                TokenTree::Punct(punct) if punct.as_char() == ':' => colons += 1,
                other => {
                    if let TokenTree::Group(group) = other {
                        self.add_tokens(group.stream());
                    }
                    self.add_inline(std::mem::take(&mut path));
                    colons = 0;
                }
            }
        }
        self.add_inline(path);
    }
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}
