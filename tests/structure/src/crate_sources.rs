//! The modules of a crate: what each defines, declares and imports.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, Item, ItemMod, Lit, Meta, Visibility};

use crate::paths::{NamedPaths, Use, named_paths};

/// A crate's modules, by their paths: the root is the empty path. A module has several versions if features choose one of them.
#[derive(Debug, Default)]
pub struct CrateSources {
    pub(crate) modules: BTreeMap<Vec<String>, Vec<Module>>,
}

/// A module, in a file of its own or within one.
#[derive(Debug)]
pub(crate) struct Module {
    /// Its file, below `src`.
    pub(crate) file: String,
    /// The names of the items that it defines.
    pub(crate) items: Vec<String>,
    pub(crate) named: NamedPaths,
}

/// Reads the text of a file, if there is one.
pub(crate) type Read<'a> = dyn Fn(&str) -> Option<String> + 'a;

impl CrateSources {
    /// Reads a crate from its folder `src`.
    ///
    /// # Panics
    ///
    /// If a file is missing or is not Rust.
    #[must_use]
    pub fn read(src: &Path) -> Self {
        let root = ["lib.rs", "main.rs"]
            .into_iter()
            .find(|name| src.join(name).is_file())
            .unwrap_or_else(|| panic!("{}: neither lib.rs nor main.rs", src.display()));
        Self::of(root, &|file| fs::read_to_string(src.join(file)).ok())
    }

    /// Reads a crate whose root is the file `root`.
    ///
    /// # Panics
    ///
    /// If a file is missing or is not Rust.
    #[must_use]
    pub fn of(root: &str, read: &Read<'_>) -> Self {
        let mut sources = Self::default();
        sources.add_file(Vec::new(), root, Path::new(""), read);
        sources
    }

    /// Adds the module at `path` with all modules below it. `folder` is where the files of its children are.
    fn add_file(&mut self, path: Vec<String>, file: &str, folder: &Path, read: &Read<'_>) {
        let text = read(file).unwrap_or_else(|| panic!("{file}: no such file"));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        self.add_module(path, file, folder, &parsed.items, read);
    }

    fn add_module(
        &mut self,
        path: Vec<String>,
        file: &str,
        folder: &Path,
        items: &[Item],
        read: &Read<'_>,
    ) {
        for item in items {
            let Item::Mod(child) = item else { continue };
            if is_test(&child.attrs) {
                continue;
            }
            let name = name_of(&child.ident);
            let child_path: Vec<_> = path.iter().cloned().chain([name.clone()]).collect();
            let child_folder = folder.join(&name);
            match &child.content {
                Some((_, items)) => self.add_module(child_path, file, &child_folder, items, read),
                None => {
                    let child_file = file_of(child, file, folder, read);
                    self.add_file(child_path, &child_file, &child_folder, read);
                }
            }
        }
        self.modules.entry(path).or_default().push(Module {
            file: file.to_owned(),
            items: items.iter().filter_map(defined).collect(),
            named: named_paths(items),
        });
    }

    /// The module's imports under that name.
    pub(crate) fn uses<'a>(
        &'a self,
        module: &[String],
        name: &'a str,
    ) -> impl Iterator<Item = &'a Use> {
        let versions = self.modules[module].iter();
        let uses = versions.flat_map(|version| &version.named.uses);
        uses.filter(move |it| it.name == name)
    }
}

/// The file of a module that is declared in `file`.
fn file_of(module: &ItemMod, file: &str, folder: &Path, read: &Read<'_>) -> String {
    let name = name_of(&module.ident);
    let places = match path_attribute(&module.attrs) {
        Some(path) => vec![Path::new(file).with_file_name(path)],
        None => vec![
            folder.join(format!("{name}.rs")),
            folder.join(&name).join("mod.rs"),
        ],
    };
    let mut places = places.iter().map(|place: &PathBuf| text_of(place));
    places
        .find(|place| read(place).is_some())
        .unwrap_or_else(|| panic!("{file}: the file of the module `{name}` is missing"))
}

fn path_attribute(attributes: &[Attribute]) -> Option<String> {
    attributes
        .iter()
        .find_map(|attribute| match &attribute.meta {
            Meta::NameValue(meta) if meta.path.is_ident("path") => match &meta.value {
                Expr::Lit(value) => match &value.lit {
                    Lit::Str(path) => Some(path.value()),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        })
}

fn text_of(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

/// Whether only tests compile what has these attributes: `cfg(test)`, or `cfg(all(test, …))`.
pub(crate) fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.meta.require_list().is_ok_and(|list| {
                let condition = list.tokens.to_string().replace(' ', "");
                condition == "test" || condition.starts_with("all(test,")
            })
    })
}

/// The name of an item that a path can end with.
fn defined(item: &Item) -> Option<String> {
    let (attributes, ident) = match item {
        Item::Const(item) => (&item.attrs, &item.ident),
        Item::Enum(item) => (&item.attrs, &item.ident),
        Item::Fn(item) => (&item.attrs, &item.sig.ident),
        Item::Macro(item) => (&item.attrs, item.ident.as_ref()?),
        Item::Static(item) => (&item.attrs, &item.ident),
        Item::Struct(item) => (&item.attrs, &item.ident),
        Item::Trait(item) => (&item.attrs, &item.ident),
        Item::Type(item) => (&item.attrs, &item.ident),
        Item::Union(item) => (&item.attrs, &item.ident),
        _ => return None,
    };
    (!is_test(attributes)).then(|| name_of(ident))
}

/// An identifier without `r#`.
pub(crate) fn name_of(ident: &proc_macro2::Ident) -> String {
    let text = ident.to_string();
    text.strip_prefix("r#").unwrap_or(&text).to_owned()
}

/// Whether items under that visibility are seen outside of their module.
pub(crate) fn is_re_export(visibility: &Visibility) -> bool {
    !matches!(visibility, Visibility::Inherited)
}
