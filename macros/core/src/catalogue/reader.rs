//! Reads what source files declare into [`Types`].

use std::mem;

use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit::{self, Visit};
use syn::{
    Attribute, DeriveInput, File, Ident, ItemConst, ItemEnum, ItemMod, ItemStatic, ItemStruct,
    ItemType, ItemUnion, ItemUse, Visibility,
};

use super::types::{Item, Struct, Types, member_name};
use crate::derive::declared_fields;

impl Types {
    /// Adds what a file declares and imports, in modules and bodies too. `module` is that of the file, from the name of its crate:
    /// `shop::storefront`.
    pub fn read(&mut self, module: &str, file: &File) {
        self.names.add_module(module);
        let module = module.to_owned();
        let mut reader = Reader {
            types: self,
            module,
        };
        reader.visit_file(file);
    }
}

/// Reads a file, and knows the module that it is in.
struct Reader<'t> {
    types: &'t mut Types,
    module: String,
}

impl Reader<'_> {
    fn item(&mut self, name: &Ident, vis: &Visibility, item: Item) {
        let full = self.types.names.add_item(&self.module, name, vis);
        self.types.items.entry(full).or_default().push(item);
    }
}

impl<'a> Visit<'a> for Reader<'_> {
    fn visit_item_mod(&mut self, item: &'a ItemMod) {
        let names = &mut self.types.names;
        let module = names.add_item(&self.module, &item.ident, &item.vis);
        if item.content.is_some() {
            names.add_module(&module);
            let outer = mem::replace(&mut self.module, module);
            visit::visit_item_mod(self, item);
            self.module = outer;
        }
    }

    fn visit_item_use(&mut self, item: &'a ItemUse) {
        self.types.names.add_imports(&self.module, item);
    }

    fn visit_item_struct(&mut self, item: &'a ItemStruct) {
        let fields = item.fields.iter().zip(item.fields.members());
        let fields = fields.map(|(field, member)| (member_name(&member), field.ty.clone()));
        let known = Struct {
            fields: fields.collect(),
            declared: declared_fields(&DeriveInput::from(item.clone())),
        };
        self.item(&item.ident, &item.vis, Item::Struct(known));
    }

    fn visit_item_enum(&mut self, item: &'a ItemEnum) {
        let is_value = item.attrs.iter().any(|attr| derives(attr, "BizValue"));
        let known = if is_value { Item::Value } else { Item::Other };
        self.item(&item.ident, &item.vis, known);
    }

    fn visit_item_type(&mut self, item: &'a ItemType) {
        self.item(&item.ident, &item.vis, Item::Other);
    }

    fn visit_item_union(&mut self, item: &'a ItemUnion) {
        self.item(&item.ident, &item.vis, Item::Other);
    }

    fn visit_item_const(&mut self, item: &'a ItemConst) {
        let known = Item::Constant(item.ty.clone());
        self.item(&item.ident, &item.vis, known);
        visit::visit_item_const(self, item);
    }

    fn visit_item_static(&mut self, item: &'a ItemStatic) {
        let known = Item::Constant(item.ty.clone());
        self.item(&item.ident, &item.vis, known);
        visit::visit_item_static(self, item);
    }
}

/// Whether an attribute names that derive, also within `cfg_attr`.
fn derives(attr: &Attribute, name: &str) -> bool {
    fn mentions(tokens: TokenStream, name: &str) -> bool {
        tokens.into_iter().any(|token| match token {
            TokenTree::Ident(ident) => ident == name,
            TokenTree::Group(group) => mentions(group.stream(), name),
            _ => false,
        })
    }
    mentions(attr.to_token_stream(), name)
}
