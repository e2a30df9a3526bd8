//! The attribute macros of biztrace: entry points and their documentation.
//!
//! Use them through the crate `biztrace`, which re-exports them. The work is done in `biztrace-macros-core`.

#![forbid(unsafe_code)]

use proc_macro::TokenStream;

/// Traces an actix-web handler: gives the request's span the handler's name and its tags.
///
/// The middleware `RequestTracing` started that span for this request. The entries of [`#[biz_attrs]`](macro@biz_attrs) on the
/// handler become its attributes. Its status follows the response: a 5xx is an error, a 4xx is not. Only the body is wrapped: the
/// signature does not change, and the handler remains an ordinary function.
///
/// It goes on an `async fn`, above or below the route attribute.
///
/// | option | meaning |
/// |---|---|
/// | `child` | Opens an INTERNAL child span for the handler, and leaves the request's span alone. |
/// | `err` | Records the message of an error and of its sources, as an event `exception`. The messages of a 4xx are not recorded, since the client made the error. |
/// | `crate = path` | Where the crate `biztrace` is found, if it was renamed or is re-exported. |
///
/// A request that panics or is cancelled has no response that names its route. The middleware finds the route by the request's path
/// then.
///
/// actix-web's route attributes turn the function into a struct. For a handler that a test calls directly, use `web::get().to(…)`
/// instead of a route attribute.
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
/// span; alone, on the current span. Several `#[biz_attrs]` on one function are joined.
///
/// **Keys** are names joined by dots. By OpenTelemetry's rules, a name has lower-case letters, digits and single `_`, and starts
/// with a letter. It may be a keyword (`order.type`). In a string literal it may also contain `-` (`"order-id"`). The namespaces
/// `otel`, `http`, `url`, `network`, `server`, `client` and `code` are reserved for the middleware. A key longer than 255 bytes, or
/// set twice, is an error.
///
/// **Values** are expressions over the function's arguments. They are evaluated by reference, before the body runs, and only if
/// the span is recorded. Integers, floats, `bool`, strings and arrays of them keep their type. `None` sets nothing.
///
/// | in a value | reads |
/// |---|---|
/// | `header("name")` | the request's header, an `Option<&str>` |
/// | `query("name")` | the parameter of the request's query string, decoded, an `Option<Cow<str>>` |
/// | `cookie("name")` | the request's cookie, not decoded, an `Option<&str>` |
/// | `baggage("key")` | the trace's baggage, from a trusted caller or from a parent span, an `Option<String>` |
///
/// They read the function's `HttpRequest` argument if it has one, otherwise the middleware's copy of the request's head. `baggage`
/// reads the current OpenTelemetry context. The name is a string literal. A header that is not UTF-8 counts as absent.
///
/// A handler's tags are evaluated after its extractors have succeeded: a request that they reject has none of them. To tag a value
/// that the body computes, use `biztrace::tag!` there.
///
/// **Options** stand before an entry, one or several. The value is formatted first, then masked, then cut, then hashed, whatever
/// their order.
///
/// | option | meaning |
/// |---|---|
/// | `#[hash]` | The value's keyed HMAC-SHA-256, in hex. The key is `TelemetryBuilder::hash_key`'s or `BIZTRACE_HASH_KEY`'s; without one the value is dropped. |
/// | `#[mask(n)]` | All but the last `n` characters become `*`. A text that is not longer is hidden whole. |
/// | `#[pii]` | Kept, hashed or dropped, as `TelemetryBuilder::pii` or `BIZTRACE_PII` says. Without either, dropped. |
/// | `#[inherit]` | Also on every span below this one that starts later, in this process. |
/// | `#[baggage]` | Also sent to the services that the body calls: while the body runs, the OpenTelemetry context's baggage has the value's text. |
/// | `#[when(condition)]` | Only if the condition holds; the value is not evaluated otherwise. |
/// | `#[ok(pattern)]`, `#[err(pattern)]` | Evaluated on the result, if it is `Ok` or `Some` (for `ok`), `Err` or `None` (for `err`), and matches the pattern. |
/// | `#[ret(pattern)]` | Evaluated on the result, if it matches the pattern. |
/// | `#[display]`, `#[debug]` | The value's text by `Display` or `Debug`, for a type without an attribute form. With `#[display]`, `None` sets nothing. |
/// | `#[max_len(n)]` | Cuts text to `n` characters, also masked text. A number is not cut, neither before it is hashed. |
///
/// An entry on the result can use the names that its pattern binds, but no arguments: they have moved into the body. The result may
/// have any type, also `impl Responder`. `?` and early returns count as results.
///
/// **A protected value is hidden in the URL of its request, too**: the parameter that `query("…")` reads and all values of a `web::Query`
/// argument are `REDACTED` in `url.query`, and with a `web::Path` argument `url.path` is the route. Arguments are known by the names of
/// their types.
///
/// **Baggage** is sent to every service that is called through a client that injects the OpenTelemetry context with the propagator
/// `baggage`. A value that is hashed, masked or cut is sent in that form. A withheld value is not sent, and removes an earlier value
/// of its key. Text, numbers and bools are sent; lists are not. W3C's limits are 64 entries and 8192 bytes. `#[baggage]` is for
/// entries that are evaluated before the body: not on a result, and not in `tag!`. In a trace that is not recorded, no value is
/// evaluated, so nothing is added.
///
/// **Spreads**: `..value` sets every attribute that the value's type declares by [`#[derive(BizAttrs)]`](derive@BizAttrs).
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
/// The span ends with the function. If the function returns an `Err`, also behind a type alias, the span's status is Error and its
/// `error.type` is the type of the error. [`#[biz_attrs]`](macro@biz_attrs) on the same function tags this span.
///
/// If the function returns a future or a stream, directly or as `Pin<Box<dyn …>>`, the span ends when that future or stream ends. A
/// stream's span is an error if one of its items is an `Err`, and `cancelled` if the stream is dropped before its end. The methods of
/// `async_trait` are traced like any `async fn`.
///
/// The return type has to name the future or stream. Otherwise (an alias, a type parameter, your own future type, a stream that an
/// `async fn` returns) the span ends when the function returns.
///
/// | option | meaning | if left out |
/// |---|---|---|
/// | `name = "…"` | The span's name. | the function's; with `db`, the query's summary or else the system |
/// | `kind = "…"` | `"internal"`, `"server"`, `"client"`, `"producer"` or `"consumer"`. | `"internal"`; with `db`, `"client"` |
/// | `db = "…"` | The function asks a database of this system: `"postgresql"`, `"mysql"`, `"sqlite"` or another of the [conventions' names]. Sets `db.system.name`. | no database |
/// | `query = SQL` | The constant text that it asks with. Sets `db.query.text`, `db.query.summary`, such as `SELECT orders`, and the span's name: the summary. Needs `db`. | no text and no summary |
/// | `attrs(key = expression, …)` | Attributes, as in `#[biz_attrs]`, but in any namespace. | none |
/// | `err` | Records the message of an error and of its sources, as an event `exception`. | its type only |
/// | `ok_if = \|result\| condition` | An `Err` that meets the condition is not an error. | every `Err` is an error |
/// | `err_if = \|result\| condition` | A result that meets the condition is an error. | only an `Err` is an error |
/// | `parent = none` | The span starts a new trace. | a child of the current span |
/// | `links = expression` | The linked spans: an iterable of `SpanContext`s, or of references to them. | none |
/// | `crate = path` | Where the crate `biztrace` is found, if it was renamed or is re-exported. | `::biztrace` |
///
/// Use [`#[traced_handler]`](macro@traced_handler) for an actix-web handler; both attributes on one function are an error. A
/// function that is `const`, variadic or of a foreign ABI, or that returns a future within another type, is an error, too.
///
/// [conventions' names]: https://opentelemetry.io/docs/specs/semconv/db/database-spans/#notes-and-well-known-identifiers-for-dbsystemname
///
/// # Example
///
/// ```ignore (needs the crate biztrace, which depends on this one)
/// use biztrace::traced;
///
/// #[traced(db = "postgresql", query = RESERVE, attrs(order.id = order_id))]
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
/// | `prefix = "order"` | The first part of each key. |
/// | `crate = path` | Where the crate `biztrace` is found, if it was renamed or is re-exported. |
///
/// | on a field | meaning |
/// |---|---|
/// | `key = "user.id"` | The whole key, without the prefix. |
/// | `rename = "total"` | The part of the key after the prefix, instead of the field's name. |
/// | `nested` | Records the attributes of the field's type, which derives `BizAttrs`, by the keys of that type, without this struct's prefix. `nested, prefix = "…"` puts a prefix before all of these keys. Not for a list. |
/// | `skip` | Not recorded, like an unmarked field. |
/// | `hash`, `mask(4)`, `pii`, `inherit`, `baggage`, `display`, `debug`, `max_len(64)`, `when(condition)` | The same as before an entry of [`#[biz_attrs]`](macro@biz_attrs). The condition can use `self`. |
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

/// Makes an enum without fields a bounded set of string values: its variants' names in snake case.
///
/// `#[biz(rename_all = "…")]` on the enum selects another style (`snake_case`, `kebab-case`, `lowercase`, `UPPERCASE`,
/// `SCREAMING_SNAKE_CASE`, `PascalCase`), `#[biz(rename = "…")]` on a variant sets another value.
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

/// The implementation of `biztrace::tag!`: takes the path of the crate in brackets, then the entries.
#[proc_macro]
pub fn tag(input: TokenStream) -> TokenStream {
    biztrace_macros_core::tag(input.into()).into()
}
