//! Guesses the meant name for a name that does not exist.

/// `; did you mean …?` if one of `names` is like `text`, otherwise the full stop.
pub(super) fn hint<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = names
        .into_iter()
        .map(|name| (edit_distance(name, text), name))
        .min();
    match nearest {
        Some((0..=2, name)) => format!("; did you mean `{name}`?"),
        _ => ".".into(),
    }
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
