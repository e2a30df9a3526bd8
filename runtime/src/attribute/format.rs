//! Values as text: formatted, or cut.

use std::fmt::{self, Write};

use super::writer::{ValueWriter, truncate};
use super::{Encoder, Value};

/// `#[display]`: a value's text by [`fmt::Display`]; of an `Option`, the text of its value.
#[derive(Debug)]
pub struct Display<'a, T: ?Sized>(pub &'a T);

impl<'a, T> Display<'a, Option<T>> {
    /// Nothing for `None`, which has no text. Found before [`Shown::shown`].
    #[must_use]
    pub fn shown(&self) -> Option<Display<'a, T>> {
        self.0.as_ref().map(Display)
    }
}

impl<'a, T> Display<'a, &Option<T>> {
    /// Nothing for a reference to `None`.
    #[must_use]
    pub fn shown(&self) -> Option<Display<'a, T>> {
        self.0.as_ref().map(Display)
    }
}

/// Other types are shown as they are.
pub trait Shown {
    #[doc(hidden)]
    fn shown(&self) -> &Self {
        self
    }
}

impl<T: ?Sized> Shown for Display<'_, T> {}

/// `#[debug]`: a value's text by [`fmt::Debug`].
#[derive(Debug)]
pub struct Debug<'a, T: ?Sized>(pub &'a T);

/// `#[max_len(n)]`: a text cut to that many characters.
#[derive(Debug)]
pub struct MaxLen<'a, V: ?Sized>(pub usize, pub &'a V);

impl<T: fmt::Display + ?Sized> Value for Display<'_, T> {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.write_with(|writer| format(writer, format_args!("{}", self.0)));
    }
}

impl<T: fmt::Debug + ?Sized> Value for Debug<'_, T> {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.write_with(|writer| format(writer, format_args!("{:?}", self.0)));
    }
}

impl<V: Value + ?Sized> Value for MaxLen<'_, V> {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.write_with(|writer| {
            let mut treatment = writer.treatment();
            treatment.chars = treatment.chars.min(self.0);
            self.1.encode(writer.with_treatment(&treatment).into());
        });
    }
}

fn format(writer: ValueWriter<'_>, value: fmt::Arguments<'_>) {
    let mut text = Bounded {
        text: String::new(),
        chars: writer.treatment().chars,
        bytes: writer.max_bytes(),
        is_too_large: false,
    };
    // An error says that the text is long enough, or that the type failed: what is written so far is recorded.
    let _ = text.write_fmt(value);
    if text.is_too_large {
        writer.refuse();
    } else {
        writer.string(&text.text);
    }
}

/// Takes text up to a number of characters: what is formatted may be of any length.
struct Bounded {
    text: String,
    /// Characters that are still taken.
    chars: usize,
    /// A text of more bytes is too large, even with fewer characters.
    bytes: usize,
    is_too_large: bool,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let fits = truncate(part, self.chars);
        if self.text.len() + fits.len() > self.bytes {
            self.is_too_large = true;
            return Err(fmt::Error);
        }
        self.text.push_str(fits);
        self.chars -= fits.chars().count();
        if fits.len() < part.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
