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
///
/// They read the function's `HttpRequest` argument if it has one, else what the middleware kept of the request. The name is a
/// string literal; a header that is not UTF-8 counts as absent.
///
/// A handler's tags are evaluated once its extractors have succeeded: a request that they reject has none. What the body
/// computes is set there, through OpenTelemetry: `Context::current().span().set_attribute(…)`.
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
/// )]
/// async fn list(page: web::Query<Page>) -> web::Json<Vec<Order>> {
///     web::Json(load(&page).await)
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
/// | option | meaning | if left out |
/// |---|---|---|
/// | `name = "…"` | The span's name. | the function's |
/// | `kind = "…"` | `"internal"`, `"server"`, `"client"`, `"producer"` or `"consumer"`. | `"internal"` |
/// | `attrs(key = expression, …)` | Attributes, as in `#[biz_attrs]`, but in any namespace. | none |
/// | `crate = path` | Where the crate `biztrace` is found, if it was renamed or is re-exported. | `::biztrace` |
///
/// An actix-web handler takes [`#[traced_handler]`](macro@traced_handler) instead; the two on one function are an error. So is
/// a function that is `const`, variadic, or of a foreign ABI, and one that returns a future without being an `async fn`, as
/// `async_trait` makes of methods: put the attribute on an `async fn` that it calls.
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
/// | `nested` | The attributes of the field's own type, which derives `BizAttrs` too; with `prefix = "…"` before their keys. |
/// | `skip` | Not recorded, as if it were unmarked. |
/// | `hash`, `mask(4)`, `pii`, `inherit`, `display`, `debug`, `max_len(64)`, `when(condition)` | As before an entry of [`#[biz_attrs]`](macro@biz_attrs); the condition has `self`. |
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
