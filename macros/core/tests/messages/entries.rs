//! Mistakes in entries: their form and their keys.

use super::{CREATE, Case};

/// `TOTAL` has locals, and names them in its entries.
const TOTAL: &str = "async fn f(id: u64) -> u64 { let rate = 2; if let Some((ref total, Tax { of: _, tax })) = sum(id) {} rate }";

pub(crate) const ENTRIES: &[Case] = &[
    (
        "#[biz_attrs(order.id = %id, order.no = 1)]",
        CREATE,
        &[(
            "%",
            "`%` formats a value in `tracing`, and an entry has an option for it: write `#[display] order.id = expression`",
        )],
    ),
    (
        "#[traced(attrs(order.id = ?id, ?order, %order.no))]",
        CREATE,
        &[
            ("?", "write `#[debug] order.id = expression`"),
            ("?", "write `#[debug] order = expression`"),
            ("%", "write `#[display] order.no = expression`"),
        ],
    ),
    (
        "#[biz_attrs(#[mask(4)] order.id = %id)]",
        CREATE,
        &[("%", "write `#[display] order.id = expression`")],
    ),
    (
        "#[biz_attrs(order.total = total, a.b = 1 + rate, #[when(rate > 2)] a.c = id)]",
        TOTAL,
        &[
            (
                "total",
                "`total` is a local of the body, which has not begun when this is evaluated: set this in the body, below \
                 its `let`, with `tag!(order.total = …)`",
            ),
            ("rate", "with `tag!(a.b = …)`"),
            ("rate", "with `tag!(a.c = …)`"),
        ],
    ),
    (
        "#[biz_attrs(..tax, a.b = f(&rate), a.c = total.sum(id))]",
        TOTAL,
        &[
            ("tax", "with `tag!(..…)`"),
            ("rate", "is a local of the body"),
            ("total", "is a local of the body"),
        ],
    ),
    (
        "#[biz_attrs(#[ret(id)] a.b = id + rate)]",
        TOTAL,
        &[(
            "rate",
            "`rate` is a local of the body, which has ended when this is evaluated: set this in the body",
        )],
    ),
    (
        "#[biz_attrs(a.b = format!(\"{}{}\", id, total), a.c = format!(\"{rate}\", rate = id), a.d = vec![rate])]",
        TOTAL,
        &[("total", "with `tag!(a.b = …)`")],
    ),
    // They may be functions, or the entry's own names.
    (
        "#[biz_attrs(a.b = rate(id), a.c = id.map(rate), a.d = id.map(|rate| rate + 1), a.e = of, a.f = id)]",
        TOTAL,
        &[],
    ),
    ("#[biz_attrs(#[ret(rate)] a.b = rate)]", TOTAL, &[]),
    (
        "#[biz_attrs(order.left = stock().await + 1)]",
        CREATE,
        &[(
            "stock().await",
            "`.await` can't stand in a value, which is evaluated before the body runs",
        )],
    ),
    (
        "#[biz_attrs(order.no = 1, order.id = id.)]",
        CREATE,
        &[(
            ".",
            "the value of `order.id` is not a complete expression: expected identifier",
        )],
    ),
    (
        "#[biz_attrs(order.no = 1, order.)]",
        CREATE,
        &[(".", "expected a key: names joined by dots")],
    ),
    (
        "#[biz_attrs(order.id = f(id +) + id)]",
        CREATE,
        &[(")", "the value of `order.id` is not a complete expression")],
    ),
    (
        "#[biz_attrs(order.id = match (id))]",
        CREATE,
        &[(")", "the value of `order.id` is not a complete expression")],
    ),
    (
        "#[biz_attrs(..id.)]",
        CREATE,
        &[(".", "the value of `..` is not a complete expression")],
    ),
    (
        "#[biz_attrs(#[hash])]",
        CREATE,
        &[("]", "expected a key: names joined by dots")],
    ),
    (
        "#[traced(attrs(order.id = id.))]",
        CREATE,
        &[(".", "the value of `order.id` is not a complete expression")],
    ),
    (
        "#[biz_attrs(order.id := id)]",
        CREATE,
        &[(":", "found `:`: write `order.id = expression`")],
    ),
    (
        "#[biz_attrs(order.id:)]",
        CREATE,
        &[("order.id:", "`order.id` has no value")],
    ),
    (
        "#[biz_attrs(order.id = parse(id?))]",
        CREATE,
        &[("id?", "`?` can't stand in a value")],
    ),
    (
        "#[biz_attrs(order.id = { return })]",
        CREATE,
        &[("return", "`return` can't stand in a value")],
    ),
    (
        "#[biz_attrs(order.id)]",
        CREATE,
        &[(
            "order.id",
            "`order.id` has no value: write `order.id = expression`",
        )],
    ),
    (
        "#[biz_attrs(order.id id)]",
        CREATE,
        &[(
            "order.id",
            "`order.id` has no value: write `order.id = expression`",
        )],
    ),
    (
        "#[biz_attrs(order.id =)]",
        CREATE,
        &[(
            "order.id =",
            "`order.id` has no value: write `order.id = expression`",
        )],
    ),
    (
        "#[biz_attrs(order.id = , a.b = id)]",
        CREATE,
        &[("order.id =", "`order.id` has no value")],
    ),
    (
        "#[biz_attrs(order.id: id)]",
        CREATE,
        &[(
            ":",
            "expected `=` between key and value, found `:`: write `order.id = expression`",
        )],
    ),
    (
        "#[biz_attrs(order.id => id)]",
        CREATE,
        &[("=>", "found `=>`: write `order.id = expression`")],
    ),
    (
        "#[biz_attrs(order.id == id)]",
        CREATE,
        &[("==", "found `==`: write `order.id = expression`")],
    ),
    (
        "#[biz_attrs(order::id = id)]",
        CREATE,
        &[("::", "the names of a key are joined by `.`, not `::`")],
    ),
    (
        "#[biz_attrs(order-id = id)]",
        CREATE,
        &[(
            "-",
            "is written as a string literal, such as `\"order-id\"`",
        )],
    ),
    (
        "#[biz_attrs(a.b = id c.d = id)]",
        CREATE,
        &[("c", "put a comma before this: the value of `a.b` ends here")],
    ),
    (
        "#[biz_attrs(a.b = id; c.d = id)]",
        CREATE,
        &[(";", "put a comma before this")],
    ),
    (
        "#[biz_attrs(a.b = id,, c.d = id)]",
        CREATE,
        &[(
            ",",
            "expected a key: names joined by dots, such as `order.id`",
        )],
    ),
    ("#[biz_attrs(3 = id)]", CREATE, &[("3", "expected a key")]),
    (
        "#[biz_attrs(order..id = id)]",
        CREATE,
        &[(".", "expected a key")],
    ),
    (
        "#[biz_attrs(order.2fa = id)]",
        CREATE,
        &[("2fa", "expected a key")],
    ),
    (
        "#[biz_attrs(a.b = *)]",
        CREATE,
        &[("*", "the value of `a.b` is not a complete expression")],
    ),
    (
        "#[biz_attrs(a.b = f(id +), c.d = id)]",
        CREATE,
        &[(")", "the value of `a.b` is not a complete expression")],
    ),
    (
        "#[biz_attrs(a.b = id., c.d = id)]",
        CREATE,
        &[(",", "the value of `a.b` is not a complete expression")],
    ),
    (
        "#[biz_attrs(..)]",
        CREATE,
        &[("..", "`..` has no value: write `..expression`")],
    ),
    (
        "#[biz_attrs(..body id)]",
        CREATE,
        &[("id", "put a comma before this: the value of `..` ends here")],
    ),
    (
        "#[biz_attrs(a = , b: id, c.D = id)]",
        CREATE,
        &[
            ("a =", "no value"),
            (":", "found `:`"),
            ("c.D", "write `c.d`"),
        ],
    ),
];

pub(crate) const KEYS: &[Case] = &[
    (
        "#[biz_attrs(orderId = id)]",
        CREATE,
        &[("orderId", "keys are lower case: write `order_id`")],
    ),
    (
        "#[biz_attrs(order.HTTPRoute = id)]",
        CREATE,
        &[("order.HTTPRoute", "write `order.http_route`")],
    ),
    (
        "#[biz_attrs(ORDER.ID = id)]",
        CREATE,
        &[("ORDER.ID", "write `order.id`")],
    ),
    (
        "#[biz_attrs(order_.id = id)]",
        CREATE,
        &[("order_.id", "`order_` can't be part of a key")],
    ),
    (
        "#[biz_attrs(order.a__b = id)]",
        CREATE,
        &[("order.a__b", "`a__b` can't be part of a key")],
    ),
    (
        "#[biz_attrs(_.id = id)]",
        CREATE,
        &[("_.id", "`_` can't be part of a key")],
    ),
    (
        "#[biz_attrs(ordré = id)]",
        CREATE,
        &[("ordré", "`ordré` can't be part of a key")],
    ),
    (
        "#[biz_attrs(\"order..id\" = id)]",
        CREATE,
        &[("\"order..id\"", "a key has a name on each side of a dot")],
    ),
    (
        "#[biz_attrs(\"order.id-\" = id)]",
        CREATE,
        &[("\"order.id-\"", "`id-` can't be part of a key")],
    ),
    (
        "#[biz_attrs(\"\" = id)]",
        CREATE,
        &[("\"\"", "a key has a name on each side of a dot")],
    ),
    (
        "#[biz_attrs(http.status = id)]",
        CREATE,
        &[(
            "http.status",
            "the namespace `http` is reserved for the middleware: use one of your own",
        )],
    ),
    (
        "#[biz_attrs(\"code.line\" = id)]",
        CREATE,
        &[("\"code.line\"", "the namespace `code`")],
    ),
    (
        "#[traced(attrs(otel.kind = \"client\", otel.name = id, otel.scope.name = id))]",
        CREATE,
        &[
            (
                "otel.kind",
                "`otel.kind` sets a property of the span in `tracing-opentelemetry`, and here it would be a tag: write the \
                 option `kind = \"client\"`",
            ),
            ("otel.name", "write the option `name = \"…\"`"),
        ],
    ),
    (
        "#[traced(attrs(\"otel.status_code\" = id, otel.status_description = id))]",
        CREATE,
        &[
            (
                "\"otel.status_code\"",
                "an `Err`, or the condition of the option `err_if`, makes the status an error. Remove this",
            ),
            ("otel.status_description", "an `Err`, or the condition"),
        ],
    ),
    (
        "#[traced(attrs(otel.kind = ?id))]",
        CREATE,
        &[("?", "write the option `kind = \"client\"`")],
    ),
    (
        "#[biz_attrs(otel.name = id)]",
        CREATE,
        &[("otel.name", "the namespace `otel` is reserved")],
    ),
    (
        "#[biz_attrs(a.b = id, c = id, a.b = 1)]",
        CREATE,
        &[("a.b", "`a.b` is set twice")],
    ),
    (
        "#[biz_attrs(r#type = id, \"type\" = 1)]",
        CREATE,
        &[("\"type\"", "`type` is set twice")],
    ),
    (
        "#[biz_attrs(a.b = 1)] #[biz_attrs(a . b = 2)]",
        CREATE,
        &[("a . b", "`a.b` is set twice: keep one of the two")],
    ),
    (
        "#[traced(attrs(a.b = 1))] #[biz_attrs(a .b = 2)]",
        CREATE,
        &[("a .b", "`a.b` is set twice")],
    ),
    (
        "#[traced(attrs(a.B = 1, c))]",
        CREATE,
        &[("c", "`c` has no value"), ("a.B", "write `a.b`")],
    ),
];
