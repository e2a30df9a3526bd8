//! What is told of a tag without expanding it.

use biztrace_macros_core::catalogue::{DeclaredTag, Types, function, tag};
use proc_macro2::TokenStream;

const SOURCE: &str = "
    const SQL: &str = \"SELECT 1\";
    const LIMIT: u32 = 3;
    mod other { const LIMIT: f64 = 3.0; }
    #[biz(prefix = \"order\")] struct Order {
        #[biz] amount: f64, #[biz(hash)] user: Option<u64>, #[biz(nested, prefix = \"to\")] address: Box<Address>, lines: Vec<Line>,
    }
    struct Address { #[biz] country: String, #[biz(nested)] next: Option<Box<Address>> }
    struct Line { sku: Cow<'static, str>, id: Id }
    struct Id(u64);
    mod a { struct Twice { same: u8, other: u8 } }
    mod b { struct Twice { same: u8, other: String } }
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
    ("LIMIT", None),
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
    ("read(header(\"x\"))", None),
];

fn types() -> Types {
    let mut types = Types::default();
    types.read(&syn::parse_file(SOURCE).expect("a file"));
    types
}

fn tags(entries: &str, output: &str) -> Vec<DeclaredTag> {
    let item = format!("#[biz_attrs({entries})] async fn f({ARGUMENTS}) {output} {{}}");
    let item: TokenStream = item.parse().expect("tokens");
    function(&types(), item).expect("a function").tags
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
        "#[hash] a = id, #[mask(4)] b = tags, #[debug] c = body.lines, #[pii] #[inherit] d = id, #[hash] e = generic",
        "",
    );
    let told: Vec<_> = tags
        .iter()
        .map(|tag| (tag.value_type.as_deref(), tag.privacy, tag.inherited))
        .collect();
    assert_eq!(
        told,
        [
            (Some("string"), "hash", false),
            (Some("string[]"), "mask", false),
            (Some("string"), "plain", false),
            (Some("int"), "pii", true),
            (Some("string"), "hash", false),
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
        let declared = function(&types(), item.parse().expect("tokens"))?;
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
        "a = 1, b = SQL, #[hash] c = body.amount, d = id"
            .parse()
            .expect("tokens"),
    );
    let told: Vec<_> = tags.iter().map(|tag| tag.value_type.as_deref()).collect();
    assert_eq!(told, [Some("int"), Some("string"), Some("string"), None]);
}
