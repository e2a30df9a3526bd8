//! What an expansion asks of a function's result.

use std::error::Error;
use std::fmt::Display;
use std::ops::Deref;

use crate::error::{message, text};
use crate::semconv::OTHER;

/// What an annotated function returned, asked for its error by [`ErrorOfResult`] or [`NoError`].
#[derive(Debug)]
pub struct Returned<'a, T>(pub &'a T);

/// Of a `Result`: the type of its error. Found before [`NoError`], which needs one more reference.
pub trait ErrorOfResult {
    #[doc(hidden)]
    fn __error_type(&self) -> Option<&'static str>;
}

impl<T, E> ErrorOfResult for Returned<'_, Result<T, E>> {
    fn __error_type(&self) -> Option<&'static str> {
        self.0.is_err().then(std::any::type_name::<E>)
    }
}

/// Of anything else: no error.
pub trait NoError {
    #[doc(hidden)]
    fn __error_type(&self) -> Option<&'static str> {
        None
    }
}

impl<T> NoError for &Returned<'_, T> {}

/// What `#[ok(…)]` and `#[err(…)]` match. The types are parameters: of associated ones rustc would complain a second time.
#[diagnostic::on_unimplemented(
    message = "`#[ok(…)]` and `#[err(…)]` take a function that returns a `Result` or an `Option`, not `{Self}`",
    label = "for any other result, write `#[ret(pattern)]`"
)]
pub trait Fallible<T, E> {
    #[doc(hidden)]
    fn __ok(&self) -> Option<&T>;
    #[doc(hidden)]
    fn __err(&self) -> Option<&E>;
}

impl<T, E> Fallible<T, E> for Result<T, E> {
    fn __ok(&self) -> Option<&T> {
        self.as_ref().ok()
    }

    fn __err(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

impl<T> Fallible<T, ()> for Option<T> {
    fn __ok(&self) -> Option<&T> {
        self.as_ref()
    }

    fn __err(&self) -> Option<&()> {
        self.is_none().then_some(&())
    }
}

/// What `#[ok(…)]` matches.
pub fn ok<R: Fallible<T, E>, T, E>(result: &R) -> Option<&T> {
    result.__ok()
}

/// What `#[err(…)]` matches.
pub fn err<R: Fallible<T, E>, T, E>(result: &R) -> Option<&E> {
    result.__err()
}

/// The error whose message `err` records.
pub fn error<R: HasError<E>, E>(result: &R) -> Option<&E> {
    result.__error()
}

/// What `err` records the error of.
#[diagnostic::on_unimplemented(
    message = "`err` records the message of an error, and `{Self}` is no `Result`",
    label = "remove it, or return a `Result`"
)]
pub trait HasError<E> {
    #[doc(hidden)]
    fn __error(&self) -> Option<&E>;
}

impl<T, E> HasError<E> for Result<T, E> {
    fn __error(&self) -> Option<&E> {
        self.as_ref().err()
    }
}

/// `ok_if`: an error of which the predicate says that it is none.
pub fn ok_if<T>(
    error_type: Option<&'static str>,
    result: &T,
    is_ok: impl FnOnce(&T) -> bool,
) -> Option<&'static str> {
    error_type.filter(|_| !is_ok(result))
}

/// `err_if`: a result of which the predicate says that it is an error.
pub fn err_if<T>(
    error_type: Option<&'static str>,
    result: &T,
    is_err: impl FnOnce(&T) -> bool,
) -> Option<&'static str> {
    // What the semantic conventions call an error without a type.
    error_type.or_else(|| is_err(result).then_some(OTHER))
}

/// An error, asked for its message: by [`MessageOfError`], else [`MessageOfDeref`], else [`MessageOfDisplay`].
#[derive(Debug)]
pub struct Message<'a, E>(pub &'a E);

/// Of an error: its message, and those of its sources.
pub trait MessageOfError {
    #[doc(hidden)]
    fn __message(&self) -> String;
}

impl<E: Error> MessageOfError for &Message<'_, E> {
    fn __message(&self) -> String {
        message(self.0)
    }
}

/// Of what holds an error, `anyhow::Error` or `Box<dyn Error>`: the same.
pub trait MessageOfDeref {
    #[doc(hidden)]
    fn __message(&self) -> String;
}

impl<E: Deref<Target: Error>> MessageOfDeref for &&Message<'_, E> {
    fn __message(&self) -> String {
        message(&**self.0)
    }
}

/// Of anything else its text: it must have one.
pub trait MessageOfDisplay<E> {
    #[doc(hidden)]
    fn __message(&self) -> String
    where
        E: Text;
}

impl<E> MessageOfDisplay<E> for Message<'_, E> {
    fn __message(&self) -> String
    where
        E: Text,
    {
        self.0.__text()
    }
}

/// An error with a message.
#[diagnostic::on_unimplemented(
    message = "`err` records the message of an error, and `{Self}` has none",
    label = "remove it, and the type of the error is recorded alone",
    note = "or implement `std::error::Error` or `Display` for `{Self}`"
)]
pub trait Text {
    #[doc(hidden)]
    fn __text(&self) -> String;
}

impl<E: Display> Text for E {
    fn __text(&self) -> String {
        text(self)
    }
}
