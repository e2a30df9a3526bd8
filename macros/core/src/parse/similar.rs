//! Guesses the meant name for a name that does not exist.

/// `; did you mean …?` if one of `names` is like `text`, otherwise the full stop.
pub(super) fn hint<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    match meant(text, names) {
        Some(name) => format!("; did you mean `{name}`?"),
        None => ".".into(),
    }
}

/// The nearest of `names`, if it is like `text`.
pub(crate) fn meant<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let distances = names.into_iter().map(|it| (edit_distance(it, text), it));
    let (distance, name) = distances.min()?;
    (distance <= 2).then_some(name)
}

/// Levenshtein's distance, in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let mut previous: Vec<usize> = (0..=b.chars().count()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.chars().enumerate() {
            row.push(
                (previous[j] + usize::from(x != y))
                    .min(previous[j + 1] + 1)
                    .min(row[j] + 1),
            );
        }
        previous = row;
    }
    previous[b.chars().count()]
}
