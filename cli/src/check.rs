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
use crate::visible::visible;
use crate::workspace::Packages;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The catalogue to compare with, printed by `cargo biztrace catalogue --format json`
    #[arg(long, value_name = "FILE")]
    against: PathBuf,
}

pub(crate) fn run(
    arguments: &Arguments,
    packages: &Packages,
    output: &mut impl Write,
) -> anyhow::Result<Outcome> {
    let old = stored(&arguments.against)?;
    let catalogue::Source {
        catalogue: new,
        mistakes,
        unclear,
    } = catalogue::read(packages)?;
    if !mistakes.is_empty() {
        // Source that could not be read would look as if its tags were removed.
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
            "tags that were removed, retyped or changed, on which dashboards may rely: {breaking}"
        ));
    }
    if unknown > 0 {
        reasons.push(format!(
            "spreads of unknown type, from which missing tags can't be detected: {unknown} (give the value \
             the type of a struct of this workspace that derives `BizAttrs`)"
        ));
    }
    let failure = (!reasons.is_empty()).then(|| {
        format!(
            "{}. If this is intended, update the catalogue: cargo biztrace catalogue --format json > {}",
            reasons.join("; "),
            arguments.against.display()
        )
    });
    Ok(Outcome {
        mistakes,
        warnings: [still_unknown(&old, &new), now_unknown(&old, &new), unclear].concat(),
        failure,
    })
}

/// Reads a catalogue. Fails if it is of another version.
fn stored(path: &Path) -> anyhow::Result<Catalogue> {
    let shown = path.display();
    let text = fs::read_to_string(path).with_context(|| format!("`{shown}` can't be read"))?;
    let json: Value =
        serde_json::from_str(&text).with_context(|| format!("`{shown}` is not JSON"))?;
    let again = "create it again with `cargo biztrace catalogue --format json`";
    match json.get("version") {
        Some(version) if *version == VERSION => {}
        Some(version) => bail!(
            "`{shown}` is a catalogue of version {version}, but this cargo-biztrace reads version {VERSION}: {again}"
        ),
        None => bail!("`{shown}` is not a catalogue, since it has no `version`: {again}"),
    }
    serde_json::from_value(json)
        .with_context(|| format!("`{shown}` is not a catalogue of version {VERSION}: {again}"))
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
    /// Its known types differ.
    Retyped,
    /// Its protection changed, or it lost a destination.
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
            visible(&self.subject),
            visible(&self.place)
        )
    }
}

/// A tag as a dashboard identifies it: the span's name, and the key.
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
            // An unknown type is not reported as a difference.
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

/// How the protection and the destinations of a tag changed.
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

/// Warnings for tags whose type is no longer known.
fn now_unknown(old: &Catalogue, new: &Catalogue) -> Vec<String> {
    let old = tags(old);
    let was_known = |identity: &Identity<'_>| old.get(identity).is_some_and(Known::is_known);
    tags(new)
        .into_iter()
        .filter(|(identity, now)| !now.is_known() && was_known(identity))
        .map(|(identity, now)| {
            format!(
                "the type of {} was {} and is now unknown: a change of type can't be detected\n  --> {}:{}",
                visible(&subject(identity)),
                visible(&old[&identity].types()),
                visible(&now.first.file),
                now.first.line
            )
        })
        .collect()
}

/// Warnings for spreads whose tags neither catalogue knows.
fn still_unknown(old: &Catalogue, new: &Catalogue) -> Vec<String> {
    let was_unknown = unknown_spreads(old);
    unknown_spreads(new)
        .into_iter()
        .filter(|(identity, _)| was_unknown.contains_key(identity))
        .map(|(identity, spread)| {
            format!(
                "the type of {} is unknown: tags missing from it can't be detected\n  --> {}:{}",
                visible(&subject(identity)),
                visible(&spread.file),
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
