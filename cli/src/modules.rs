//! A crate's source files: from its root along `mod`, by the rules of rustc.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use proc_macro2::{LexError, TokenStream};
use syn::ext::IdentExt;
use syn::{Item, ItemMod};

use crate::attributes::{is_conditional, is_test, paths};
use crate::depth;
use crate::mistake::Mistake;
use crate::workspace::{Package, Target};

/// A file that was parsed.
pub(crate) struct SourceFile {
    /// The path as messages show it: from the root of the workspace.
    pub(crate) display_path: String,
    /// The parsed text: without a byte order mark, and with an empty line for a shebang.
    pub(crate) text: String,
    pub(crate) syntax: syn::File,
    /// The crate and the modules that lead to it.
    pub(crate) module: Vec<String>,
}

/// The files of packages, and what could not be read.
pub(crate) struct Sources {
    pub(crate) files: Vec<SourceFile>,
    pub(crate) mistakes: Vec<Mistake>,
}

impl Sources {
    /// Reads all targets of packages, or only what runs in production. Paths are shown from `root`.
    pub(crate) fn read(root: &Path, packages: &[Package], shipped_only: bool) -> Self {
        let mut reader = Reader {
            root,
            shipped_only,
            seen: HashSet::new(),
            sources: Self {
                files: Vec::new(),
                mistakes: Vec::new(),
            },
        };
        let targets = packages.iter().flat_map(|package| &package.targets);
        for target in targets.filter(|target| !shipped_only || target.is_shipped()) {
            reader.target(target);
        }
        let mut sources = reader.sources;
        sources
            .files
            .sort_by(|a, b| a.display_path.cmp(&b.display_path));
        sources
    }
}

struct Reader<'a> {
    root: &'a Path,
    shipped_only: bool,
    /// Files that were read, without symbolic links: a file counts once, and a circle ends.
    seen: HashSet<PathBuf>,
    sources: Sources,
}

/// Modules that are nested deeper than this are not read. Each of their files holds the names of all modules around it.
const MAX_MODULES: usize = 100;

/// Where the modules of a file or of an inline module are looked for.
#[derive(Clone)]
struct Place {
    folder: PathBuf,
    /// The module's own folder within that, for `name.rs` beside it: `#[path]` ignores it.
    within: Option<String>,
    module: Vec<String>,
    /// Whether it exists only under some condition, so that files may be missing.
    conditional: bool,
}

impl Place {
    fn below(&self, item: &ItemMod) -> Self {
        let mut place = self.clone();
        place.module.push(item.ident.unraw().to_string());
        place.conditional |= is_conditional(&item.attrs);
        place
    }
}

impl Reader<'_> {
    fn target(&mut self, target: &Target) {
        let place = Place {
            folder: folder(&target.src_path),
            within: None,
            module: vec![target.crate_name()],
            conditional: false,
        };
        self.file(&target.src_path, place);
    }

    /// Reads a file and those of its modules.
    fn file(&mut self, path: &Path, place: Place) {
        let known = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        if !self.seen.insert(known) {
            return;
        }
        let display_path = displayed(path, self.root);
        let text = match fs::read_to_string(path) {
            Ok(text) => source(&text),
            Err(error) => {
                let message = format!("this file can't be read: {error}");
                self.sources.mistakes.push(Mistake {
                    message,
                    file: display_path,
                    at: None,
                });
                return;
            }
        };
        let syntax = match parsed(&text) {
            Ok(syntax) => syntax,
            Err(error) => {
                let message = format!("this file does not parse: {error}");
                let mistake = Mistake::new(message, &display_path, error.span());
                self.sources.mistakes.push(mistake);
                return;
            }
        };
        self.items(&syntax.items, &display_path, &place);
        self.sources.files.push(SourceFile {
            display_path,
            text,
            syntax,
            module: place.module,
        });
    }

    /// Follows the modules among `items`, of the file with that path.
    fn items(&mut self, items: &[Item], display_path: &str, place: &Place) {
        for item in items {
            let Item::Mod(item) = item else { continue };
            if self.shipped_only && is_test(&item.attrs) {
                continue;
            }
            if place.module.len() > MAX_MODULES {
                let message = format!("modules are nested deeper than {MAX_MODULES}");
                let mistake = Mistake::new(message, display_path, item.ident.span());
                self.sources.mistakes.push(mistake);
                continue;
            }
            match &item.content {
                Some((_, items)) => self.items(items, display_path, &inline(item, place)),
                None => self.module(item, display_path, place),
            }
        }
    }

    /// Reads the file of `mod name;`, or every file that it may be in.
    fn module(&mut self, item: &ItemMod, display_path: &str, place: &Place) {
        let below = place.below(item);
        let candidates = candidates(item, place);
        let mut found = candidates.iter().filter(|it| it.path.is_file()).peekable();
        if found.peek().is_none() && !below.conditional {
            let tried: Vec<String> = candidates
                .iter()
                .map(|it| displayed(&it.path, self.root))
                .collect();
            let message = format!("there is no file for this module: {}", tried.join(" or "));
            self.sources
                .mistakes
                .push(Mistake::new(message, display_path, item.ident.span()));
        }
        for Candidate { path, within } in found {
            let place = Place {
                folder: folder(path),
                within: within.clone(),
                ..below.clone()
            };
            self.file(path, place);
        }
    }
}

/// A file that a module may be in.
struct Candidate {
    path: PathBuf,
    /// As in [`Place`].
    within: Option<String>,
}

fn candidates(item: &ItemMod, place: &Place) -> Vec<Candidate> {
    let paths = paths(&item.attrs).into_iter().map(|path| Candidate {
        path: place.folder.join(path),
        within: None,
    });
    let mut candidates: Vec<Candidate> = paths.collect();
    // If the condition of a `#[path]` does not hold, the file is in the usual place.
    if candidates.is_empty() || is_conditional(&item.attrs) {
        let name = item.ident.unraw().to_string();
        let mut folder = place.folder.clone();
        folder.extend(&place.within);
        candidates.push(Candidate {
            path: folder.join(&name).with_extension("rs"),
            within: Some(name.clone()),
        });
        candidates.push(Candidate {
            path: folder.join(name).join("mod.rs"),
            within: None,
        });
    }
    candidates
}

/// Where the modules of `mod name { … }` are.
fn inline(item: &ItemMod, place: &Place) -> Place {
    let mut below = place.below(item);
    match paths(&item.attrs).first() {
        Some(path) => {
            below.folder.push(path);
            below.within = None;
        }
        None => {
            below.folder.extend(below.within.take());
            below.folder.push(item.ident.unraw().to_string());
        }
    }
    below
}

/// Shows a path as rustc does: from the root of the workspace, with `/`.
fn displayed(path: &Path, root: &Path) -> String {
    let path: PathBuf = path
        .strip_prefix(root)
        .unwrap_or(path)
        .components()
        .collect();
    path.to_string_lossy().replace('\\', "/")
}

fn folder(path: &Path) -> PathBuf {
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// The text of a file to parse, as `syn::parse_file` does it, but with every place as in the file.
fn source(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let is_script = text
        .strip_prefix("#!")
        .is_some_and(|rest| !rest.trim_start().starts_with('['));
    let lines = if is_script {
        text.find('\n').unwrap_or(text.len())
    } else {
        0
    };
    text[lines..].to_owned()
}

/// Parses a file. Fails on syntax that is too deep to parse.
fn parsed(text: &str) -> syn::Result<syn::File> {
    let tokens: TokenStream = text.parse().map_err(|error| unread(text, &error))?;
    depth::check(tokens.clone())?;
    syn::parse2(tokens)
}

/// The error for a text that is not a sequence of tokens.
fn unread(text: &str, error: &LexError) -> syn::Error {
    let at = error.span().byte_range().start;
    let found = text[at..].chars().next().unwrap_or_default();
    match found {
        '(' | '[' | '{' => syn::Error::new(error.span(), format!("this `{found}` is never closed")),
        ')' | ']' | '}' => match text[..at].parse::<TokenStream>() {
            Ok(_) => syn::Error::new(error.span(), format!("this `{found}` closes nothing")),
            // A bracket before this place is never closed.
            Err(open) => {
                let bracket = text[open.span().byte_range().start..].chars().next();
                let line = error.span().start().line;
                let message = format!(
                    "this `{}` is not closed before the `{found}` in line {line}",
                    bracket.unwrap_or_default()
                );
                syn::Error::new(open.span(), message)
            }
        },
        _ => syn::Error::new(
            error.span(),
            "this does not start a token: a string or a comment may not be closed",
        ),
    }
}
