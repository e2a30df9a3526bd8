//! Resolves the paths of a crate to the files that define their items.

use std::collections::BTreeSet;

use crate::crate_sources::{CrateSources, Module};

/// A file that imports an item of another one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Import {
    /// The importing file.
    pub by: String,
    /// The file that defines the item.
    pub of: String,
    /// A path by which the item is named.
    pub path: String,
}

/// All imports between files of the crate.
#[must_use]
pub fn imports(sources: &CrateSources) -> BTreeSet<Import> {
    let mut found = BTreeSet::new();
    let modules = sources.modules.iter();
    let versions = modules.flat_map(|(at, versions)| versions.iter().map(move |it| (at, it)));
    for (at, module) in versions {
        let mut add = |home: Home, path: &[String]| {
            if home.file != module.file {
                found.insert(Import {
                    by: module.file.clone(),
                    of: home.file,
                    path: path.join("::"),
                });
            }
        };
        for it in &module.named.uses {
            for home in homes(sources, at, &it.path, Names::Defined) {
                // A module by itself is a name for other paths. They count.
                let is_import = !home.is_module || it.name == "*";
                let re_exports_child = it.is_re_export && home.module.starts_with(at);
                if is_import && !re_exports_child {
                    add(home, &it.path);
                }
            }
        }
        for path in &module.named.inline {
            for home in homes(sources, at, path, Names::All) {
                if !home.is_module {
                    add(home, path);
                }
            }
        }
    }
    found
}

/// Where a path leads to.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Home {
    module: Vec<String>,
    file: String,
    /// The path leads to the module itself, not to an item in it.
    is_module: bool,
}

/// What `path` leads to, seen from the module `from`: nothing if it leads to another crate, and several items if features choose one.
fn homes(sources: &CrateSources, from: &[String], path: &[String], names: Names) -> BTreeSet<Home> {
    let mut search = Search {
        sources,
        seen: Vec::new(),
        homes: BTreeSet::new(),
    };
    search.walk(from, path, names);
    search.homes
}

/// The names that the first segment of a path may be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Names {
    All,
    /// Children and items only: the path is that of a `use` item.
    Defined,
    /// All names of a module in this crate. An unknown one is an item that a macro defines.
    Rooted,
}

struct Search<'a> {
    sources: &'a CrateSources,
    seen: Vec<(Vec<String>, Vec<String>)>,
    homes: BTreeSet<Home>,
}

impl Search<'_> {
    /// Adds the versions of a module that are meant.
    fn found(&mut self, at: &[String], is_module: bool, is_meant: impl Fn(&Module) -> bool) {
        let versions = self.sources.modules[at].iter();
        let homes = versions.filter(|it| is_meant(it)).map(|version| Home {
            module: at.to_vec(),
            file: version.file.clone(),
            is_module,
        });
        self.homes.extend(homes);
    }

    fn walk(&mut self, at: &[String], path: &[String], names: Names) {
        let Some((first, rest)) = path.split_first() else {
            return self.found(at, true, |_| true);
        };
        let step = (at.to_vec(), path.to_vec());
        if self.seen.contains(&step) {
            return;
        }
        self.seen.push(step);
        match first.as_str() {
            "crate" => return self.walk(&[], rest, Names::Rooted),
            "self" => return self.walk(at, rest, Names::Rooted),
            "super" => {
                return self.walk(&at[..at.len().saturating_sub(1)], rest, Names::Rooted);
            }
            _ => {}
        }
        let before = self.homes.len();
        self.found(at, false, |module| module.items.contains(first));
        if self.homes.len() > before {
            return;
        }
        let child: Vec<_> = at.iter().cloned().chain([first.clone()]).collect();
        if self.sources.modules.contains_key(&child) {
            return self.walk(&child, rest, Names::Rooted);
        }
        if names == Names::Defined {
            return;
        }
        let sources = self.sources;
        let mut is_imported = false;
        for it in sources.uses(at, first) {
            is_imported = true;
            let path: Vec<_> = it.path.iter().chain(rest).cloned().collect();
            self.walk(at, &path, Names::Defined);
        }
        for it in sources.uses(at, "*") {
            let path: Vec<_> = it.path.iter().chain(path).cloned().collect();
            self.walk(at, &path, Names::Defined);
        }
        if names == Names::Rooted && !is_imported && self.homes.len() == before {
            self.found(at, false, |_| true);
        }
    }
}
