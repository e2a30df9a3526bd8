//! `cargo biztrace check`: what a change does to spans and tags.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use anyhow::{Context, bail};
use serde_json::Value;

use crate::catalogue;
use crate::model::{Catalogue, Tag, VERSION};
use crate::outcome::Outcome;
use crate::workspace::Packages;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The catalogue to compare with, as `cargo biztrace catalogue --format json` has printed it
    #[arg(long, value_name = "FILE")]
    against: PathBuf,
}

pub(crate) fn run(
    arguments: &Arguments,
    packages: &Packages,
    output: &mut impl Write,
) -> anyhow::Result<Outcome> {
    let old = stored(&arguments.against)?;
    let (new, mistakes) = catalogue::read(packages)?;
    if !mistakes.is_empty() {
        // What could not be read would look as if it had gone.
        return Ok(Outcome {
            mistakes,
            warnings: Vec::new(),
            failure: None,
        });
    }
    let changes = changes(&old, &new);
    for change in &changes {
        writeln!(output, "{}", change.line())?;
    }
    if changes.is_empty() {
        writeln!(output, "No span or tag has changed.")?;
    }
    let count =
        |is: fn(&ChangeKind) -> bool| changes.iter().filter(|change| is(&change.kind)).count();
    let breaking = count(|kind| {
        matches!(
            kind,
            ChangeKind::Removed | ChangeKind::Retyped | ChangeKind::Changed
        )
    });
    let unknown = count(|kind| matches!(kind, ChangeKind::Unknown));
    let mut reasons = Vec::new();
    if breaking > 0 {
        reasons.push(format!(
            "tags that are removed, retyped or handled otherwise, on which dashboards may rely: {breaking}"
        ));
    }
    if unknown > 0 {
        reasons.push(format!(
            "spreads of which source does not tell the type, so that no tag of theirs would be missed: {unknown} (give the value \
             the type of a struct of this workspace that derives `BizAttrs`)"
        ));
    }
    let failure = (!reasons.is_empty()).then(|| {
        format!(
            "{}. If that is meant, write the catalogue anew: cargo biztrace catalogue --format json > {}",
            reasons.join("; "),
            arguments.against.display()
        )
    });
    Ok(Outcome {
        mistakes,
        warnings: [still_unknown(&old, &new), now_unknown(&old, &new)].concat(),
        failure,
    })
}

/// Reads a catalogue. Fails if it is of another version.
fn stored(path: &Path) -> anyhow::Result<Catalogue> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("`{shown}` can't be read"))?;
    let json: Value =
        serde_json::from_str(&text).with_context(|| format!("`{shown}` is no JSON"))?;
    let again = "write it anew by `cargo biztrace catalogue --format json`";
    match json.get("version") {
        Some(version) if *version == VERSION => {}
        Some(version) => bail!(
            "`{shown}` is a catalogue of version {version}, and this is cargo-biztrace for version {VERSION}: {again}"
        ),
        None => bail!("`{shown}` is no catalogue, it has no `version`: {again}"),
    }
    serde_json::from_value(json)
        .with_context(|| format!("`{shown}` is no catalogue of version {VERSION}: {again}"))
}

/// A difference between two catalogues.
struct Change {
    kind: ChangeKind,
    /// What it is about.
    subject: String,
    /// Where it is, or was.
    place: String,
}

enum ChangeKind {
    Added,
    Removed,
    /// It had and has other types.
    Retyped,
    /// It is protected otherwise, or no longer goes where it went.
    Changed,
    /// A spread whose tags are not known.
    Unknown,
    SpanAdded,
    SpanRemoved,
}

impl Change {
    fn line(&self) -> String {
        let (word, color) = match self.kind {
            ChangeKind::Added => ("added", AnsiColor::Green),
            ChangeKind::Removed => ("removed", AnsiColor::Red),
            ChangeKind::Retyped => ("retyped", AnsiColor::Red),
            ChangeKind::Changed => ("changed", AnsiColor::Red),
            ChangeKind::Unknown => ("unknown", AnsiColor::Red),
            ChangeKind::SpanAdded => ("added", AnsiColor::Green),
            ChangeKind::SpanRemoved => ("removed", AnsiColor::Yellow),
        };
        let style = Style::new().bold().fg_color(Some(color.into()));
        format!(
            "{style}{word:>8}{style:#} {} ({})",
            self.subject, self.place
        )
    }
}

/// A tag by what a dashboard sees of it: the span's name, and the key.
type Identity<'a> = (Option<&'a str>, &'a str);

/// Where a tag is first set, the types that it is known to have, how it is protected and where it goes.
struct Known<'a> {
    first: &'a Tag,
    types: BTreeSet<&'a str>,
    privacy: BTreeSet<&'a str>,
    destinations: BTreeSet<&'a str>,
}

fn tags(catalogue: &Catalogue) -> BTreeMap<Identity<'_>, Known<'_>> {
    let mut tags = BTreeMap::new();
    for tag in catalogue.tags.iter().filter(|tag| !tag.is_unknown_spread()) {
        let known = tags
            .entry((tag.span.as_deref(), tag.key.as_str()))
            .or_insert_with(|| Known {
                first: tag,
                types: BTreeSet::new(),
                privacy: BTreeSet::new(),
                destinations: BTreeSet::new(),
            });
        known.privacy.insert(&tag.privacy);
        known
            .destinations
            .extend(tag.destinations.iter().map(String::as_str));
        if tag.value_type != "unknown" {
            known.types.insert(tag.value_type.as_str());
        }
    }
    tags
}

impl Known<'_> {
    fn is_known(&self) -> bool {
        !self.types.is_empty()
    }

    fn privacy(&self) -> String {
        let privacy: Vec<&str> = self.privacy.iter().copied().collect();
        privacy.join(" or ")
    }

    fn types(&self) -> String {
        let types: Vec<&str> = self.types.iter().copied().collect();
        if types.is_empty() {
            "of unknown type".to_owned()
        } else {
            types.join(" or ")
        }
    }
}

fn changes(old: &Catalogue, new: &Catalogue) -> Vec<Change> {
    let mut changes = Vec::new();
    let spans = |catalogue: &Catalogue| -> BTreeMap<(String, String), String> {
        let spans = catalogue.spans.iter().map(|span| {
            let place = format!("{}:{}", span.file, span.line);
            ((span.name.clone(), span.kind.clone()), place)
        });
        spans.collect()
    };
    let (old_spans, new_spans) = (spans(old), spans(new));
    for ((name, kind), place) in new_spans
        .iter()
        .filter(|(span, _)| !old_spans.contains_key(span))
    {
        changes.push(Change {
            kind: ChangeKind::SpanAdded,
            subject: format!("span `{name}`, {kind}"),
            place: place.clone(),
        });
    }
    for ((name, kind), place) in old_spans
        .iter()
        .filter(|(span, _)| !new_spans.contains_key(span))
    {
        changes.push(Change {
            kind: ChangeKind::SpanRemoved,
            subject: format!("span `{name}`, {kind}"),
            place: format!("was {place}"),
        });
    }
    let (old_tags, new_tags) = (tags(old), tags(new));
    for (identity, now) in &new_tags {
        let place = format!("{}:{}", now.first.file, now.first.line);
        let subject = subject(*identity);
        let was = old_tags.get(identity);
        if let Some(was) = was {
            changes.extend(handling(was, now).map(|how| Change {
                kind: ChangeKind::Changed,
                subject: format!("{subject}, {how}"),
                place: place.clone(),
            }));
        }
        match was {
            None => changes.push(Change {
                kind: ChangeKind::Added,
                subject: format!("{subject}, {}", now.types()),
                place,
            }),
            // What is not known is not said to differ.
            Some(was) if was.is_known() && now.is_known() && now.types != was.types => changes
                .push(Change {
                    kind: ChangeKind::Retyped,
                    subject: format!("{subject}, from {} to {}", was.types(), now.types()),
                    place,
                }),
            Some(_) => {}
        }
    }
    for (identity, was) in old_tags
        .iter()
        .filter(|(identity, _)| !new_tags.contains_key(identity))
    {
        changes.push(Change {
            kind: ChangeKind::Removed,
            subject: format!("{}, {}", subject(*identity), was.types()),
            place: format!("was {}:{}", was.first.file, was.first.line),
        });
    }
    let was_unknown = unknown_spreads(old);
    for (identity, spread) in unknown_spreads(new) {
        if !was_unknown.contains_key(&identity) {
            changes.push(Change {
                kind: ChangeKind::Unknown,
                subject: subject(identity),
                place: format!("{}:{}", spread.file, spread.line),
            });
        }
    }
    changes
}

/// How a tag is handled otherwise than before.
fn handling(was: &Known<'_>, now: &Known<'_>) -> impl Iterator<Item = String> {
    let privacy = (was.privacy != now.privacy)
        .then(|| format!("its value from {} to {}", was.privacy(), now.privacy()));
    let lost: Vec<&str> = was
        .destinations
        .difference(&now.destinations)
        .copied()
        .collect();
    let lost = (!lost.is_empty()).then(|| format!("no longer {}", lost.join(", ")));
    privacy.into_iter().chain(lost)
}

fn unknown_spreads(catalogue: &Catalogue) -> BTreeMap<Identity<'_>, &Tag> {
    let spreads = catalogue.tags.iter().filter(|tag| tag.is_unknown_spread());
    spreads
        .map(|tag| ((tag.span.as_deref(), tag.key.as_str()), tag))
        .collect()
}

/// The tags whose type was known and is not any more.
fn now_unknown(old: &Catalogue, new: &Catalogue) -> Vec<String> {
    let old = tags(old);
    let was_known = |identity: &Identity<'_>| old.get(identity).is_some_and(Known::is_known);
    tags(new)
        .into_iter()
        .filter(|(identity, now)| !now.is_known() && was_known(identity))
        .map(|(identity, now)| {
            format!(
                "source no longer tells the type of {}, which was {}: whether it is retyped is not known\n  --> {}:{}",
                subject(identity),
                old[&identity].types(),
                now.first.file,
                now.first.line
            )
        })
        .collect()
}

/// The spreads of which neither catalogue knows the tags.
fn still_unknown(old: &Catalogue, new: &Catalogue) -> Vec<String> {
    let was_unknown = unknown_spreads(old);
    unknown_spreads(new)
        .into_iter()
        .filter(|(identity, _)| was_unknown.contains_key(identity))
        .map(|(identity, spread)| {
            format!(
                "source does not tell the type of {}: a tag of it that has gone is not missed\n  --> {}:{}",
                subject(identity),
                spread.file,
                spread.line
            )
        })
        .collect()
}

fn subject((span, key): Identity<'_>) -> String {
    let what = if key.starts_with("..") {
        "spread"
    } else {
        "tag"
    };
    match span {
        Some(span) => format!("{what} `{key}` of span `{span}`"),
        None => format!("{what} `{key}` of the current span"),
    }
}
