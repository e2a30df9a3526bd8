//! Mistakes in what the derives stand on, and in `tag!`.

use super::Case;

pub(crate) const DERIVES: &[Case] = &[
    (
        "BizAttrs",
        "struct Order { #[biz(nested, prefix = \"http\")] a: Address }",
        &[(
            "\"http\"",
            "the namespace `http` is reserved for the middleware",
        )],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(nested, prefix = \"a b\")] a: Address }",
        &[("\"a b\"", "`a b` can't be part of a key")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(nested, prefix = \"a.\")] a: Address }",
        &[("\"a.\"", "a prefix has no dot at its end: write `\"a\"`")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(when(self.paid?))] id: u64 }",
        &[("self.paid?", "`?` can't stand in a condition")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(when(header(\"x\").is_some()))] id: u64 }",
        &[(
            "header",
            "`header(…)` reads a request, and a struct has none",
        )],
    ),
    (
        "tag",
        "order.id = find(id).await",
        &[("find(id).await", "compute it in a `let` before `tag!`")],
    ),
    (
        "tag",
        "order.id = if id > 3 { break } else { id }",
        &[("break", "`break` can't stand in a value")],
    ),
    (
        "BizAttrs",
        "enum Order { A }",
        &[(
            "Order",
            "`BizAttrs` is derived for structs: derive `BizValue` for an enum without fields",
        )],
    ),
    (
        "BizAttrs",
        "struct Order { id: u64 }",
        &[("Order", "no field is marked `#[biz]`")],
    ),
    (
        "BizAttrs",
        "struct Order;",
        &[("Order", "no field is marked `#[biz]`")],
    ),
    (
        "BizAttrs",
        "#[biz(prefix = \"order.\")] struct Order { #[biz] id: u64, #[biz] no: u64 }",
        &[(
            "\"order.\"",
            "a prefix has no dot at its end: write `\"order\"`",
        )],
    ),
    (
        "BizAttrs",
        "#[biz(prefix)] struct Order { #[biz] id: u64 }",
        &[("prefix", "`prefix` is written `prefix = \"…\"`")],
    ),
    (
        "BizAttrs",
        "#[biz(prefx = \"a\")] struct Order { #[biz] id: u64 }",
        &[(
            "prefx",
            "`#[biz]` on a struct has no option `prefx`; did you mean `prefix`?",
        )],
    ),
    (
        "BizAttrs",
        "#[biz(prefix = \"Order\")] struct Order { #[biz] id: u64 }",
        &[("\"Order\"", "keys are lower case: write `order`")],
    ),
    (
        "BizAttrs",
        "#[biz(prefix = \"http\")] struct Order { #[biz] id: u64 }",
        &[(
            "\"http\"",
            "the namespace `http` is reserved for the middleware",
        )],
    ),
    (
        "BizAttrs",
        "#[biz = \"order\"] struct Order { #[biz] id: u64 }",
        &[(
            "biz = \"order\"",
            "`#[biz]` takes its options in parentheses",
        )],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(name = \"x\")] id: u64 }",
        &[("name", "`#[biz]` on a field has no option `name`")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(hsah)] id: u64 }",
        &[(
            "hsah",
            "`#[biz]` on a field has no option `hsah`; did you mean `hash`?",
        )],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(key = 3)] id: u64 }",
        &[("key = 3", "`key` is written `key = \"…\"`")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(key = \"a\", key = \"b\")] id: u64 }",
        &[("key", "`key` is set twice")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(key = \"a\", rename = \"b\")] id: u64 }",
        &[(
            "rename",
            "`key` is the whole key and `rename` the part after the prefix",
        )],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(key = \"order..id\")] id: u64 }",
        &[("\"order..id\"", "a key has a name on each side of a dot")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz] Id: u64 }",
        &[("Id", "keys are lower case: write `id`")],
    ),
    (
        "BizAttrs",
        "struct Order(#[biz] u64);",
        &[(
            "u64",
            "a field without a name needs a key: `#[biz(key = \"order.id\")]`",
        )],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(hash, mask(4))] id: u64 }",
        &[(
            "mask",
            "`hash` and `mask` both say how the value is protected",
        )],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(mask)] id: u64 }",
        &[("mask", "`mask` is written `mask(4)`")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(metric)] id: u64 }",
        &[("metric", "`metric` is not supported yet")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(ok(x))] id: u64 }",
        &[("ok", "`ok` needs a function result; a field has none")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(skip, hash)] id: u64, #[biz] no: u64 }",
        &[("hash", "`skip` that it is not: keep one of the two")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(nested, hash)] user: User }",
        &[(
            "hash",
            "`nested` takes over every attribute of the field's type",
        )],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(nested, key = \"a\")] user: User }",
        &[("key", "`key` applies to one attribute")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(prefix = \"a\")] user: User }",
        &[("prefix", "a field has a `prefix` only if it is `nested`")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(nested(x))] user: User }",
        &[("nested(x)", "`nested` takes no value: write `nested`")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz] id: u64, #[biz(rename = \"id\")] no: u64 }",
        &[("\"id\"", "`id` is the key of two fields")],
    ),
    (
        "BizAttrs",
        "struct Order { #[biz(,)] id: u64 }",
        &[(
            ",",
            "expected an option of `#[biz]` on a field: `key = \"…\"`",
        )],
    ),
    (
        "BizValue",
        "struct Method;",
        &[("Method", "`BizValue` is derived for enums")],
    ),
    (
        "BizValue",
        "enum Method {}",
        &[("Method", "an enum without variants has no values")],
    ),
    (
        "BizValue",
        "enum Method { Card, Other(String) }",
        &[(
            "(String)",
            "`Other` has fields, but a `BizValue` is one of a fixed set of strings",
        )],
    ),
    (
        "BizValue",
        "#[biz(rename_all = \"Snake\")] enum Method { Card }",
        &[(
            "\"Snake\"",
            "unknown naming style: expected one of `\"snake_case\"`",
        )],
    ),
    (
        "BizValue",
        "enum Method { Card, #[biz(rename = \"card\")] CreditCard }",
        &[("\"card\"", "`\"card\"` is the value of two variants")],
    ),
    (
        "BizValue",
        "enum Method { #[biz(hash)] Card }",
        &[("hash", "`#[biz]` on a variant has no option `hash`")],
    ),
];

pub(crate) const TAGS: &[Case] = &[
    (
        "tag",
        "a.b = 1, #[baggage] tenant.id = tenant",
        &[(
            "baggage",
            "`baggage` needs a whole body, and `tag!` is within one",
        )],
    ),
    (
        "tag",
        "order.stage = stage.",
        &[(
            ".",
            "the value of `order.stage` is not a complete expression",
        )],
    ),
    (
        "tag",
        "order.stage",
        &[("order.stage", "`order.stage` has no value")],
    ),
    (
        "tag",
        "http.route = \"/x\"",
        &[(
            "http.route",
            "the namespace `http` is reserved for the middleware",
        )],
    ),
    (
        "tag",
        "#[ok(x)] order.id = x",
        &[("ok", "`ok` needs a function result; `tag!` has none")],
    ),
    (
        "tag",
        "order.id = find(id)?",
        &[(
            "find(id)?",
            "`?` can't stand in a value, which is evaluated only if a span is recorded: compute it in a `let` before `tag!`",
        )],
    ),
    (
        "tag",
        "tenant.id = header(TENANT)",
        &[(
            "TENANT",
            "`header(…)` reads the request and takes a string literal",
        )],
    ),
    (
        "tag",
        "order.id = #[] id",
        &[("#[]", "options stand before the key: write")],
    ),
    (
        "tag",
        "order.id = load().await",
        &[("load().await", "`.await` can't stand in a value")],
    ),
    (
        "tag",
        "order.id = 1, order.id = 2",
        &[("order.id", "`order.id` is set twice")],
    ),
];
