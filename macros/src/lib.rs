//! The attribute macros of biztrace: entry points and their documentation.
//!
//! Use them through the crate `biztrace`, which re-exports them. The work is done in `biztrace-macros-core`.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Traces an actix-web handler: gives the request's span the handler's name and its tags.
///
/// The span is the one that the middleware `RequestTracing` started for this request. Within `#[traced_handler]`, the names and
/// values of [`#[biz_attrs]`](macro@biz_attrs) become its attributes. Its status is that of the response: a 5xx is an error, a 4xx is not.
/// Only the body is wrapped: the signature stays as it is, so it remains a function like any other.
///
/// It goes on an `async fn`, above or below the route attribute.
///
/// | option | meaning |
/// |---|---|
/// | `child` | Opens an INTERNAL child span for the handler, and leaves the request's span alone. |
/// | `err` | Records an error's message too, with those of its sources, as an event `exception`; not where the response is a 4xx, which is the client's error. |
/// | `crate = path` | Where the crate `biztrace` is found, if it was renamed or is re-exported. |
///
/// A request that panics or is cancelled has no response to tell its route. The span has it all the same if the handler takes an
/// `HttpRequest`, or has answered before.
///
/// actix-web's route attributes make a struct of the function: to call a handler in a test, route it by `web::get().to(…)`.
///
/// Without the middleware, it opens a SERVER span from the handler's `HttpRequest` argument, or an INTERNAL one if there is none.
///
/// # Example
///
/// ```ignore (needs the crate biztrace, which depends on this one)
/// use actix_web::{HttpRequest, post, web};
/// use biztrace::{biz_attrs, traced_handler};
///
/// #[post("/orders/{id}")]
/// #[traced_handler]
/// #[biz_attrs(order.id = *id, tenant.id = header("x-tenant-id"))]
/// async fn create(id: web::Path<u64>, req: HttpRequest) -> Result<web::Json<Receipt>, ShopError> {
///     reserve_stock(*id).await
/// }
/// ```
#[proc_macro_attribute]
pub fn traced_handler(args: TokenStream, item: TokenStream) -> TokenStream {
    biztrace_macros_core::traced_handler(args.into(), item.into()).into()
}

/// Names the business attributes of a span: `key = expression`, separated by commas.
///
/// With [`#[traced_handler]`](macro@traced_handler) or [`#[traced]`](macro@traced) on the same function, the attributes go on that
/// span; alone, on the current one. Written twice on a function, the entries add up.
///
/// **Keys** are names joined by dots, by OpenTelemetry's rules: lower-case letters, digits and single `_`, from a letter on.
/// Keywords may stand in them (`order.type`), and a string literal may hold `-` too (`"order-id"`). The namespaces `otel`, `http`,
/// `url`, `network`, `server`, `client` and `code` are the middleware's. A key longer than 255 bytes, or set twice, is an error.
///
/// **Values** are any expressions over the function's arguments. They are evaluated by reference before the body runs, and only
/// if the span is recorded. Integers, floats, `bool`, strings and arrays of them keep their type; a `None` sets nothing.
///
/// | in a value | reads |
/// |---|---|
/// | `header("name")` | the request's header, an `Option<&str>` |
/// | `query("name")` | the parameter of the request's query string, decoded, an `Option<Cow<str>>` |
/// | `cookie("name")` | the request's cookie as it was sent, an `Option<&str>` |
/// | `baggage("key")` | what travels with the trace, from a caller that is trusted or from further up, an `Option<String>` |
///
/// They read the function's `HttpRequest` argument if it has one, else what the middleware kept of the request; `baggage` reads the
/// current OpenTelemetry context. The name is a string literal; a header that is not UTF-8 counts as absent.
///
/// A handler's tags are evaluated once its extractors have succeeded: a request that they reject has none. What the body
/// computes is tagged there, with `biztrace::tag!`.
///
/// **Options** stand before an entry, several if need be. The value is formatted first, then masked, then cut, then hashed, in
/// whatever order they are written.
///
/// | option | meaning |
/// |---|---|
/// | `#[hash]` | The value's keyed HMAC-SHA-256, in hex. The key is `Builder::hash_key`'s or `BIZTRACE_HASH_KEY`'s; without one the value is dropped. |
/// | `#[mask(n)]` | All but the last `n` characters become `*`. |
/// | `#[pii]` | Kept, hashed or dropped as `Builder::pii` or `BIZTRACE_PII` says; dropped, if neither does. |
/// | `#[inherit]` | Also on every span that starts below this one in this process, from now on. |
/// | `#[baggage]` | Also to the services that the body calls: the text of the value is in the OpenTelemetry context's baggage from the start of the body to its end. |
/// | `#[when(condition)]` | Only if the condition holds; the value is not evaluated otherwise. |
/// | `#[ok(pattern)]`, `#[err(pattern)]` | Evaluated on the result, if it is `Ok` or `Some`, `Err` or `None`, and matches the pattern. |
/// | `#[ret(pattern)]` | Evaluated on the result, if it matches the pattern. |
/// | `#[display]`, `#[debug]` | The value's text by `Display` or `Debug`, for a type without an attribute form. A `None` has no text by `Display`. |
/// | `#[max_len(n)]` | Text is cut to `n` characters, one that was masked, too. A number stays whole, and so is what is hashed of it. |
///
/// What an entry on the result sees is what its pattern binds: the arguments have moved into the body. The result may be of any
/// type, `impl Responder` too; `?` and early returns are results like others.
///
/// **Baggage** is sent by clients that inject the OpenTelemetry context, with the propagator `baggage`, to whomever they call. What is
/// hashed, masked or cut travels so, and what is withheld does not, nor an earlier value of its key. Text, numbers and bools
/// travel, lists do not; W3C's limits are 64 members and 8192 bytes. It stands on entries before the body only: not on a result,
/// and not in `tag!`. In a trace that is not recorded no value is evaluated, so nothing is added.
///
/// **Spreads**: `..value` sets all that the value's type declares by [`#[derive(BizAttrs)]`](derive@BizAttrs).
///
/// # Example
///
/// ```ignore (needs the crate biztrace, which depends on this one)
/// use actix_web::{get, web};
/// use biztrace::{biz_attrs, traced_handler};
///
/// #[get("/orders")]
/// #[traced_handler]
/// #[biz_attrs(
///     order.page = page.number,
///     tenant.id = header("x-tenant-id"),
///     app.locale = cookie("lang").or(header("accept-language")),
///     #[hash] user.id = page.user,
///     ..page,
///     #[ok(orders)] order.count = orders.len(),
///     #[err(e)] order.error_code = e.code(),
/// )]
/// async fn list(page: web::Query<Page>) -> Result<web::Json<Vec<Order>>, ShopError> {
///     Ok(web::Json(load(&page).await?))
/// }
/// ```
#[proc_macro_attribute]
pub fn biz_attrs(args: TokenStream, item: TokenStream) -> TokenStream {
    biztrace_macros_core::biz_attrs(args.into(), item.into()).into()
}

/// Opens a child span around a function or method, sync or async.
///
/// The span ends with the function. If it returns an `Err`, by whatever name its result type is written, the span's status is
/// Error and its `error.type` the type of the error. [`#[biz_attrs]`](macro@biz_attrs) on the same function tags it too.
///
/// The span of a function that returns a future or a stream, as it is or as `Pin<Box<dyn …>>`, ends with what it returns; an
/// item that is an `Err` makes a stream's span an error, and a stream that is dropped before its end is `cancelled`. The methods of `async_trait` are traced like any `async fn`. What the
/// return type does not spell out (an alias, a type parameter, a type of your own that is a future, a stream that an `async fn`
/// returns) is a value like others: the span ends when the function does.
///
/// | option | meaning | if left out |
/// |---|---|---|
/// | `name = "…"` | The span's name. | the function's |
/// | `kind = "…"` | `"internal"`, `"server"`, `"client"`, `"producer"` or `"consumer"`. | `"internal"` |
/// | `attrs(key = expression, …)` | Attributes, as in `#[biz_attrs]`, but in any namespace. | none |
/// | `err` | Records an error's message too, with those of its sources, as an event `exception`. | its type only |
/// | `ok_if = \|result\| condition` | An `Err` of which this says so is no error. | every `Err` is one |
/// | `err_if = \|result\| condition` | A result of which this says so is an error. | only an `Err` is one |
/// | `parent = none` | The span starts a trace of its own. | a child of the current span |
/// | `links = expression` | The spans that it is linked to: anything that yields `SpanContext`s, or references to them. | none |
/// | `crate = path` | Where the crate `biztrace` is found, if it was renamed or is re-exported. | `::biztrace` |
///
/// An actix-web handler takes [`#[traced_handler]`](macro@traced_handler) instead; the two on one function are an error. So is
/// a function that is `const`, variadic, or of a foreign ABI, and one that returns a future within another type.
///
/// # Example
///
/// ```ignore (needs the crate biztrace, which depends on this one)
/// use biztrace::traced;
///
/// #[traced(kind = "client", attrs(db.system.name = "postgresql", db.query.text = RESERVE))]
/// async fn reserve_stock(order_id: u64) -> Result<Stock, DbError> {
///     query(RESERVE).bind(order_id).await
/// }
/// ```
#[proc_macro_attribute]
pub fn traced(args: TokenStream, item: TokenStream) -> TokenStream {
    biztrace_macros_core::traced(args.into(), item.into()).into()
}

/// Declares the attributes of a struct once, for `..value` in any handler.
///
/// Only fields marked `#[biz]` are recorded. A field's key is the type's prefix and the field's name.
///
/// | on the struct | meaning |
/// |---|---|
/// | `prefix = "order"` | What the keys begin with. |
/// | `crate = path` | Where the crate `biztrace` is found, if it was renamed or is re-exported. |
///
/// | on a field | meaning |
/// |---|---|
/// | `key = "user.id"` | The whole key, without the prefix. |
/// | `rename = "total"` | What follows the prefix, in place of the field's name. |
/// | `nested` | The attributes of the field's own type, which derives `BizAttrs` too, by its keys and without this struct's prefix; with `prefix = "…"` before all of them, those of `key` included. Not for a list. |
/// | `skip` | Not recorded, as if it were unmarked. |
/// | `hash`, `mask(4)`, `pii`, `inherit`, `baggage`, `display`, `debug`, `max_len(64)`, `when(condition)` | As before an entry of [`#[biz_attrs]`](macro@biz_attrs); the condition has `self`. |
///
/// # Example
///
/// ```ignore (needs the crate biztrace, which depends on this one)
/// #[derive(biztrace::BizAttrs)]
/// #[biz(prefix = "order")]
/// struct CreateOrder {
///     #[biz]
///     amount: f64, // order.amount
///     #[biz(key = "user.id", hash)]
///     user: u64,
///     card: String, // never recorded
/// }
/// ```
#[proc_macro_derive(BizAttrs, attributes(biz))]
pub fn derive_biz_attrs(item: TokenStream) -> TokenStream {
    biztrace_macros_core::derive_biz_attrs(item.into()).into()
}

/// Makes an enum without fields a bounded set of string values: its variants' names, in snake case.
///
/// `#[biz(rename_all = "…")]` on the enum picks another style (`snake_case`, `kebab-case`, `lowercase`, `UPPERCASE`,
/// `SCREAMING_SNAKE_CASE`, `PascalCase`), `#[biz(rename = "…")]` on a variant another value.
///
/// # Example
///
/// ```ignore (needs the crate biztrace, which depends on this one)
/// #[derive(biztrace::BizValue)]
/// enum PaymentMethod {
///     Card, // "card"
///     BankTransfer, // "bank_transfer"
/// }
/// ```
#[proc_macro_derive(BizValue, attributes(biz))]
pub fn derive_biz_value(item: TokenStream) -> TokenStream {
    biztrace_macros_core::derive_biz_value(item.into()).into()
}

/// What `biztrace::tag!` expands to: the path of the crate in brackets, then the entries.
#[proc_macro]
pub fn tag(input: TokenStream) -> TokenStream {
    biztrace_macros_core::tag(input.into()).into()
}
