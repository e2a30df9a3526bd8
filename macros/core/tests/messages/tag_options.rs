//! Mistakes in the options of entries, and in values that can't be evaluated where they stand.

use super::{CREATE, Case};

const PAY: &str =
    "async fn pay(id: u64, order: Order) -> Result<Receipt, PayError> { charge(order).await }";

pub(crate) const TAG_OPTIONS: &[Case] = &[
    (
        "#[biz_attrs(#[] a.b = id)]",
        PAY,
        &[(
            "#[]",
            "expected an option of an entry: `hash`, `mask(4)`, `pii`",
        )],
    ),
    (
        "#[biz_attrs(#[4] a.b = id)]",
        PAY,
        &[("#[4]", "expected an option of an entry: `hash`")],
    ),
    (
        "#[biz_attrs(#[hsah] a.b = id)]",
        PAY,
        &[(
            "hsah",
            "an entry has no option `hsah`; did you mean `hash`?",
        )],
    ),
    (
        "#[biz_attrs(#[sensitive] a.b = id)]",
        PAY,
        &[(
            "sensitive",
            "an entry has no option `sensitive`. It takes `hash`",
        )],
    ),
    (
        "#[biz_attrs(#[ok(r)] #[baggage] tenant.id = r.tenant)]",
        PAY,
        &[(
            "baggage",
            "`baggage` takes effect while the body runs; a result is known only afterwards: remove it",
        )],
    ),
    (
        "#[traced(attrs(#[baggage] #[ret(_)] tenant.id = 1))]",
        PAY,
        &[("baggage", "`baggage` takes effect while the body runs")],
    ),
    (
        "#[biz_attrs(#[baggage] ..order)]",
        PAY,
        &[("baggage", "put it on the type's field, `#[biz(baggage)]`")],
    ),
    (
        "#[biz_attrs(#[baggage] #[baggage] tenant.id = id)]",
        PAY,
        &[("baggage", "`baggage` is set twice: keep one of the two")],
    ),
    (
        "#[biz_attrs(#[baggage] \"tenant id\" = id)]",
        PAY,
        &[("\"tenant id\"", "`tenant id` can't be part of a key")],
    ),
    (
        "#[biz_attrs(tenant.id = baggage(\"tenant id\"))]",
        PAY,
        &[("\"tenant id\"", "`tenant id` is not a valid baggage key")],
    ),
    (
        "#[biz_attrs(tenant.id = baggage(TENANT))]",
        PAY,
        &[(
            "TENANT",
            "takes a string literal, such as `baggage(\"tenant\")`",
        )],
    ),
    (
        "#[biz_attrs(tenant.id = #[hash] id, a.b = id)]",
        PAY,
        &[(
            "#[hash]",
            "options stand before the key: write `#[hash] tenant.id = …`",
        )],
    ),
    (
        "#[traced(attrs(a.b = #[mask(4)] #[inherit] id))] #[biz_attrs(..#[pii] order)]",
        PAY,
        &[
            (
                "#[mask(4)] #[inherit]",
                "write `#[mask(…)] #[inherit] a.b = …`",
            ),
            ("#[pii]", "write `#[pii] ..…`"),
        ],
    ),
    (
        "#[biz_attrs(#[log] tenant.id = id)]",
        PAY,
        &[("log", "`log` is not supported yet")],
    ),
    (
        "#[biz_attrs(#[metric] tenant.id = id)]",
        PAY,
        &[("metric", "`metric` is not supported yet")],
    ),
    (
        "#[biz_attrs(#[hash, inherit] a.b = id)]",
        PAY,
        &[(
            ",",
            "each option needs brackets of its own, as in `#[hash] #[inherit] order.id = id`",
        )],
    ),
    (
        "#[biz_attrs(#[ok(r), display] a.b = r)]",
        PAY,
        &[(",", "each option needs brackets of its own")],
    ),
    (
        "#[biz_attrs(#[hash, hsah] a.b = id)]",
        PAY,
        &[
            (",", "brackets of its own"),
            ("hsah", "did you mean `hash`?"),
        ],
    ),
    (
        "#[biz_attrs(tenant.id = header(TENANT).or(id))]",
        CREATE,
        &[(
            "TENANT",
            "`header(…)` reads the request and takes a string literal, such as `header(\"tenant\")`. To call a function of your own, write `(header)(…)`",
        )],
    ),
    (
        "#[biz_attrs(tenant.id = cookie(&names::TENANT))]",
        CREATE,
        &[(
            "&names::TENANT",
            "`cookie(…)` reads the request and takes a string literal",
        )],
    ),
    (
        "#[biz_attrs(order.page = id, #[when(query('p').is_some())] order.id = id)]",
        CREATE,
        &[(
            "'p'",
            "`query(…)` reads the request and takes a string literal",
        )],
    ),
    (
        "#[biz_attrs(tenant.id = header(\"x tenant\"))]",
        CREATE,
        &[(
            "\"x tenant\"",
            "`x tenant` is not a valid header name: use letters, digits and `-`",
        )],
    ),
    (
        "#[biz_attrs(tenant.id = header(\"\"))]",
        CREATE,
        &[("\"\"", "is not a valid header name")],
    ),
    (
        "#[biz_attrs(order.id = query(SQL))]",
        "fn f(query: fn(&str) -> u64) {}",
        &[],
    ),
    (
        "#[biz_attrs(a.b = header(id), a.c = self::query(SQL), a.d = id.header(X), a.e = cookie(\"x y\"), a.f = header(\"X-Id\"))]",
        CREATE,
        &[],
    ),
    ("#[biz_attrs(order.id = loop { break id })]", CREATE, &[]),
    (
        "#[biz_attrs(order.id = { continue })]",
        CREATE,
        &[("continue", "`continue` can't stand in a value")],
    ),
    (
        "#[biz_attrs(#[hash(4)] a.b = id)]",
        PAY,
        &[("hash(4)", "`hash` takes no value: write `hash`")],
    ),
    (
        "#[biz_attrs(#[hash = key] a.b = id)]",
        PAY,
        &[("hash = key", "`hash` takes no value: write `hash`")],
    ),
    (
        "#[biz_attrs(#[mask] a.b = id)]",
        PAY,
        &[("mask", "`mask` is written `mask(4)`")],
    ),
    (
        "#[biz_attrs(#[mask(id)] a.b = id)]",
        PAY,
        &[("mask(id)", "`mask` is written `mask(4)`")],
    ),
    (
        "#[biz_attrs(#[mask(4, 2)] a.b = id)]",
        PAY,
        &[("mask(4, 2)", "`mask` is written `mask(4)`")],
    ),
    (
        "#[biz_attrs(#[mask(4u8)] a.b = id)]",
        PAY,
        &[("4u8", "`mask` takes a number of characters, 0 or more")],
    ),
    (
        "#[biz_attrs(#[max_len(0)] a.b = id)]",
        PAY,
        &[(
            "0",
            "`max_len` takes a number of characters, 1 or more, such as `max_len(4)`",
        )],
    ),
    (
        "#[biz_attrs(#[max_len(99999999999)] a.b = id)]",
        PAY,
        &[("99999999999", "`max_len` takes a number of characters")],
    ),
    (
        "#[biz_attrs(#[when] a.b = id)]",
        PAY,
        &[("when", "`when` is written `when(condition)`")],
    ),
    (
        "#[biz_attrs(#[when(id >)] a.b = id)]",
        PAY,
        &[("when(id >)", "`when` is written `when(condition)`")],
    ),
    (
        "#[biz_attrs(#[ok] a.b = id)]",
        PAY,
        &[("ok", "`ok` is written `ok(pattern)`")],
    ),
    (
        "#[biz_attrs(#[ok(a b)] a.b = a)]",
        PAY,
        &[("ok(a b)", "`ok` is written `ok(pattern)`")],
    ),
    (
        "#[biz_attrs(#[hash] #[mask(4)] a.b = id)]",
        PAY,
        &[(
            "mask",
            "`hash` and `mask` both say how the value is protected: keep one of the two",
        )],
    ),
    (
        "#[biz_attrs(#[pii] #[hash] a.b = id)]",
        PAY,
        &[(
            "hash",
            "`pii` and `hash` both say how the value is protected",
        )],
    ),
    (
        "#[biz_attrs(#[display] #[debug] a.b = id)]",
        PAY,
        &[(
            "debug",
            "`display` and `debug` both say how the value is formatted",
        )],
    ),
    (
        "#[biz_attrs(#[ok(a)] #[err(b)] a.b = 1)]",
        PAY,
        &[(
            "err",
            "`ok` and `err` both say which result the value is evaluated on",
        )],
    ),
    (
        "#[biz_attrs(#[hash] #[hash] a.b = id)]",
        PAY,
        &[("hash", "`hash` is set twice: keep one of the two")],
    ),
    (
        "#[biz_attrs(#[when(a)] #[when(b)] a.b = id)]",
        PAY,
        &[("when", "`when` is set twice: join the conditions with `&&`")],
    ),
    (
        "#[biz_attrs(#[hash] ..order)]",
        PAY,
        &[(
            "hash",
            "`..` sets every attribute that a type declares: put it on the type's field, `#[biz(hash)]`",
        )],
    ),
    (
        "#[biz_attrs(#[inherit] ..order)]",
        PAY,
        &[("inherit", "`inherit` applies to one attribute")],
    ),
    (
        "#[biz_attrs(#[ok(receipt)] a.b = order.id)]",
        PAY,
        &[(
            "order",
            "`order` has moved into the body, which has run by now: only the names that the pattern binds are left",
        )],
    ),
    (
        "#[biz_attrs(#[ok(r)] a.b = format!(\"{}{}\", r, id), #[ok(r)] a.c = format!(\"{id}\", id = r))]",
        PAY,
        &[("id", "`id` has moved into the body")],
    ),
    (
        "#[biz_attrs(#[err(e)] #[when(id > 3)] a.b = e.code())]",
        PAY,
        &[("id", "`id` has moved into the body")],
    ),
    (
        "#[biz_attrs(#[ret(r)] a.b = self.name)]",
        "fn f(&self) -> u8 { 3 }",
        &[("self", "`self` has moved into the body")],
    ),
    (
        "#[biz_attrs(#[ok(r)] a.b = header(\"x\"))]",
        PAY,
        &[(
            "header",
            "`header(…)` reads the request before the body runs",
        )],
    ),
    (
        "#[biz_attrs(#[ok(r)] a.b = r.load().await)]",
        PAY,
        &[(
            "r.load().await",
            "`.await` can't stand in a value, which is evaluated once the body has run",
        )],
    ),
    (
        "#[biz_attrs(#[when(ready().await)] a.b = id)]",
        PAY,
        &[(
            "ready().await",
            "`.await` can't stand in a value, which is evaluated before the body runs",
        )],
    ),
    (
        "#[biz_attrs(#[ok(a)] a.b = a.id, #[ok(b)] a.b = b.id)]",
        PAY,
        &[("a.b", "`a.b` is set twice")],
    ),
    (
        "#[biz_attrs(#[ret(r)] a.b = 1)]",
        "async fn f() -> ! { loop {} }",
        &[("ret", "this function never returns: remove this")],
    ),
    (
        "#[traced] #[biz_attrs(#[ret(r)] a.b = 1)]",
        "fn f() -> impl Stream<Item = u8> { stream() }",
        &[("ret", "a stream has many items instead of one result")],
    ),
];
