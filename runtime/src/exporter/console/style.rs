//! How wide a tree is, and whether it has colours.

use std::io::{self, IsTerminal};

use terminal_size::{Width, terminal_size_of};

/// How a tree is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Style {
    /// Whether a tree holds the escape codes that colour it. The text is the same.
    pub(super) has_colours: bool,
    /// The columns that a line keeps to.
    pub(super) width: usize,
}

/// The columns where stderr is not a terminal, for example a file.
pub(super) const DEFAULT_WIDTH: usize = 120;

/// Where a terminal is narrower, it breaks lines itself.
const MIN_WIDTH: usize = 72;

impl Style {
    /// As wide as stderr is now. In colours if it is a terminal, and the user did not ask for `no_color` (<https://no-color.org>).
    pub(super) fn of_stderr(no_color: bool) -> Self {
        let stderr = io::stderr();
        let width = terminal_size_of(&stderr)
            .map_or(DEFAULT_WIDTH, |(Width(columns), _)| usize::from(columns));
        Self {
            has_colours: !no_color && stderr.is_terminal(),
            width: width.max(MIN_WIDTH),
        }
    }

    /// The columns that names are cut to, so that the bars stay near.
    pub(super) fn label(self) -> usize {
        const MOST: usize = 48;
        (self.width * 2 / 5).min(MOST)
    }

    /// The columns of a bar.
    pub(super) fn bar(self) -> usize {
        const MOST: usize = 16;
        (self.width * 2 / 15).min(MOST)
    }

    /// A tree is drawn this deep; below, its outer levels are left out and counted.
    pub(super) fn levels(self) -> usize {
        const MOST: usize = 8;
        (self.width / 15).min(MOST)
    }

    /// What fits behind `indent`.
    pub(super) fn behind(self, indent: usize) -> Self {
        Self {
            width: self.width.saturating_sub(indent),
            ..self
        }
    }
}
