//! `cargo biztrace catalogue`: every span and every tag.

use std::io::Write;

use biztrace_macros_core::catalogue::{self as declared, DeclaredTag, Types, UrlOrigin};
use clap::ValueEnum;

use crate::annotated::{Site, SiteKind, find};
use crate::generated::mistakes;
use crate::markdown::markdown;
use crate::mistake::Mistake;
use crate::model::{Catalogue, Span, Tag, VERSION};
use crate::modules::{SourceFile, Sources};
use crate::mounts::Mounts;
use crate::outcome::Outcome;
use crate::table;
use crate::visible::visible_json;
use crate::workspace::Packages;

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

pub(crate) fn run(
    arguments: &Arguments,
    packages: &Packages,
    output: &mut impl Write,
) -> anyhow::Result<Outcome> {
    let Source {
        catalogue,
        mistakes,
        ..
    } = read(packages)?;
    match arguments.format {
        Format::Table => write!(output, "{}", table::aligned(&catalogue))?,
        Format::Markdown => write!(output, "{}", markdown(&catalogue))?,
        Format::Json => {
            let json = serde_json::to_string_pretty(&catalogue)?;
            writeln!(output, "{}", visible_json(&json))?;
        }
    }
    Ok(Outcome {
        mistakes,
        warnings: Vec::new(),
        failure: None,
    })
}

/// What the current source declares.
pub(crate) struct Source {
    pub(crate) catalogue: Catalogue,
    /// What makes it incomplete.
    pub(crate) mistakes: Vec<Mistake>,
    /// Warnings for protected values that may be in the URL of their request too.
    pub(crate) unclear: Vec<String>,
}

/// Reads the current source.
pub(crate) fn read(packages: &Packages) -> anyhow::Result<Source> {
    let workspace = packages.find()?;
    let sources = Sources::read(&workspace.root, &workspace.packages, true);
    let others = Sources::read(&workspace.root, &workspace.others, true);
    let mut types = Types::default();
    let mut mounts = Mounts::default();
    for file in sources.files.iter().chain(&others.files) {
        types.read(&file.module.join("::"), &file.syntax);
        mounts.read(file);
    }
    let mut catalogue = Catalogue {
        version: VERSION,
        spans: Vec::new(),
        tags: Vec::new(),
    };
    let mut mistakes = sources.mistakes;
    let mut unclear = Vec::new();
    for file in &sources.files {
        let sites = find(file, true);
        mistakes.extend(sites.iter().flat_map(|site| self::mistakes(site, file)));
        add(
            &mut catalogue,
            &mut unclear,
            file,
            &sites,
            &types,
            &mut mounts,
        );
    }
    Ok(Source {
        catalogue,
        mistakes,
        unclear,
    })
}

/// Adds what is declared at the sites of a file.
fn add(
    catalogue: &mut Catalogue,
    unclear: &mut Vec<String>,
    file: &SourceFile,
    sites: &[Site],
    types: &Types,
    mounts: &mut Mounts,
) {
    // The functions that are traced around a place, with the names of their spans, and whether they read the URL.
    let mut around: Vec<(&Site, String, bool)> = Vec::new();
    for site in sites {
        around.retain(|(outer, ..)| site.range.start < outer.range.end);
        match site.kind {
            SiteKind::Attrs | SiteKind::Value => {}
            SiteKind::Function => {
                let Some(declared) = declared::function(types, &site.module, site.tokens.clone())
                else {
                    continue;
                };
                let name = declared.span.as_ref().map(|span| {
                    if span.is_request {
                        mounts.span_name(&site.function, &span.name, span.route.as_ref())
                    } else {
                        span.name.clone()
                    }
                });
                catalogue
                    .spans
                    .extend(declared.span.zip(name.clone()).map(|(span, name)| Span {
                        name,
                        kind: span.kind,
                        function: site.function.clone(),
                        file: file.display_path.clone(),
                        line: site.name_place.start().line,
                    }));
                let reads_url = declared.reads_url;
                unclear.extend(declared.tags.iter().filter_map(|it| warning(it, file)));
                let tags = declared.tags.into_iter();
                let tags = tags.map(|it| tag(it, name.clone(), site, file));
                catalogue.tags.extend(tags);
                around.extend(name.map(|name| (site, name, reads_url)));
            }
            SiteKind::Tag | SiteKind::BracedTag => {
                let outer = around.iter().rfind(|(outer, ..)| outer.path == site.path);
                let span = outer.map(|(_, name, _)| name.clone());
                let tags = declared::tag(types, &site.module, site.tokens.clone());
                if outer.is_some_and(|(.., reads_url)| *reads_url) {
                    unclear.extend(tags.iter().filter_map(|it| warning(it, file)));
                }
                let tags = tags.into_iter().map(|it| tag(it, span.clone(), site, file));
                catalogue.tags.extend(tags);
            }
        }
    }
}

/// The warning for a protected tag whose value may be in the URL of its request too.
fn warning(tag: &DeclaredTag, file: &SourceFile) -> Option<String> {
    let (why, fix) = match &tag.origin {
        UrlOrigin::Argument(argument) => (
            format!("the type of `{argument}` does not say whether it is read from there"),
            "Write the type as `web::Path<…>` or `web::Query<…>`",
        ),
        UrlOrigin::Body => (
            "it is set in the body of a function that reads the path or the query".to_owned(),
            "If it comes from there, move the entry to `#[biz_attrs]` on the function",
        ),
        _ => return None,
    };
    Some(format!(
        "`{}` is protected, but its value may be in `url.path` or `url.query`: {why}. {fix}, or use `RequestTracing::without_path` \
         and `TelemetryBuilder::redact_query`\n  --> {}:{}",
        tag.key,
        file.display_path,
        tag.place.start().line
    ))
}

/// A tag that is set at a site, on the span of that name.
fn tag(declared: DeclaredTag, span: Option<String>, site: &Site, file: &SourceFile) -> Tag {
    let others = declared.destinations.iter().map(|it| it.name().to_owned());
    Tag {
        key: declared.key,
        value_type: declared.value_type.unwrap_or_else(|| "unknown".to_owned()),
        value: declared.value,
        privacy: declared.privacy.to_owned(),
        destinations: ["span".to_owned()].into_iter().chain(others).collect(),
        span,
        function: site.function.clone(),
        file: file.display_path.clone(),
        line: declared.place.start().line,
    }
}
