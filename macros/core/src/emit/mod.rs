//! The last step: tokens. Only the body is replaced.
//!
//! Names are absolute or, where they are locals of ours, hygienic. Code that may fail to compile because of the user's code (a
//! value without an attribute form, a body of another type than the signature's) has the place of the user's tokens.

mod place;
mod tags;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprAsync, ExprCall, Signature, parse_quote};

use crate::lower::{Expansion, Open, SpanPlan, TagPlan};
use crate::shape::Shape;

use place::located;

pub(crate) use tags::statement;

/// The function with its body replaced.
pub(crate) fn function(mut expansion: Expansion) -> TokenStream {
    let mut statements = match &expansion.span {
        Some(plan) => wrapped(&expansion, plan),
        None => annotated(&expansion),
    };
    if let Some(name) = expansion.main {
        let place = Span::mixed_site().located_at(name);
        let private = located(&expansion.private, place);
        statements = quote_spanned! {place=>
            const _: () = #private::not_main(::core::module_path!());
            #statements
        };
    }
    if expansion
        .span
        .as_ref()
        .is_some_and(SpanPlan::may_yield_a_future)
    {
        // The lint is about async blocks, and the user wrote none.
        let allow = parse_quote!(#![allow(clippy::async_yields_async)]);
        expansion.function.body.inner_attrs.push(allow);
    }
    expansion.function.body.statements = statements;
    expansion.function.into_token_stream()
}

/// The call that sets tags on the current span.
pub(crate) fn tag(private: &TokenStream, plan: &TagPlan) -> TokenStream {
    let tags = tags::closure(private, plan);
    quote_spanned!(Span::mixed_site()=> #private::annotate(#private::NoRequest, #tags))
}

/// The user's statements, after the current span has been tagged.
fn annotated(expansion: &Expansion) -> TokenStream {
    let Expansion {
        function, private, ..
    } = expansion;
    let (request, tags) = (request(expansion), tags::closure(private, &expansion.tags));
    let statements = &function.body.statements;
    // A block of their own: items at its start must not follow a statement.
    let place = Span::mixed_site().located_at(function.body.brace.span.join());
    let block = quote_spanned!(place=> { #statements });
    quote_spanned! {Span::mixed_site()=>
        #private::annotate(#request, #tags);
        #block
    }
}

/// The user's statements under a span.
fn wrapped(expansion: &Expansion, plan: &SpanPlan) -> TokenStream {
    let private = &expansion.private;
    let (request, tags) = (request(expansion), tags::closure(private, &expansion.tags));
    let (site, span) = match &plan.open {
        Open::Current => (
            None,
            quote_spanned!(Span::mixed_site()=> #private::annotated(#request, #tags)),
        ),
        Open::Site {
            by,
            name,
            function_name,
            kind,
            query,
        } => {
            let kind = kind
                .as_ref()
                .map(|kind| quote_spanned!(Span::mixed_site()=> .kind(#private::SpanKind::#kind)));
            // Not a static: a query may be a constant of a generic type.
            let site = quote_spanned! {Span::mixed_site()=>
                let __biztrace_site = const {
                    &#private::Site::new(
                        #name,
                        ::core::concat!(::core::module_path!(), "::", #function_name),
                    ) #kind #query
                };
            };
            let span = quote_spanned!(Span::mixed_site()=> #private::#by(__biztrace_site, #request, #tags));
            (Some(site), span)
        }
    };
    let links = plan.links.as_ref().map(|links| {
        // Places rustc's error for links that are not spans.
        let place = Span::mixed_site().located_at(links.span());
        quote_spanned!(place=> .link(|| #links))
    });
    let open = quote_spanned!(Span::mixed_site()=> #site let __biztrace_span = #span #links;);
    if plan.shape == (Shape::Future { boxed: true })
        && is_async_trait(&expansion.function.sig)
        && let Some((pin, block)) = pinned_block(&expansion.function.body.statements)
    {
        let on_result = on_result(expansion, plan);
        return quote_spanned! {Span::mixed_site()=>
            #pin(async move {
                #open
                __biztrace_span.run(#block, #on_result).await
            })
        };
    }
    let run = run(expansion, plan);
    quote_spanned! {Span::mixed_site()=>
        #open
        #run
    }
}

fn run(expansion: &Expansion, plan: &SpanPlan) -> TokenStream {
    let private = &expansion.private;
    let body = &expansion.function.body;
    let statements = &body.statements;
    let place = body.brace.span.join();
    let on_result = on_result(expansion, plan);
    let arrow = plan
        .returns
        .as_ref()
        .map(|ty| quote_spanned!(Span::mixed_site().located_at(ty.span())=> -> #ty));
    let closure = quote_spanned!(place=> move || #arrow { #statements });
    let run = match plan.shape {
        Shape::Sync => quote_spanned!(Span::mixed_site()=> run_sync(#closure, #on_result)),
        Shape::Async => {
            // Never taken. It tells rustc the type of the async block; a type inferred from the statements gives worse messages.
            let typed = plan.returns.as_ref().map(|ty| {
                let place = Span::mixed_site().located_at(ty.span());
                let private = located(private, place);
                quote_spanned!(place=> if false { return #private::returns::<#ty>(); })
            });
            let inner = quote_spanned!(Span::mixed_site().located_at(place)=> { #statements });
            let block = quote_spanned!(place=> async move { #typed #inner });
            quote_spanned!(Span::mixed_site()=> run(#block, #on_result).await)
        }
        Shape::Future { .. } => {
            quote_spanned!(Span::mixed_site()=> run_future(#closure, #on_result))
        }
        Shape::Stream { .. } => {
            quote_spanned!(Span::mixed_site()=> run_stream(#closure, #on_result))
        }
    };
    match plan.shape {
        Shape::Future { boxed: true } | Shape::Stream { boxed: true } => {
            quote_spanned!(Span::mixed_site()=> ::std::boxed::Box::pin(__biztrace_span.#run))
        }
        _ => quote_spanned!(Span::mixed_site()=> __biztrace_span.#run),
    }
}

/// Whether `async_trait` generated this from a method.
fn is_async_trait(sig: &Signature) -> bool {
    sig.generics
        .lifetimes()
        .any(|param| param.lifetime.ident == "async_trait")
}

/// Splits `Box::pin(async move { … })`, which `async_trait` makes of a method. Like an `async fn` it does everything when it
/// is polled, and needs no second box.
fn pinned_block(statements: &TokenStream) -> Option<(Expr, ExprAsync)> {
    let ExprCall { func, mut args, .. } = syn::parse2(statements.clone()).ok()?;
    let Expr::Path(path) = &*func else {
        return None;
    };
    let is_pin = path.path.segments.last()?.ident == "pin";
    match args.pop()? {
        Expr::Async(block) if is_pin && args.is_empty() => Some((*func, block)),
        _ => None,
    }
}

/// The closure that reads the result: it sets tags, and returns the error's type if the result is an error.
fn on_result(expansion: &Expansion, plan: &SpanPlan) -> TokenStream {
    let private = &expansion.private;
    if plan.diverges {
        return quote_spanned!(Span::mixed_site()=> |_, _| ::core::option::Option::None);
    }
    let lines = expansion
        .on_result
        .iter()
        .map(|tag| statement(private, tag));
    let tags = (!expansion.on_result.is_empty())
        .then(|| quote_spanned!(Span::mixed_site()=> __span.tag(|__tags| { #(#lines)* });));
    let ok_if = plan.ok_if.as_ref().map(|predicate| {
        quote_spanned!(Span::mixed_site()=> let __error_type = #private::ok_if(__error_type, __result, #predicate);)
    });
    let err_if = plan.err_if.as_ref().map(|predicate| {
        quote_spanned!(Span::mixed_site()=> let __error_type = #private::err_if(__error_type, __result, #predicate);)
    });
    let message = plan.err.map(|place| {
        // Places rustc's error for a type that is not a result, or an error without text.
        let place = Span::mixed_site().located_at(place);
        let here = located(private, place);
        let error = quote_spanned!(place=> #here::error(__result));
        let message = quote_spanned!(place=> (&&#here::Message(__error)).__message());
        quote_spanned! {Span::mixed_site()=>
            if let (::core::option::Option::Some(__type), ::core::option::Option::Some(__error)) =
                (__error_type, #error)
            {
                use #private::{MessageOfDeref as _, MessageOfDisplay as _, MessageOfError as _};
                __span.exception(__type, #message);
            }
        }
    });
    let span = if tags.is_some() || message.is_some() {
        quote_spanned!(Span::mixed_site()=> __span)
    } else {
        quote_spanned!(Span::mixed_site()=> _)
    };
    // Autoref finds an `Err`, whatever name the type of the result is written with.
    let error_type = quote_spanned! {Span::mixed_site()=>
        (&#private::Returned(__result)).__error_type()
    };
    let verdict = if ok_if.is_some() || err_if.is_some() || message.is_some() {
        quote_spanned! {Span::mixed_site()=>
            let __error_type = #error_type;
            #ok_if
            #err_if
            #message
            __error_type
        }
    } else {
        error_type
    };
    quote_spanned! {Span::mixed_site()=>
        |__result, #span| {
            use #private::{ErrorOfResult as _, NoError as _};
            #tags
            #verdict
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
