//! Straight lines through costs.

/// A straight line, and how far the costs are from it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Of one more.
    pub(super) slope: f64,
    /// The largest distance of a cost from the line, as a share of the cost.
    pub(super) bend: f64,
}

/// The line through `points` of size and cost that is closest to them, by shares: the cost of a small size counts as much as
/// that of a large one. `None` for fewer than two sizes.
pub(super) fn line(points: &[(f64, f64)]) -> Option<Line> {
    let mut sums = [0.0; 5];
    for (size, cost) in points {
        let weight = 1.0 / (cost * cost);
        let terms = [1.0, *size, size * size, *cost, size * cost];
        sums.iter_mut()
            .zip(terms)
            .for_each(|(sum, term)| *sum += weight * term);
    }
    let [n, x, xx, y, xy] = sums;
    let determinant = n * xx - x * x;
    if points.len() < 2 || determinant == 0.0 {
        return None;
    }
    let slope = (n * xy - x * y) / determinant;
    let start = (y - slope * x) / n;
    let off = |(size, cost): &(f64, f64)| ((start + slope * size - cost) / cost).abs();
    let bend = points.iter().map(off).fold(0.0, f64::max);
    Some(Line { slope, bend })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_straight_line_is_found() {
        let points = [1.0, 2.0, 8.0, 128.0].map(|size| (size, 50.0 + 3.0 * size));
        let line = line(&points).unwrap();
        assert!(
            (line.slope - 3.0).abs() < 1e-9 && line.bend < 1e-9,
            "{line:?}"
        );
    }

    #[test]
    fn a_bend_is_seen() {
        let points = [1.0, 10.0, 100.0].map(|size| (size, size * size));
        assert!(line(&points).unwrap().bend > 0.5);
    }

    #[test]
    fn one_point_is_no_line() {
        assert!(line(&[(1.0, 1.0)]).is_none());
        assert!(line(&[(1.0, 1.0), (1.0, 2.0)]).is_none());
    }
}
