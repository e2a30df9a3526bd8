//! Secrets of `secrecy`: they have no attribute form, and rustc is to say so.

use secrecy::SecretBox;
use secrecy::zeroize::Zeroize;

use super::{Encoder, Value};

/// What leaves the process.
#[derive(Debug)]
pub struct Attribute;

/// Implemented for no secret: so rustc gives this trait's message, and not that of [`Value`].
#[diagnostic::on_unimplemented(
    message = "a secret may not be an attribute, which leaves the process",
    label = "this is a secret",
    note = "name something else that tells requests apart, such as an id of the account that the secret belongs to"
)]
pub trait Discloses<S: ?Sized> {}

impl<S: Zeroize + ?Sized> Value for SecretBox<S>
where
    Attribute: Discloses<Self>,
{
    fn encode(&self, _: Encoder<'_>) {}
}
