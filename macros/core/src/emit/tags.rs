//! Tags as statements.

use proc_macro2::{Delimiter, Group, Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::spanned::Spanned;

use super::place::located;
use crate::destination::Destination;
use crate::lower::{PrivateUrl, Tag, TagPlan, TagTarget, Wrapper};
use crate::parse::ResultArm;

/// The closure that sets tags.
pub(super) fn closure(private: &TokenStream, plan: &TagPlan) -> TokenStream {
    let private_url = (!plan.private_url.is_nothing()).then(|| {
        let url = url(private, &plan.private_url);
        quote_spanned!(Span::mixed_site()=> __tags.private_url(#url);)
    });
    let lines = plan.tags.iter().map(|tag| statement(private, tag));
    let lines = private_url.into_iter().chain(lines);
    match (plan.tags.is_empty(), plan.reads_head) {
        (true, _) => quote_spanned!(Span::mixed_site()=> |_, _| {}),
        (false, false) => quote_spanned!(Span::mixed_site()=> |__tags, _| { #(#lines)* }),
        (false, true) => quote_spanned!(Span::mixed_site()=> |__tags, __head| { #(#lines)* }),
    }
}

/// The statement that sets a tag on `__tags`.
pub(crate) fn statement(private: &TokenStream, tag: &Tag) -> TokenStream {
    let mut statement = set(private, tag);
    if let Some(reader) = &tag.misspelt {
        // If there is no such function, rustc names one that is similar. So a reader has to be in scope.
        statement = quote_spanned! {Span::mixed_site()=> {
            #[allow(unused_imports)]
            use #private::readers::#reader;
            #statement
        }};
    }
    if let Some(condition) = &tag.when {
        statement = quote_spanned! {Span::mixed_site()=>
            let __when: ::core::primitive::bool = #condition;
            if __when { #statement }
        };
    }
    if let Some((arm, pattern)) = &tag.on_result {
        // Places rustc's error for a result without that arm.
        let place = Span::mixed_site().located_at(pattern.span());
        let private = located(private, place);
        let value = match arm {
            ResultArm::Ok => quote_spanned!(place=> #private::ok(__result)),
            ResultArm::Err => quote_spanned!(place=> #private::err(__result)),
            ResultArm::Ret => {
                quote_spanned!(Span::mixed_site()=> ::core::option::Option::Some(__result))
            }
        };
        statement = quote_spanned! {Span::mixed_site()=>
            if let ::core::option::Option::Some(#pattern) = #value { #statement }
        };
    }
    statement
}

fn set(private: &TokenStream, tag: &Tag) -> TokenStream {
    // From the value's first token to its last: the place of rustc's error for a type without an attribute form.
    let [first, last] = tag.place.map(|place| Span::mixed_site().located_at(place));
    let mut value = Group::new(Delimiter::Parenthesis, tag.value.clone());
    value.set_span(last);
    let value = quote_spanned!(first=> &#value);
    match &tag.target {
        TagTarget::Key {
            key,
            destinations,
            wrappers,
        } => {
            let wrap = |value: TokenStream, Wrapper { name, number }: &Wrapper| {
                let number = number.as_ref().map(|number| quote!(#number,));
                let shown = is_display(name).then(|| quote_spanned!(first=> .shown()));
                quote_spanned!(first=> &#private::#name(#number #value) #shown)
            };
            let is_shown = wrappers.iter().any(|it| is_display(&it.name));
            let value = wrappers.iter().fold(value, wrap);
            let set = if destinations.contains(&Destination::Descendants) {
                quote_spanned!(first=> set_inherited)
            } else {
                quote_spanned!(first=> set)
            };
            let set = quote_spanned! {first=>
                __tags.#set(const { &#private::Key::new(#key) }, #value);
            };
            let set = if destinations.contains(&Destination::Baggage) {
                quote_spanned!(first=> __tags.baggage(|__tags| { #set });)
            } else {
                set
            };
            if is_shown {
                // `None` sets nothing: an `Option` is found by its own method, before the trait's.
                quote_spanned!(Span::mixed_site()=> { use #private::Shown as _; #set })
            } else {
                set
            }
        }
        TagTarget::Nothing => quote_spanned!(Span::mixed_site()=> let _ = #value;),
        TagTarget::Spread(made_of) if !made_of.is_nothing() => {
            let url = url(private, made_of);
            quote_spanned! {first=>
                __tags.spread(#url, |__tags| #private::BizAttrs::record(#value, __tags));
            }
        }
        TagTarget::Spread(_) | TagTarget::Nested { prefix: None } => quote_spanned! {first=>
            #private::BizAttrs::record(#value, __tags);
        },
        TagTarget::Nested {
            prefix: Some(prefix),
        } => quote_spanned! {first=>
            __tags.nested(#prefix, |__tags| #private::BizAttrs::record(#value, __tags));
        },
    }
}

/// Parts of a request's URL, as the runtime has them.
fn url(private: &TokenStream, url: &PrivateUrl) -> TokenStream {
    let PrivateUrl {
        path,
        query,
        parameters,
    } = url;
    quote_spanned! {Span::mixed_site()=>
        const { &#private::PrivateUrl { path: #path, query: #query, parameters: &[#(#parameters),*] } }
    }
}

fn is_display(wrapper: &Ident) -> bool {
    wrapper == "Display"
}
