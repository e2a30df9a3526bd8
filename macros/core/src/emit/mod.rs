//! The last step: tokens. Only the body is replaced.
//!
//! Names are absolute or, where they are locals of ours, hygienic. What may fail to compile on the user's account (a value
//! without an attribute form, a body of another type than the signature's) carries the place of the user's tokens.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;

use crate::lower::{Expansion, SpanPlan, Tag};

/// The function with its body replaced.
pub(crate) fn function(mut expansion: Expansion) -> TokenStream {
    let statements = match &expansion.span {
        Some(plan) => wrapped(&expansion, plan),
        None => annotated(&expansion),
    };
    expansion.function.body.statements = statements;
    expansion.function.into_token_stream()
}

/// The user's statements behind the tagging of the current span.
fn annotated(expansion: &Expansion) -> TokenStream {
    let Expansion {
        function, private, ..
    } = expansion;
    let (request, tags) = (request(expansion), tags(expansion));
    let statements = &function.body.statements;
    // A block of their own, so that items at its start are not behind a statement.
    let place = Span::mixed_site().located_at(function.body.brace.span.join());
    let block = quote_spanned!(place=> { #statements });
    quote_spanned! {Span::mixed_site()=>
        #private::annotate(#request, #tags);
        #block
    }
}

/// The user's statements within a span of their own.
fn wrapped(expansion: &Expansion, plan: &SpanPlan) -> TokenStream {
    let private = &expansion.private;
    let SpanPlan {
        open,
        name,
        function_name,
        ..
    } = plan;
    let kind = plan
        .kind
        .as_ref()
        .map(|kind| quote_spanned!(Span::mixed_site()=> .kind(#private::SpanKind::#kind)));
    let (request, tags, run) = (request(expansion), tags(expansion), run(expansion, plan));
    quote_spanned! {Span::mixed_site()=>
        static __BIZTRACE_SITE: #private::Site = #private::Site::new(
            #name,
            ::core::concat!(::core::module_path!(), "::", #function_name),
        ) #kind;
        let __biztrace_span = #private::#open(&__BIZTRACE_SITE, #request, #tags);
        #run
    }
}

fn run(expansion: &Expansion, plan: &SpanPlan) -> TokenStream {
    let private = &expansion.private;
    let body = &expansion.function.body;
    let statements = &body.statements;
    let place = body.brace.span.join();
    let error_type = error_type(private, plan);
    if plan.is_async {
        // Never taken; it tells rustc the type of an async block, which otherwise is inferred from the statements, with worse messages.
        let typed = plan.returns.as_ref().map(|ty| {
            let place = Span::mixed_site().located_at(ty.span());
            let private = located(private, place);
            quote_spanned!(place=> if false { return #private::returns::<#ty>(); })
        });
        let inner = quote_spanned!(Span::mixed_site().located_at(place)=> { #statements });
        let block = quote_spanned!(place=> async move { #typed #inner });
        quote_spanned!(Span::mixed_site()=> __biztrace_span.run(#block, #error_type).await)
    } else {
        let arrow = plan
            .returns
            .as_ref()
            .map(|ty| quote_spanned!(Span::mixed_site().located_at(ty.span())=> -> #ty));
        let block = quote_spanned!(place=> move || #arrow { #statements });
        quote_spanned!(Span::mixed_site()=> __biztrace_span.run_sync(#block, #error_type))
    }
}

/// The same tokens, for rustc to point at `place`.
fn located(tokens: &TokenStream, place: Span) -> TokenStream {
    let locate = |mut token: TokenTree| {
        token.set_span(token.span().located_at(place));
        token
    };
    tokens.clone().into_iter().map(locate).collect()
}

/// The closure that looks for an error in the result.
fn error_type(private: &TokenStream, plan: &SpanPlan) -> TokenStream {
    if plan.diverges {
        return quote_spanned!(Span::mixed_site()=> |_| ::core::option::Option::None);
    }
    // An `Err` is found by autoref, so that the type of the result may be written in any way.
    quote_spanned! {Span::mixed_site()=>
        |__result| {
            use #private::{ErrorOfResult as _, NoError as _};
            (&#private::Returned(__result)).__error_type()
        }
    }
}

fn request(expansion: &Expansion) -> TokenStream {
    let Expansion {
        private, request, ..
    } = expansion;
    request
        .clone()
        .unwrap_or_else(|| quote_spanned!(Span::mixed_site()=> #private::NoRequest))
}

/// The closure that sets the tags.
fn tags(expansion: &Expansion) -> TokenStream {
    let Expansion {
        private,
        tags,
        reads_head,
        ..
    } = expansion;
    let lines = tags.iter().map(|Tag { key, value, place }| {
        // Located from the value's first token to its last, where rustc shall say that its type has no attribute form.
        let [first, last] = place.map(|place| Span::mixed_site().located_at(place));
        let mut value = Group::new(Delimiter::Parenthesis, value.clone());
        value.set_span(last);
        let value = quote_spanned!(first=> &#value);
        quote_spanned! {first=>
            __tags.set(const { &#private::Key::new(#key) }, #value);
        }
    });
    match (tags.is_empty(), reads_head) {
        (true, _) => quote_spanned!(Span::mixed_site()=> |_, _| {}),
        (false, false) => quote_spanned!(Span::mixed_site()=> |__tags, _| { #(#lines)* }),
        (false, true) => quote_spanned!(Span::mixed_site()=> |__tags, __head| { #(#lines)* }),
    }
}
