//! What the macros expand to, as text: `tests/snapshots/<case>.rs`, made by prettyplease.
//!
//! After a change that is meant, run `UPDATE_SNAPSHOTS=1 cargo test -p biztrace-macros-core` and read the difference.

mod rustc;

use std::collections::BTreeSet;
use std::path::Path;
use std::{env, fs};

const CASES: &[(&str, &str)] = &[
    (
        "handler",
        "#[post(\"/orders/{id}\")] #[traced_handler] #[biz_attrs(order.id = *id, tenant.id = header(\"x-tenant-id\"))]
        async fn create(id: web::Path<u64>, req: HttpRequest, body: web::Json<CreateOrder>) -> Result<web::Json<Receipt>, ShopError> {
            let stock = reserve_stock(*id).await?;
            Ok(web::Json(stock.sell(body.into_inner())))
        }",
    ),
    ("handler_bare", "#[traced_handler] async fn ping() -> impl Responder { \"pong\" }"),
    ("handler_child", "#[traced_handler(child)] #[biz_attrs(a = 1)] pub async fn ping() -> HttpResponse { HttpResponse::Ok().finish() }"),
    ("handler_crate", "#[traced_handler(crate = crate::telemetry)] async fn ping() {}"),
    (
        "handler_destructured",
        "#[traced_handler] #[biz_attrs(order.id = id, order.user = user.as_str())]
        async fn create(web::Path((id, user)): web::Path<(u64, String)>, mut body: web::Payload) -> Result<impl Responder, Error> {
            while let Some(chunk) = body.next().await { consume(chunk?) }
            Ok(HttpResponse::Ok())
        }",
    ),
    (
        "handler_generic",
        "#[traced_handler] #[biz_attrs(store.name = store.name())]
        async fn list<'a, S: Store + 'static>(store: web::Data<S>) -> Result<web::Json<Vec<Cow<'a, str>>>, S::Error>
        where S::Error: ResponseError { store.list().await.map(web::Json) }",
    ),
    (
        "handler_all_kept",
        "/// Says hello.\n#[deprecated] #[traced_handler] #[allow(unused)] pub(crate) async unsafe fn r#loop(#[allow(x)] _: u8) -> () {
            #![allow(unused_variables)]
            let x = 1;
        }",
    ),
    (
        "values",
        "#[traced_handler] #[biz_attrs(
            order.type = body.kind, r#match.r#in = -1.5, \"order-id\" = &id, long = id > 3 && id < 9,
            total = body.items.iter().map(|item| item.price).sum::<f64>(), block = { let x = id; x + 1 },
        )] async fn create(id: u64, body: web::Json<Order>) {}",
    ),
    (
        "readers",
        "#[traced_handler] #[biz_attrs(
            a.header = header(\"x-a\"), a.query = query(\"q\").or(cookie(\"c\")), a.nested = format!(\"{:?}\", [(header(\"x-b\"), 1)]),
            a.range = (0..query(\"n\").map_or(0, |n| n.len())).len(), a.field = Pair { left: cookie(\"l\") }.left,
            b.method = req.header(\"x\"), b.path = own::query(\"x\"), b.value = query.len(), b.dynamic = header(name), b.two = header(\"a\", \"b\"),
        )] async fn list(req: actix_web::HttpRequest, query: web::Query<Filter>) {}",
    ),
    ("request_reference", "#[traced(attrs(a = header(\"x\")))] fn f(n: u8, req: &HttpRequest) {}"),
    ("request_unnamed", "#[traced] fn f(_: HttpRequest) {}"),
    ("traced", "#[traced] async fn load(id: u64) -> Result<Order, DbError> { query(id).await }"),
    (
        "traced_options",
        "#[traced(name = \"SELECT orders\", kind = \"client\", attrs(db.system.name = \"postgresql\", db.query.text = SQL))]
        #[biz_attrs(order.id = id)] async fn load(id: u64) -> Order { query(id).await }",
    ),
    ("traced_kind_default", "#[traced(kind = \"internal\")] async fn load() {}"),
    ("traced_sync", "#[traced] fn price(order: &Order) -> Result<f64, PriceError> { Ok(order.items.len() as f64) }"),
    ("traced_sync_unit", "#[traced] fn log() { write() }"),
    ("traced_sync_impl_trait", "#[traced] fn ids(&self) -> impl Iterator<Item = u64> + '_ { self.ids.iter().copied() }"),
    ("traced_method", "#[traced] pub async fn first(&mut self) -> Option<&mut Order> { self.orders.first_mut() }"),
    ("traced_impl_trait_inside", "#[traced] async fn f() -> Result<Vec<(impl Display, u8)>, Box<dyn Error>> { Ok(vec![]) }"),
    ("traced_never", "#[traced] async fn serve() -> ! { loop { accept().await } }"),
    ("biz_attrs_alone", "#[biz_attrs(order.id = id)] async fn load(id: u64) -> Order { query(id).await }"),
    ("biz_attrs_alone_sync", "#[biz_attrs(tenant.id = header(\"x-tenant-id\"))] fn tenant(req: &mut HttpRequest) -> u8 { 3 }"),
    ("biz_attrs_twice", "#[biz_attrs(a = 1)] #[biz_attrs(b = 2)] fn f() {}"),
    ("biz_attrs_empty", "#[biz_attrs] fn f() {}"),
];

#[test]
fn expansions_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut changed = String::new();
    for (case, source) in CASES {
        let file = syn::parse2(rustc::expand(source))
            .unwrap_or_else(|error| panic!("{case} is not an item: {error}"));
        let expansion = prettyplease::unparse(&file);
        let path = folder.join(format!("{case}.rs"));
        if update {
            fs::write(&path, &expansion).expect("a writable snapshot");
        }
        let recorded = fs::read_to_string(&path).unwrap_or_default();
        if recorded != expansion {
            changed += &format!("--- {case}, recorded\n{recorded}--- {case}, now\n{expansion}\n");
        }
    }
    assert!(changed.is_empty(), "{changed}");

    let files = fs::read_dir(&folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").file_name());
    let files: BTreeSet<String> = files.filter_map(|name| name.into_string().ok()).collect();
    let cases: BTreeSet<String> = CASES.iter().map(|(case, _)| format!("{case}.rs")).collect();
    assert_eq!(
        files, cases,
        "a snapshot without a case, or the other way round"
    );
}

/// Whichever of our attributes expands last, and wherever those of others stand, the outcome is the same.
#[test]
fn attributes_fold_in_every_order() {
    const ATTRIBUTES: [&str; 5] = [
        "#[post(\"/x\")]",
        "#[biztrace::traced_handler(child)]",
        "#[biz_attrs(a.first = 1)]",
        "#[biz_attrs{b.second = 2}]",
        "#[inline]",
    ];
    let expanded = |attributes: &str| {
        rustc::expand(&format!("{attributes} async fn f() -> u8 {{ 3 }}")).to_string()
    };
    let orders = permutations(&ATTRIBUTES);
    assert_eq!(orders.len(), 120);
    for order in orders {
        let written = order.join(" ");
        // The entries of two `biz_attrs` keep the order in which they are written.
        let entries = if written.find("a.first") < written.find("b.second") {
            "a.first = 1, b.second = 2"
        } else {
            "b.second = 2, a.first = 1"
        };
        let plain = format!("#[inline] #[traced_handler(child)] #[biz_attrs({entries})]");
        assert_eq!(expanded(&written), expanded(&plain), "{written}");
    }
}

fn permutations<'a>(items: &[&'a str]) -> Vec<Vec<&'a str>> {
    let Some((first, rest)) = items.split_first() else {
        return vec![vec![]];
    };
    let with_first = |order: Vec<&'a str>| {
        (0..=order.len()).map(move |at| {
            let mut order = order.clone();
            order.insert(at, first);
            order
        })
    };
    permutations(rest)
        .into_iter()
        .flat_map(with_first)
        .collect()
}
