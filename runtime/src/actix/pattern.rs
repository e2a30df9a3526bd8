//! The pattern of a route, as far as it says without regular expressions what it matches.
//!
//! actix-web's own `ResourceDef` panics at patterns that nested scopes make, for example where two of them name a parameter alike.

/// Whether a path is of a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    Yes,
    No,
    /// A part of the pattern is not understood.
    Maybe,
}

#[derive(Debug)]
pub(super) struct Pattern {
    text: Box<str>,
    segments: Vec<Segment>,
    rest: Rest,
}

/// What stands between two slashes.
#[derive(Debug)]
enum Segment {
    Text(Box<str>),
    /// `{name}`.
    Parameter,
}

/// What follows the segments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rest {
    Nothing,
    /// `{name}*` or `{name:.*}`: anything.
    All,
    /// Something that is not understood.
    Unknown,
}

impl Pattern {
    pub(super) fn new(text: &str) -> Self {
        let (mut segments, mut rest) = (Vec::new(), Rest::Nothing);
        for segment in text.split('/') {
            match parse(segment) {
                // What follows it cannot be told apart.
                _ if rest == Rest::All => rest = Rest::Unknown,
                Ok(segment) => segments.push(segment),
                Err(what) => rest = what,
            }
            if rest == Rest::Unknown {
                break;
            }
        }
        Self {
            text: text.into(),
            segments,
            rest,
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether it has no end.
    pub(super) fn is_open(&self) -> bool {
        self.rest != Rest::Nothing
    }

    pub(super) fn matches(&self, path: &str) -> Match {
        let mut path = path.split('/');
        for segment in &self.segments {
            let is_it = path.next().is_some_and(|part| match segment {
                Segment::Text(text) => **text == *part,
                Segment::Parameter => !part.is_empty(),
            });
            if !is_it {
                return Match::No;
            }
        }
        match (self.rest, path.next()) {
            (Rest::Nothing, None) | (Rest::All, Some(_)) => Match::Yes,
            (Rest::Nothing, Some(_)) | (Rest::All, None) => Match::No,
            (Rest::Unknown, _) => Match::Maybe,
        }
    }
}

fn parse(segment: &str) -> Result<Segment, Rest> {
    if !segment.contains(['{', '}']) {
        return Ok(Segment::Text(segment.into()));
    }
    let inner = segment.strip_prefix('{').ok_or(Rest::Unknown)?;
    let is_name = |name: &str| !name.contains(['{', '}', ':']);
    if let Some(name) = inner.strip_suffix("}*").or(inner.strip_suffix(":.*}"))
        && is_name(name)
    {
        return Err(Rest::All);
    }
    match inner.strip_suffix('}') {
        Some(name) if is_name(name) => Ok(Segment::Parameter),
        _ => Err(Rest::Unknown),
    }
}
