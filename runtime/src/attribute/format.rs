//! Values as text: formatted, or cut.

use std::fmt::{self, Write};

use super::value::truncate_bytes;
use super::{Encoder, Value};

/// `#[display]`: a value's text by [`fmt::Display`].
#[derive(Debug)]
pub struct Display<'a, T: ?Sized>(pub &'a T);

/// `#[debug]`: a value's text by [`fmt::Debug`].
#[derive(Debug)]
pub struct Debug<'a, T: ?Sized>(pub &'a T);

/// `#[max_len(n)]`: a value cut to that many characters.
#[derive(Debug)]
pub struct MaxLen<'a, V: ?Sized>(pub usize, pub &'a V);

impl<T: fmt::Display + ?Sized> Value for Display<'_, T> {
    fn encode(&self, encoder: Encoder<'_>) {
        format(encoder, format_args!("{}", self.0));
    }
}

impl<T: fmt::Debug + ?Sized> Value for Debug<'_, T> {
    fn encode(&self, encoder: Encoder<'_>) {
        format(encoder, format_args!("{:?}", self.0));
    }
}

impl<V: Value + ?Sized> Value for MaxLen<'_, V> {
    fn encode(&self, encoder: Encoder<'_>) {
        let mut treatment = encoder.treatment();
        treatment.chars = Some(treatment.chars.map_or(self.0, |chars| chars.min(self.0)));
        encoder.treat(self.1, &treatment);
    }
}

fn format(encoder: Encoder<'_>, value: fmt::Arguments<'_>) {
    let mut text = Bounded {
        text: String::new(),
        max: encoder.max_bytes(),
    };
    // An error is a text that has had enough, or a type that gave up: what there is, is its text.
    let _ = text.write_fmt(value);
    encoder.string(&text.text);
}

/// Takes text up to a number of bytes: what is formatted may be of any length.
struct Bounded {
    text: String,
    max: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        let fits = truncate_bytes(part, self.max - self.text.len());
        self.text.push_str(fits);
        if fits.len() < part.len() {
            return Err(fmt::Error);
        }
        Ok(())
    }
}
