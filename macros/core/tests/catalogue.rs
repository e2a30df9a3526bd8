//! What is told of a tag without expanding it.

use biztrace_macros_core::catalogue::{DeclaredTag, Types, function, tag};
use proc_macro2::TokenStream;

const SOURCE: &str = "
    const SQL: &str = \"SELECT 1\";
    const LIMIT: u32 = 3;
    mod other { const LIMIT: f64 = 3.0; pub const RATE: f64 = 0.5; struct String; }
    use other::RATE as SHARE;
    #[cfg(unix)] const EITHER: u8 = 1;
    #[cfg(windows)] const EITHER: f32 = 1.0;
    #[biz(prefix = \"order\")] struct Order {
        #[biz] amount: f64, #[biz(hash)] user: Option<u64>, #[biz(nested, prefix = \"to\")] address: Box<Address>, lines: Vec<Line>,
    }
    struct Address { #[biz] country: String, #[biz(nested)] next: Option<Box<Address>> }
    struct Line { sku: Cow<'static, str>, id: Id }
    struct Id(u64);
    #[cfg(unix)] struct Twice { same: u8, other: u8 }
    #[cfg(windows)] struct Twice { same: u8, other: String }
    #[cfg_attr(all(), derive(Debug, biztrace::BizValue))] enum Method { Card }
    #[derive(Debug)] enum Plain { Card }
";

const ARGUMENTS: &str = "
    id: web::Path<u64>, body: web::Json<Order>, line: &mut Line, tags: Vec<Option<String>>, text: &'static str, twice: Twice,
    method: Method, plain: Plain, web::Path((shop, name)): web::Path<(u32, String)>, (left, right): (bool, [f32; 2]), generic: T,
    data: web::Data<Arc<Order>>, matrix: Vec<Vec<u8>>
";

/// An entry's value, and its type.
const TYPES: &[(&str, Option<&str>)] = &[
    ("1", Some("int")),
    ("-1.5", Some("double")),
    ("1_f64", Some("double")),
    ("\"x\"", Some("string")),
    ("'x'", Some("string")),
    ("true", Some("boolean")),
    ("b\"x\"", None),
    ("[1, 2]", Some("int[]")),
    ("*id", Some("int")),
    ("&id", Some("int")),
    ("id.into_inner()", Some("int")),
    ("body.amount", Some("double")),
    ("body.0.amount", Some("double")),
    ("body.user", Some("int")),
    ("body.address.country.len()", Some("int")),
    ("body.lines", None),
    ("body.unknown", None),
    ("data.amount", Some("double")),
    ("line.sku", Some("string")),
    ("line.id", None),
    ("line.id.0", Some("int")),
    ("tags", Some("string[]")),
    ("matrix", None),
    ("text.to_owned()", Some("string")),
    ("twice.same", Some("int")),
    ("twice.other", None),
    ("method", Some("string")),
    ("plain", None),
    ("shop", Some("int")),
    ("name.as_str()", Some("string")),
    ("left", Some("boolean")),
    ("right", Some("double[]")),
    ("generic", None),
    ("SQL", Some("string")),
    ("LIMIT", Some("int")),
    ("other::RATE", Some("double")),
    ("SHARE", Some("double")),
    ("RATE", None),
    ("EITHER", None),
    ("text.parse::<u8>()", None),
    ("text.len() as f64", Some("double")),
    ("!left", Some("boolean")),
    ("*id > 3 && left", Some("boolean")),
    ("*id + 1", Some("int")),
    ("*id + generic", None),
    ("text.is_empty()", Some("boolean")),
    ("format!(\"{id}\")", Some("string")),
    ("header(\"x\")", Some("string")),
    ("query(\"x\").or(cookie(\"y\"))", Some("string")),
    ("baggage(\"x\")", Some("string")),
    ("read(header(\"x\"))", None),
];

fn types() -> Types {
    let mut types = Types::default();
    types.read("shop", &syn::parse_file(SOURCE).expect("a file"));
    types
}

fn tags(entries: &str, output: &str) -> Vec<DeclaredTag> {
    let item = format!("#[biz_attrs({entries})] async fn f({ARGUMENTS}) {output} {{}}");
    let item: TokenStream = item.parse().expect("tokens");
    function(&types(), "shop", item).expect("a function").tags
}

#[test]
fn types_are_as_source_tells() {
    for (value, expected) in TYPES {
        let tags = tags(&format!("a = {value}"), "");
        assert_eq!(tags[0].value_type.as_deref(), *expected, "{value}");
        assert_eq!(tags[0].value, *value);
    }
}

#[test]
fn options_change_the_type_and_where_it_goes() {
    let tags = tags(
        "#[hash] a = id, #[mask(4)] b = tags, #[debug] c = body.lines, #[pii] #[inherit] d = id, #[hash] e = generic, #[baggage] f = id",
        "",
    );
    let told: Vec<_> = tags
        .iter()
        .map(|tag| {
            let to: Vec<_> = tag.destinations.iter().map(|it| it.name()).collect();
            (tag.value_type.as_deref(), tag.privacy, to)
        })
        .collect();
    assert_eq!(
        told,
        [
            (Some("string"), "hash", vec![]),
            (Some("string[]"), "mask", vec![]),
            (Some("string"), "plain", vec![]),
            (Some("int"), "pii", vec!["inherited"]),
            (Some("string"), "hash", vec![]),
            (Some("int"), "plain", vec!["baggage"]),
        ]
    );
}

#[test]
fn a_spread_is_what_its_type_declares() {
    let tags = tags(
        "..body, #[ok(x)] ..&x, ..generic",
        "-> Result<web::Json<Address>, Error>",
    );
    let told: Vec<_> = tags
        .iter()
        .map(|tag| (tag.key.as_str(), tag.value.as_str(), tag.privacy))
        .collect();
    assert_eq!(
        told,
        [
            ("order.amount", "body.amount", "plain"),
            ("order.user", "body.user", "hash"),
            ("to.country", "body.address.country", "plain"),
            // An address in an address has no end.
            ("..body.address.next", "body.address.next", "plain"),
            ("country", "x.country", "plain"),
            ("..x.next", "x.next", "plain"),
            ("..generic", "generic", "plain"),
        ]
    );
}

#[test]
fn results_have_the_types_of_the_signature() {
    let tags = tags(
        "#[ok(x)] a = x.amount, #[err(e)] b = e, #[ret(r)] c = r.is_ok(), #[ok(id)] d = id",
        "-> Result<web::Json<Order>, String>",
    );
    let types: Vec<_> = tags.iter().map(|tag| tag.value_type.as_deref()).collect();
    assert_eq!(
        types,
        [Some("double"), Some("string"), Some("boolean"), None]
    );
}

#[test]
fn a_span_has_its_name_and_kind() {
    let span = |item: &str| {
        let declared = function(&types(), "shop", item.parse().expect("tokens"))?;
        declared.span.map(|span| (span.name, span.kind))
    };
    let is = |item: &str, name: &str, kind: &str| {
        assert_eq!(
            span(item),
            Some((name.to_owned(), kind.to_owned())),
            "{item}"
        );
    };
    is("#[traced] fn r#loop() {}", "loop", "internal");
    is(
        "#[biztrace::traced(name = \"x\", kind = \"client\")] fn f() {}",
        "x",
        "client",
    );
    is("#[traced(db = \"redis\")] fn f() {}", "redis", "client");
    is(
        "#[traced(db = \"sqlite\", query = \"SELECT 1\")] fn f() {}",
        "f",
        "client",
    );
    is("#[traced_handler] async fn f() {}", "f", "server");
    is(
        "#[post(\"/a/{b}\", wrap = \"C\")] #[traced_handler] async fn f() {}",
        "POST /a/{b}",
        "server",
    );
    is(
        "#[traced_handler] #[actix_web::get(\"/a\")] async fn f() {}",
        "GET /a",
        "server",
    );
    is(
        "#[get(\"/a\")] #[traced_handler(child)] async fn f() {}",
        "f",
        "internal",
    );
    assert_eq!(span("#[biz_attrs(a = 1)] fn f() {}"), None);
    assert_eq!(span("#[traced] struct S;"), None);
    assert_eq!(span("fn f() {}"), None);
}

#[test]
fn a_tag_in_a_body_knows_literals_and_constants_only() {
    let tags = tag(
        &types(),
        "shop",
        "a = 1, b = SQL, #[hash] c = body.amount, d = id"
            .parse()
            .expect("tokens"),
    );
    let told: Vec<_> = tags.iter().map(|tag| tag.value_type.as_deref()).collect();
    assert_eq!(told, [Some("int"), Some("string"), Some("string"), None]);
}

/// Two structs of one name, and what may confuse them.
const MODULES: &[(&str, &str)] = &[
    (
        "shop",
        "
        pub mod v1 { #[derive(BizAttrs)] pub struct Order { #[biz] first: String } }
        pub mod v2 {
            use super::v1::Order as Former;
            pub struct Order { #[biz] second: String, #[biz(nested)] former: Former }
            pub mod inner { pub use super::super::v1::Order; pub mod deep {} }
        }
        mod odd { struct String; struct bool; struct Data<T>(T); }
        mod private { use crate::v1::Order; pub use crate::v2::*; }
        mod circle { pub use super::circle2::*; pub use super::circle2::Round; }
        mod circle2 { pub use super::circle::*; pub use super::circle::Round; }
        #[cfg(a)] use v1 as version;
        #[cfg(b)] use v2 as version;
        pub use v1::Order as Exported;
        ",
    ),
    // The library's file and the binary's: crates of one name.
    (
        "shop",
        "use shop::Exported; use shop::v1::Order as Exported;",
    ),
    (
        "shop::handlers",
        "use crate::v2::{self as second, Order}; fn f() { struct Line { #[biz] sku: u8 } }",
    ),
    ("shop::globs", "use crate::v1::*;"),
    ("shop::clash", "use crate::v1::*; use super::v2::*;"),
    (
        "shop::nearer",
        "use crate::v1::*; struct Order { #[biz] own: bool }",
    ),
    (
        "shop::bodies",
        "use elsewhere::Order; fn f() { struct Order { #[biz] own: bool } }",
    ),
    ("shop::privacy", "use super::private::*;"),
    ("shop::odd", ""),
    (
        "other",
        "use shop::v1::Order; pub struct r#type { #[biz] id: u8 } mod shop2 {}",
    ),
];

/// A module, an argument's type there, and the keys and types that a spread of it has.
const SPREADS: &[(&str, &str, &str)] = &[
    ("shop", "v1::Order", "first string"),
    ("shop", "self::v1::Order", "first string"),
    ("shop", "v2::Order", "second string, first string"),
    ("shop", "v2::inner::Order", "first string"),
    ("shop", "Order", "unknown"),
    ("shop", "Exported", "first string"),
    // Two modules, by conditions.
    ("shop", "version::Order", "unknown"),
    ("shop", "circle::Round", "unknown"),
    ("shop", "circle::Other", "unknown"),
    ("shop::v2::inner::deep", "super::Order", "first string"),
    (
        "shop::v2::inner::deep",
        "super::super::Order",
        "second string, first string",
    ),
    ("shop::v1", "&Order", "first string"),
    (
        "shop::handlers",
        "web::Json<Order>",
        "second string, first string",
    ),
    (
        "shop::handlers",
        "second::Order",
        "second string, first string",
    ),
    ("shop::handlers", "crate::v1::Order", "first string"),
    ("shop::handlers", "Line", "sku int"),
    ("shop::globs", "Order", "first string"),
    ("shop::clash", "Order", "unknown"),
    ("shop::nearer", "Order", "own boolean"),
    ("shop::bodies", "Order", "unknown"),
    // What is private there is not imported.
    ("shop::privacy", "Order", "second string, first string"),
    // Not that of actix-web.
    ("shop::odd", "Data<crate::v1::Order>", "unknown"),
    ("other", "Order", "first string"),
    ("other", "::shop::Exported", "first string"),
    ("other", "::shop::gone::Order", "unknown"),
    ("other", "r#type", "id int"),
    ("other", "elsewhere::Order", "unknown"),
];

#[test]
fn names_mean_what_their_module_says() {
    let mut types = Types::default();
    for (module, source) in MODULES {
        types.read(module, &syn::parse_file(source).expect("a file"));
    }
    for (module, ty, expected) in SPREADS {
        let item = format!("#[biz_attrs(..x)] fn f(x: {ty}) {{}}");
        let declared = function(&types, module, item.parse().expect("tokens"));
        let tags = declared.expect("a function").tags;
        let told: Vec<String> = tags
            .iter()
            .map(|tag| match &tag.value_type {
                Some(ty) => format!("{} {ty}", tag.key),
                None if tag.key == "..x" => "unknown".to_owned(),
                None => format!("{} unknown", tag.key),
            })
            .collect();
        assert_eq!(told.join(", "), *expected, "{ty} in {module}");
    }
}
