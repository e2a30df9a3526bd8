//! `cargo biztrace expand`: the generated code.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use similar::TextDiff;

use crate::annotated::{Site, find, outermost};
use crate::generated::{generated, mistakes, spliced};
use crate::highlight;
use crate::modules::{SourceFile, Sources};
use crate::outcome::Outcome;
use crate::visible::{visible, visible_lines};
use crate::workspace::Packages;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// What to expand (default: everything): a file, a module or type such as `storefront::orders`, or a function as
    /// `orders::create` or `src/orders.rs::create`
    #[arg(value_name = "PATH[::FN]")]
    path: Option<String>,
    /// Show the generated code as a diff of the source
    #[arg(long)]
    diff: bool,
}

/// Deep code is long where it is formatted: a small tree that somebody else wrote may be gigabytes.
const MAX_OUTPUT: usize = 64 << 20;

pub(crate) fn run(
    arguments: &Arguments,
    packages: &Packages,
    output: &mut Vec<u8>,
) -> anyhow::Result<Outcome> {
    let workspace = packages.find()?;
    let filter = Filter::new(arguments.path.as_deref(), &workspace.root)?;
    let sources = Sources::read(&workspace.root, &workspace.packages, false);
    let unread = sources.mistakes.into_iter();
    let mut mistakes: Vec<_> = unread.filter(|it| filter.takes_file(&it.file)).collect();
    let mut found = false;
    for file in sources
        .files
        .iter()
        .filter(|file| filter.takes_file(&file.display_path))
    {
        let sites = find(file, false);
        let chosen: Vec<&Site> = sites.iter().filter(|site| filter.takes(site)).collect();
        if chosen.is_empty() {
            continue;
        }
        found = true;
        bounded(output, file)?;
        mistakes.extend(chosen.iter().flat_map(|site| self::mistakes(site, file)));
        let chosen = outermost(chosen);
        if arguments.diff {
            write!(
                output,
                "{}",
                highlight::diff(&visible_lines(&difference(file, &sites, chosen)))
            )?;
            continue;
        }
        for site in chosen {
            bounded(output, file)?;
            let place = format!(
                "{}:{}: {}",
                file.display_path,
                site.name_place.start().line,
                site.path.join("::")
            );
            let depth = site.kind.least_depth();
            let code = generated(site, &sites, file, depth);
            // A derive with a mistake generates nothing.
            if code.is_empty() {
                continue;
            }
            let code = code.replace(&format!("\n{}", "    ".repeat(depth)), "\n");
            writeln!(
                output,
                "{}{}\n",
                highlight::comment(&visible(&place)),
                highlight::code(&visible_lines(&code))
            )?;
        }
    }
    let nothing = || {
        let path = arguments.path.as_deref()?;
        Some(format!(
            "nothing at `{path}` has an attribute, a derive or a `tag!` of biztrace"
        ))
    };
    let failure = if found { None } else { nothing() };
    Ok(Outcome {
        mistakes,
        warnings: Vec::new(),
        failure,
    })
}

/// Fails before a file or a site of it if there is too much output already.
fn bounded(output: &[u8], next: &SourceFile) -> anyhow::Result<()> {
    ensure!(
        output.len() <= MAX_OUTPUT,
        "the generated code is longer than {} MiB: what follows is left out. Choose a file or a function, as in `expand {}`",
        MAX_OUTPUT >> 20,
        visible(&next.display_path)
    );
    Ok(())
}

/// The file with the chosen sites expanded in place, as a unified diff.
fn difference<'a>(
    file: &SourceFile,
    sites: &[Site],
    chosen: impl Iterator<Item = &'a Site>,
) -> String {
    let expanded = spliced(&file.text, 0, chosen, |site| {
        let line = file.text[..site.range.start]
            .lines()
            .next_back()
            .unwrap_or_default();
        let spaces: usize = line
            .chars()
            .take_while(|c| c.is_whitespace())
            .map(|c| if c == '\t' { 4 } else { 1 })
            .sum();
        generated(site, sites, file, (spaces / 4).max(site.kind.least_depth()))
    });
    let path = visible(&file.display_path);
    TextDiff::from_lines(&file.text, &expanded)
        .unified_diff()
        .header(&path, &path)
        .to_string()
}

/// What the user asked for.
struct Filter {
    root: PathBuf,
    /// Without symbolic links.
    file: Option<PathBuf>,
    /// Part of a path of modules, types and functions.
    path: Vec<String>,
}

impl Filter {
    fn new(asked: Option<&str>, root: &Path) -> anyhow::Result<Self> {
        let asked = asked.unwrap_or_default();
        let (file, path) = match asked.split_once(".rs::") {
            Some((file, path)) => (Some(format!("{file}.rs")), path),
            None if asked.ends_with(".rs") || asked.contains(['/', '\\']) => {
                (Some(asked.to_owned()), "")
            }
            None => (None, asked),
        };
        let canonical = |file: String| {
            let path = Path::new(&file).canonicalize();
            path.with_context(|| format!("`{file}` can't be read"))
        };
        let path = path
            .split("::")
            .filter(|name| !name.is_empty() && *name != "crate");
        Ok(Self {
            root: root.to_owned(),
            file: file.map(canonical).transpose()?,
            path: path.map(str::to_owned).collect(),
        })
    }

    /// Takes the file's display path.
    fn takes_file(&self, display_path: &str) -> bool {
        let is_same = |file: &PathBuf| {
            self.root
                .join(display_path)
                .canonicalize()
                .is_ok_and(|it| it == *file)
        };
        self.file.as_ref().is_none_or(is_same)
    }

    fn takes(&self, site: &Site) -> bool {
        self.path.is_empty()
            || site
                .path
                .windows(self.path.len())
                .any(|part| part == self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_OUTPUT, bounded};
    use crate::modules::SourceFile;

    #[test]
    fn output_has_a_limit() {
        let next = SourceFile {
            display_path: "src/orders.rs".to_owned(),
            text: String::new(),
            syntax: syn::parse_file("").expect("an empty file"),
            module: Vec::new(),
        };
        let mut output = vec![0; MAX_OUTPUT];
        assert!(bounded(&output, &next).is_ok());
        output.push(0);
        let error = bounded(&output, &next).expect_err("too long");
        assert_eq!(
            error.to_string(),
            "the generated code is longer than 64 MiB: what follows is left out. Choose a file or a function, as in `expand src/orders.rs`"
        );
    }
}
