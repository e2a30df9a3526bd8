//! `cargo biztrace catalogue`: every span and every tag, and its file format.

use std::io::Write;

use biztrace_macros_core::catalogue::{self, DeclaredTag, Types};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::annotated::{Site, What, find};
use crate::generated::mistakes;
use crate::mistake::Mistake;
use crate::modules::{SourceFile, Sources};
use crate::workspace::Packages;
use crate::{Outcome, table};

/// The version of the JSON form. It changes when a reader of the last one would misunderstand it.
pub(crate) const VERSION: u32 = 1;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// How to print it; `check` reads json
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    #[default]
    Table,
    Json,
    Markdown,
}

/// All spans and tags, in the order of files and lines.
#[derive(Serialize, Deserialize)]
pub(crate) struct Catalogue {
    pub(crate) version: u32,
    pub(crate) spans: Vec<Span>,
    pub(crate) tags: Vec<Tag>,
}

/// A span that an attribute opens or claims.
#[derive(Serialize, Deserialize)]
pub(crate) struct Span {
    pub(crate) name: String,
    pub(crate) kind: String,
    /// As `code.function.name` has it.
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

/// A tag, where it is set.
#[derive(Serialize, Deserialize)]
pub(crate) struct Tag {
    pub(crate) key: String,
    /// `string`, `boolean`, `int`, `double`, one of these with `[]`, or `unknown`.
    #[serde(rename = "type")]
    pub(crate) value_type: String,
    /// The expression.
    pub(crate) value: String,
    /// `plain`, `hash`, `mask` or `pii`.
    pub(crate) privacy: String,
    /// `span`, `inherited` if the spans below have it, too, and `baggage` if it travels.
    pub(crate) destinations: Vec<String>,
    /// The name of the span; `null` for whichever is current.
    pub(crate) span: Option<String>,
    pub(crate) function: String,
    pub(crate) file: String,
    pub(crate) line: usize,
}

pub(crate) fn run(
    arguments: &Arguments,
    packages: &Packages,
    output: &mut impl Write,
) -> anyhow::Result<Outcome> {
    let (catalogue, mistakes) = read(packages)?;
    match arguments.format {
        Format::Table => write!(output, "{}", table::aligned(&catalogue))?,
        Format::Markdown => write!(output, "{}", table::markdown(&catalogue))?,
        Format::Json => {
            serde_json::to_writer_pretty(&mut *output, &catalogue)?;
            writeln!(output)?;
        }
    }
    Ok(Outcome {
        mistakes,
        warnings: Vec::new(),
        failure: None,
    })
}

/// The catalogue of what source says now, and the mistakes that keep it from being whole.
pub(crate) fn read(packages: &Packages) -> anyhow::Result<(Catalogue, Vec<Mistake>)> {
    let workspace = packages.find()?;
    let sources = Sources::read(&workspace.root, &workspace.packages, true);
    let others = Sources::read(&workspace.root, &workspace.others, true);
    let mut types = Types::default();
    for file in sources.files.iter().chain(&others.files) {
        types.read(&file.module.join("::"), &file.syntax);
    }
    let mut catalogue = Catalogue {
        version: VERSION,
        spans: Vec::new(),
        tags: Vec::new(),
    };
    let mut mistakes = sources.mistakes;
    for file in &sources.files {
        let sites = find(file, true);
        mistakes.extend(sites.iter().flat_map(|site| self::mistakes(site, file)));
        catalogue.add(file, &sites, &types);
    }
    Ok((catalogue, mistakes))
}

impl Catalogue {
    fn add(&mut self, file: &SourceFile, sites: &[Site], types: &Types) {
        // The functions that are traced around a place, with the names of their spans.
        let mut around: Vec<(&Site, String)> = Vec::new();
        for site in sites {
            around.retain(|(outer, _)| site.range.start < outer.range.end);
            match site.what {
                What::Attrs | What::Value => {}
                What::Function => {
                    let Some(declared) =
                        catalogue::function(types, &site.module, site.tokens.clone())
                    else {
                        continue;
                    };
                    let name = declared.span.as_ref().map(|span| span.name.clone());
                    self.spans.extend(declared.span.map(|span| Span {
                        name: span.name,
                        kind: span.kind,
                        function: site.function.clone(),
                        file: file.shown.clone(),
                        line: site.name_place.start().line,
                    }));
                    let tags = declared.tags.into_iter();
                    self.tags
                        .extend(tags.map(|tag| Tag::new(tag, name.clone(), site, file)));
                    around.extend(name.map(|name| (site, name)));
                }
                What::Tag | What::BracedTag => {
                    let span = around.iter().rfind(|(outer, _)| outer.path == site.path);
                    let span = span.map(|(_, name)| name.clone());
                    let tags = catalogue::tag(types, &site.module, site.tokens.clone()).into_iter();
                    self.tags
                        .extend(tags.map(|tag| Tag::new(tag, span.clone(), site, file)));
                }
            }
        }
    }
}

impl Tag {
    fn new(tag: DeclaredTag, span: Option<String>, site: &Site, file: &SourceFile) -> Self {
        let others = tag.destinations.iter().map(|it| it.name().to_owned());
        let destinations = ["span".to_owned()].into_iter().chain(others).collect();
        Self {
            key: tag.key,
            value_type: tag.value_type.unwrap_or_else(|| "unknown".to_owned()),
            value: tag.value,
            privacy: tag.privacy.to_owned(),
            destinations,
            span,
            function: site.function.clone(),
            file: file.shown.clone(),
            line: tag.place.start().line,
        }
    }

    /// Whether it stands for what a type declares that is not known.
    pub(crate) fn is_unknown_spread(&self) -> bool {
        self.key.starts_with("..")
    }
}
