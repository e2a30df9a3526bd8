//! Resolves names: by the module that uses them, with its declarations and imports.
//!
//! Modules and items have full paths here, such as `shop::storefront::NewOrder`.

use std::collections::{BTreeSet, HashMap, HashSet};

use syn::ext::IdentExt;
use syn::{Ident, ItemUse, Path, UseTree, Visibility};

/// More imports of imports than this are a circle.
const MAX_IMPORTS: usize = 8;

/// The modules of a project.
#[derive(Default)]
pub(super) struct Names {
    modules: HashMap<String, Module>,
}

/// Declarations and imports in bodies count as their module's. A name that so has several meanings is unknown.
#[derive(Default)]
struct Module {
    names: HashMap<String, Vec<Binding>>,
    /// Imports by `*`.
    globs: Vec<Binding>,
}

struct Binding {
    /// Whether modules outside its own see it, too.
    is_public: bool,
    /// The path of an import, with `""` before a path that starts with `::`; `None` for a declaration.
    import: Option<Vec<String>>,
}

impl Names {
    /// Adds a module without names.
    pub(super) fn add_module(&mut self, module: &str) {
        self.modules.entry(module.to_owned()).or_default();
    }

    /// Adds an item, and returns its full path.
    pub(super) fn add_item(&mut self, module: &str, name: &Ident, vis: &Visibility) -> String {
        let name = name.unraw().to_string();
        let full = below(module, &name);
        let binding = Binding {
            is_public: is_public(vis),
            import: None,
        };
        self.add(module, name, binding);
        full
    }

    /// Adds what an item imports.
    pub(super) fn add_imports(&mut self, module: &str, item: &ItemUse) {
        let start = item.leading_colon.map(|_| String::new());
        let start: Vec<String> = start.into_iter().collect();
        self.add_tree(module, is_public(&item.vis), start, &item.tree);
    }

    fn add_tree(&mut self, module: &str, is_public: bool, mut path: Vec<String>, tree: &UseTree) {
        let (ident, name) = match tree {
            UseTree::Path(tree) => {
                path.push(tree.ident.unraw().to_string());
                return self.add_tree(module, is_public, path, &tree.tree);
            }
            UseTree::Group(group) => {
                for tree in &group.items {
                    self.add_tree(module, is_public, path.clone(), tree);
                }
                return;
            }
            UseTree::Glob(_) => {
                let import = Some(path);
                let globs = &mut self.modules.entry(module.to_owned()).or_default().globs;
                return globs.push(Binding { is_public, import });
            }
            UseTree::Name(tree) => (&tree.ident, None),
            UseTree::Rename(tree) => (&tree.ident, Some(&tree.rename)),
        };
        // `a::{self}` is `a`.
        if ident != "self" || path.is_empty() {
            path.push(ident.unraw().to_string());
        }
        let name = name.map(|name| name.unraw().to_string());
        let Some(name) = name.or_else(|| path.last().cloned()) else {
            return;
        };
        let import = Some(path);
        self.add(module, name, Binding { is_public, import });
    }

    fn add(&mut self, module: &str, name: String, binding: Binding) {
        let module = self.modules.entry(module.to_owned()).or_default();
        module.names.entry(name).or_default().push(binding);
    }

    /// The full path that a path means in a module; `None` if it has several meanings.
    pub(super) fn meaning(&self, module: &str, path: &Path) -> Option<String> {
        let start = path.leading_colon.map(|_| String::new());
        let segments = path.segments.iter().map(|it| it.ident.unraw().to_string());
        let path: Vec<String> = start.into_iter().chain(segments).collect();
        let mut meanings = self.meanings(module, &path, true, MAX_IMPORTS).into_iter();
        let first = meanings.next();
        first.filter(|_| meanings.next().is_none())
    }

    /// Whether the crate of a full path has been read.
    pub(super) fn knows_crate_of(&self, full: &str) -> bool {
        self.modules.contains_key(root(full))
    }

    /// All meanings of a path. `globs` tells whether its first name may come from an import by `*`.
    fn meanings(
        &self,
        module: &str,
        path: &[String],
        globs: bool,
        imports_left: usize,
    ) -> BTreeSet<String> {
        let Some((first, rest)) = path.split_first() else {
            return BTreeSet::new();
        };
        let mut meant = match first.as_str() {
            "" => BTreeSet::from([String::new()]),
            "crate" => BTreeSet::from([root(module).to_owned()]),
            "self" => BTreeSet::from([module.to_owned()]),
            "super" => BTreeSet::from([parent(module).to_owned()]),
            name => match self.named(module, name, module, globs, imports_left) {
                // A crate, or a name that Rust has everywhere.
                Some(named) if named.is_empty() => BTreeSet::from([name.to_owned()]),
                Some(named) => named,
                None => return BTreeSet::new(),
            },
        };
        for name in rest {
            // A function may have the name of a module.
            if meant.iter().any(|it| self.modules.contains_key(it)) {
                meant.retain(|it| self.modules.contains_key(it));
            }
            let next = meant.iter().flat_map(|within| match name.as_str() {
                "super" => BTreeSet::from([parent(within).to_owned()]),
                name => match self.named(within, name, module, true, imports_left) {
                    Some(named) if named.is_empty() => BTreeSet::from([below(within, name)]),
                    Some(named) => named,
                    None => BTreeSet::new(),
                },
            });
            meant = next.collect();
        }
        meant
    }

    /// All meanings of a name of one module, as seen from another: empty if there is no such name, `None` if imports are circular.
    /// A declaration or import by name hides imports by `*`.
    fn named(
        &self,
        module: &str,
        name: &str,
        from: &str,
        globs: bool,
        imports_left: usize,
    ) -> Option<BTreeSet<String>> {
        let imports_left = imports_left.checked_sub(1)?;
        let mut meant = BTreeSet::new();
        let mut is_there = false;
        let mut seen = HashSet::new();
        let mut open = vec![(module.to_owned(), from.to_owned())];
        while let Some((module, from)) = open.pop() {
            let Some(known) = self.modules.get(&module) else {
                continue;
            };
            if !seen.insert((module.clone(), from.clone())) {
                continue;
            }
            let is_visible = |it: &&Binding| it.is_public || is_within(&from, &module);
            let bindings = known.names.get(name).into_iter().flatten();
            let mut bindings = bindings.filter(is_visible).peekable();
            if bindings.peek().is_none() && globs {
                let globs = known.globs.iter().filter(is_visible);
                let paths = globs.filter_map(|it| it.import.as_deref());
                let modules = paths.flat_map(|it| self.meanings(&module, it, false, imports_left));
                open.extend(modules.map(|it| (it, module.clone())));
            }
            for binding in bindings {
                is_there = true;
                match &binding.import {
                    Some(path) => meant.extend(self.meanings(&module, path, true, imports_left)),
                    None => drop(meant.insert(below(&module, name))),
                }
            }
        }
        (!is_there || !meant.is_empty()).then_some(meant)
    }
}

/// The full path of `name` in a module.
pub(super) fn below(module: &str, name: &str) -> String {
    match module {
        "" => name.to_owned(),
        module => format!("{module}::{name}"),
    }
}

/// The module that a full path is in.
pub(super) fn parent(full: &str) -> &str {
    full.rsplit_once("::").map_or(full, |(parent, _)| parent)
}

/// The last name of a full path.
pub(super) fn last(full: &str) -> &str {
    full.rsplit_once("::").map_or(full, |(_, last)| last)
}

fn root(full: &str) -> &str {
    full.split_once("::").map_or(full, |(root, _)| root)
}

fn is_within(module: &str, outer: &str) -> bool {
    let rest = module.strip_prefix(outer);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn is_public(vis: &Visibility) -> bool {
    !matches!(vis, Visibility::Inherited)
}
