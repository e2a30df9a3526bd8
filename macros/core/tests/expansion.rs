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
    (
        "options",
        "#[traced_handler] #[biz_attrs(
            #[hash] user.id = user, #[mask(4)] payment.card = body.card, #[pii] user.name = &body.name, #[display] order.state = state,
            #[debug] order.raw = raw, #[max_len(64)] order.note = &body.note, #[inherit] tenant.id = header(\"x-tenant-id\"),
            #[when(body.amount > 10_000.0)] risk.review = true, ..body,
        )] async fn create(body: web::Json<Order>) -> HttpResponse { HttpResponse::Ok().finish() }",
    ),
    ("options_together", "#[biz_attrs(#[inherit] #[when(a)] #[hash] #[max_len(8)] #[display] order.id = id, #[max_len(8)] #[mask(4)] order.card = card, #[when(b)] ..body)] fn f(id: Id) {}"),
    (
        "baggage",
        "#[traced_handler] #[biz_attrs(#[baggage] tenant.id = header(\"x-tenant-id\"), #[when(a)] #[baggage] #[inherit] #[hash] user.id = baggage(\"user.id\"))]
        async fn create() -> HttpResponse { HttpResponse::Ok().finish() }",
    ),
    ("baggage_alone", "#[biz_attrs(#[baggage] order.id = id)] fn find(id: u64) -> u64 { load(id) }"),
    (
        "results",
        "#[traced_handler] #[biz_attrs(
            order.id = *id, #[ok(receipt)] order.no = receipt.no, #[err(e)] payment.code = e.code(), #[ret(r)] order.done = r.is_ok(),
            #[ok(Receipt { total, .. })] #[when(*total > 3)] order.total = total, #[ok(a)] ..a,
        )] async fn create(id: web::Path<u64>) -> Result<web::Json<Receipt>, ShopError> { buy(*id).await }",
    ),
    (
        "private_url",
        "#[traced_handler] #[biz_attrs(#[mask(4)] card.number = format!(\"{card}\"), #[pii] user.email = query(\"email\"), ..filter)]
        async fn pay(card: web::Path<String>, filter: Option<web::Query<Filter>>) {}",
    ),
    ("results_alone", "#[biz_attrs(#[ok(n)] order.count = n)] fn count(id: u64) -> Option<u64> { find(id) }"),
    ("results_alone_async", "#[biz_attrs(order.id = id, #[err(_)] order.missing = true)] async fn find(id: u64) -> Option<Order> { None }"),
    ("traced_database", "#[traced(db = \"redis\")] async fn ping() {}"),
    ("traced_query", "#[traced(db = \"sqlite\", query = Self::ALL)] async fn all(&self) -> Result<Vec<Order>, DbError> { fetch(Self::ALL).await }"),
    ("traced_err", "#[traced(err)] async fn load(id: u64) -> Result<Order, DbError> { query(id).await }"),
    (
        "traced_predicates",
        "#[traced(ok_if = |r| matches!(r, Err(DbError::NotFound)), err_if = Result::is_ok, err)] fn f() -> Result<u8, DbError> { query() }",
    ),
    ("traced_root", "#[traced(parent = none, links = [message.context()])] async fn consume(message: Message) {}"),
    ("traced_future", "#[traced] fn load(id: u64) -> impl Future<Output = u64> + Send { async move { id } }"),
    ("traced_future_boxed", "#[traced] fn load(&self) -> BoxFuture<'_, u64> { let id = self.id; async move { id }.boxed() }"),
    (
        "traced_async_trait",
        "#[traced] fn load<'life0, 'async_trait>(&'life0 self, id: u64)
            -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Result<u64, E>> + ::core::marker::Send + 'async_trait>>
        where 'life0: 'async_trait, Self: 'async_trait { Box::pin(async move { let id = id; self.find(id).await }) }",
    ),
    ("traced_stream", "#[traced(err)] fn rows(&self) -> impl Stream<Item = Result<Row, DbError>> + '_ { self.query() }"),
    ("traced_stream_boxed", "#[traced] fn rows() -> Pin<Box<dyn Stream<Item = Row> + Send>> { Box::pin(query()) }"),
];

/// What the derives add to an item, and what `tag!` becomes.
const ADDED: &[(&str, &str, &str)] = &[
    (
        "derive_attrs",
        "BizAttrs",
        "#[biz(prefix = \"order\")] struct CreateOrder {
            #[biz] amount: f64, #[biz(key = \"payment.method\")] method: Method, #[biz(key = \"user.id\", hash)] user: u64, card: String,
            #[biz(rename = \"total\", when(self.amount > 0.0))] sum: Option<f64>, #[biz(skip)] note: String, #[biz] r#type: String,
            #[biz(nested)] address: Address, #[biz(nested, prefix = \"shipping\")] to: Option<Address>, #[biz(inherit)] tenant: u8, #[biz(baggage)] shop: u8,
        }",
    ),
    (
        "derive_attrs_generic",
        "BizAttrs",
        "#[biz(crate = crate::telemetry)] struct Page<'a, T: Copy, const N: usize> where T: Send {
            #[biz] items: [T; N], #[biz] name: &'a str, #[biz(display)] first: T, #[biz(display)] last: Option<T>, #[biz(nested)] rest: Vec<T>,
        }",
    ),
    ("derive_attrs_tuple", "BizAttrs", "struct OrderId(#[biz(key = \"order.id\")] u64, #[allow(unused)] u8);"),
    ("derive_value", "BizValue", "enum Method { Alipay, BankTransfer, #[biz(rename = \"cash\")] OnDelivery, r#Async }"),
    ("derive_value_style", "BizValue", "#[biz(rename_all = \"SCREAMING_SNAKE_CASE\")] pub enum State { New, InTransit, HTTPError }"),
    ("tag", "tag", "order.stage = stage, #[hash] user.id = user.id, #[when(late)] order.late = true, tenant.id = header(\"x\"),"),
];

#[test]
fn expansions_are_as_recorded() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots");
    let update = env::var_os("UPDATE_SNAPSHOTS").is_some();
    let mut changed = String::new();
    let cases = CASES
        .iter()
        .map(|(case, source)| (case, rustc::expand(source)));
    let added = ADDED.iter().map(|(case, name, source)| {
        let tokens = rustc::add(name, source);
        // An expression is no file.
        let is_item = *name != "tag";
        (
            case,
            if is_item {
                tokens
            } else {
                quote::quote!(fn f() { #tokens; })
            },
        )
    });
    for (case, tokens) in cases.chain(added) {
        let file =
            syn::parse2(tokens).unwrap_or_else(|error| panic!("{case} is not an item: {error}"));
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
    let cases = CASES.iter().map(|(case, _)| case);
    let cases = cases.chain(ADDED.iter().map(|(case, ..)| case));
    let cases: BTreeSet<String> = cases.map(|case| format!("{case}.rs")).collect();
    assert_eq!(
        files, cases,
        "a snapshot without a case, or the other way round"
    );
}

/// An option changes the statement of its own entry, and nothing else.
#[test]
fn an_option_that_is_not_used_leaves_no_trace() {
    let expand = |entries: &str| {
        let source = format!(
            "#[traced] #[biz_attrs(a.first = id, {entries} c.last = id)] fn f(id: u64) -> Option<u64> {{ Some(id) }}"
        );
        rustc::expand(&source).to_string().replace(' ', "")
    };
    let plain = expand("");
    let (_, tags) = plain.split_once("|__tags,_|{").expect("a closure");
    let (first, _) = tags.split_once(';').expect("a statement");
    let last = first.replace("a.first", "c.last");
    for option in [
        "#[hash]",
        "#[mask(4)]",
        "#[pii]",
        "#[inherit]",
        "#[baggage]",
        "#[when(true)]",
        "#[display]",
        "#[debug]",
        "#[max_len(4)]",
    ] {
        let expanded = expand(&format!("{option} b.middle = id,"));
        let (start, rest) = expanded.split_once(first).expect("the first entry");
        let (own, end) = rest.split_once(&last).expect("the last entry");
        assert!(own.contains("b.middle"), "{option}: {own}");
        assert_eq!(format!("{start}{first};{last}{end}"), plain, "{option}");
    }
    for option in ["#[ok(_)]", "#[err(_)]", "#[ret(_)]"] {
        let expanded = expand(&format!("{option} b.middle = 1,"));
        let (start, tags) = expanded
            .split_once("__span.tag(")
            .expect("tags on the result");
        let (own, end) = tags.split_once("});").expect("their end");
        assert!(own.contains("b.middle"), "{option}: {own}");
        let without = format!("{start}{end}").replace("|__result,__span|", "|__result,_|");
        assert_eq!(without, plain, "{option}");
    }
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
