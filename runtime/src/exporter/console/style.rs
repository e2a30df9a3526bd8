//! How wide a tree is, and whether it has colours.

/// The columns that a line keeps to, unless one tag is wider. Fixed: std cannot ask a terminal for its width.
pub(super) const WIDTH: usize = 120;
/// The columns of a bar.
pub(super) const BAR: usize = 16;

/// Whether a tree holds the escape codes that colour it. The text is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    Plain,
    Colour,
}
