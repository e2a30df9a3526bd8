//! The path of the runtime crate: how `crate = path` is read, and where an expansion finds its private API.

use proc_macro2::TokenStream;
use quote::quote;
use syn::parse::ParseStream;
use syn::{Error, Path, Token};

/// How the option is written.
pub(crate) const CRATE_OPTION: &str = "crate = path::to::biztrace";

/// Reads what follows `crate`: `= path::to::biztrace`.
pub(crate) fn crate_path(input: ParseStream<'_>) -> syn::Result<Path> {
    input.parse::<Token![=]>()?;
    let path = input.call(Path::parse_mod_style)?;
    // An expansion uses the path in `use` declarations too.
    match path.segments.iter().find(|segment| segment.ident == "Self") {
        Some(segment) => Err(Error::new_spanned(segment, "`Self` is not a crate")),
        None => Ok(path),
    }
}

/// The path of the runtime's `__private`, in the crate that the user named or in `::biztrace`.
pub(crate) fn private(krate: Option<&Path>) -> TokenStream {
    match krate {
        Some(krate) => quote!(#krate::__private),
        None => quote!(::biztrace::__private),
    }
}
