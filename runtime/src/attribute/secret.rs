//! Secrets of `secrecy`: they have no attribute form, and rustc is to say so.

use secrecy::SecretBox;

use super::{Encoder, Value};

/// What no secret is.
#[diagnostic::on_unimplemented(
    message = "a secret may not be an attribute: `{Self}` would leave the process",
    label = "this is a secret",
    note = "name something else that tells requests apart, or a keyed hash of something that is no secret (`#[hash]`)"
)]
pub trait Disclosed {
    #[doc(hidden)]
    fn encode(&self, encoder: Encoder<'_>);
}

impl<S: ?Sized> Value for SecretBox<S>
where
    S: secrecy::zeroize::Zeroize,
    Self: Disclosed,
{
    fn encode(&self, encoder: Encoder<'_>) {
        Disclosed::encode(self, encoder);
    }
}
