//! Mistakes in options, and in what the attributes stand on.

use super::{CREATE, Case};

pub(crate) const OPTIONS: &[Case] = &[
    (
        "#[traced(nmae = \"x\")]",
        CREATE,
        &[(
            "nmae",
            "`traced` has no option `nmae`; did you mean `name`? It takes `name = \"…\"`, `kind = \"…\"`, `db = \"…\"`, `query = SQL`, `attrs(",
        )],
    ),
    (
        "#[traced(skip_all)]",
        CREATE,
        &[(
            "skip_all",
            "`traced` has no option `skip_all`: an argument is recorded only if an entry names it. Remove this",
        )],
    ),
    (
        "#[traced(name = \"x\", skip(id, other), level = \"debug\", target = \"db\")]",
        CREATE,
        &[
            ("skip", "an argument is recorded only if an entry names it"),
            ("level", "a span has no level, and the sampler decides"),
            ("target", "`code.function.name` says where it is from"),
        ],
    ),
    (
        "#[traced(fields(order.id = %id, order))]",
        CREATE,
        &[(
            "fields",
            "`traced` has no option `fields`: tags are entries. Write `attrs(order.id = id)`",
        )],
    ),
    (
        "#[traced_handler(skip_all, fields(id), level = Level::INFO)]",
        CREATE,
        &[
            (
                "skip_all",
                "`traced_handler` has no option `skip_all`: an argument",
            ),
            ("fields", "Write `#[biz_attrs(order.id = id)]`"),
            ("level", "a span has no level"),
        ],
    ),
    (
        "#[traced(fields(otel.kind = \"client\", otel . status_code = Empty, order.id = id))]",
        CREATE,
        &[(
            "fields",
            "Write `attrs(order.id = id)`. `otel.kind`: write the option `kind = \"client\"`. `otel.status_code`: an `Err`,",
        )],
    ),
    (
        "#[traced_handler(fields(otel.name = name))]",
        CREATE,
        &[(
            "fields",
            "Write `#[biz_attrs(order.id = id)]`. `otel.name`: the middleware sets it. Remove this",
        )],
    ),
    (
        "#[traced_handler(attrs(a.b = id))]",
        CREATE,
        &[(
            "attrs",
            "`traced_handler` has no option `attrs`: tags are entries of an attribute of their own",
        )],
    ),
    (
        "#[traced(ret, follows_from = [cause])]",
        CREATE,
        &[
            (
                "ret",
                "a result is recorded by an entry. Write `attrs(#[ret(result)] #[debug] order.result = result)`",
            ),
            ("follows_from", "Write `links = [span_context, …]`"),
        ],
    ),
    (
        "#[traced_handler(ret, follows_from = [cause])]",
        CREATE,
        &[
            ("ret", "Write `#[biz_attrs(#[ok(order)] order.total"),
            ("follows_from", "the request's span has no links"),
        ],
    ),
    (
        "#[traced(err(Debug))]",
        CREATE,
        &[("err(Debug)", "`err` takes no value: write `err`")],
    ),
    (
        "#[traced(child)]",
        CREATE,
        &[("child", "`traced` has no option `child`")],
    ),
    (
        "#[traced_handler(name = \"x\")]",
        CREATE,
        &[(
            "name",
            "It takes `child`, `err`, `crate = path::to::biztrace`",
        )],
    ),
    (
        "#[traced_handler(chlid)]",
        CREATE,
        &[("chlid", "did you mean `child`?")],
    ),
    (
        "#[traced(\"x\")]",
        CREATE,
        &[(
            "\"x\"",
            "expected an option of `traced`: `name = \"…\"`, `kind",
        )],
    ),
    (
        "#[traced(name = \"a\", name = \"b\")]",
        CREATE,
        &[("name", "`name` is set twice: keep one of the two")],
    ),
    (
        "#[traced(name = \"\")]",
        CREATE,
        &[(
            "\"\"",
            "the span's name is empty: write a name, or remove this option to use the function's name",
        )],
    ),
    (
        "#[traced(name = 3)]",
        CREATE,
        &[("name = 3", "`name` is written `name = \"…\"`")],
    ),
    (
        "#[traced(name)]",
        CREATE,
        &[("name", "`name` is written `name = \"…\"`")],
    ),
    (
        "#[traced(name = \"a\" kind = \"client\")]",
        CREATE,
        &[(
            "name = \"a\" kind = \"client\"",
            "with a comma before the next option",
        )],
    ),
    (
        "#[traced(attrs = 3)]",
        CREATE,
        &[(
            "attrs = 3",
            "`attrs` is written `attrs(key = expression, …)`",
        )],
    ),
    (
        "#[traced(crate = 3)]",
        CREATE,
        &[(
            "crate = 3",
            "`crate` is written `crate = path::to::biztrace`",
        )],
    ),
    (
        "#[traced(crate = biztrace::Self)]",
        CREATE,
        &[(
            "crate = biztrace::Self",
            "`crate` is written `crate = path::to::biztrace`",
        )],
    ),
    (
        "#[traced_handler(child = true)]",
        CREATE,
        &[("child = true", "`child` takes no value: write `child`")],
    ),
    (
        "#[traced(kind = \"rpc\")]",
        CREATE,
        &[(
            "\"rpc\"",
            "expected one of `\"internal\"`, `\"server\"`, `\"client\"`, `\"producer\"`, `\"consumer\"`",
        )],
    ),
    (
        "#[traced(king = \"client\", name = 3)]",
        CREATE,
        &[("king", "did you mean `kind`?"), ("name = 3", "is written")],
    ),
    (
        "#[traced(db = \"Postgres\")]",
        CREATE,
        &[(
            "\"Postgres\"",
            "OpenTelemetry's conventions call this system `postgresql`: write `db = \"postgresql\"`",
        )],
    ),
    (
        "#[traced(db = \" MySQL\")]",
        CREATE,
        &[("\" MySQL\"", "write `db = \"mysql\"`")],
    ),
    (
        "#[traced(db = \"\")]",
        CREATE,
        &[("\"\"", "the name of the database system is empty")],
    ),
    (
        "#[traced(query = SELECT)]",
        CREATE,
        &[(
            "SELECT",
            "`query` needs the name of the database system beside it: add `db = \"postgresql\"`",
        )],
    ),
    (
        "#[traced(query = SELECT, db = sqlite)]",
        CREATE,
        &[("db = sqlite", "`db` is written `db = \"…\"`")],
    ),
    (
        "#[traced(db = \"sqlite\", query = sql, attrs(db.system.name = \"x\"))]",
        "fn load(sql: &str) {}",
        &[
            ("db.system.name", "`db.system.name` is set twice"),
            ("sql", "`sql` is an argument, and `query` takes a constant"),
        ],
    ),
    (
        "#[traced(db = \"sqlite\", query = &format!(\"SELECT {COLUMN}\"))]",
        CREATE,
        &[(
            "format!(\"SELECT {COLUMN}\")",
            "`format!` makes text at run time, and `query` takes a constant",
        )],
    ),
    (
        "#[traced(db = \"sqlite\", query = query(\"SELECT 1\"))]",
        CREATE,
        &[(
            "query",
            "`query(…)` reads the request, and `query` takes a constant",
        )],
    ),
    (
        "#[traced(db = \"sqlite\", query = \"SELECT 1\", attrs(db.query.summary = \"x\"))]",
        CREATE,
        &[(
            "db.query.summary",
            "`query` sets `db.query.summary`: remove this entry, or `query`",
        )],
    ),
    (
        "#[traced(db = \"sqlite\", query = SQL?)]",
        CREATE,
        &[("SQL?", "`?` can't stand in a value")],
    ),
    (
        "#[traced(db = \"sqlite\", query = sql)]",
        "fn load() { let sql = String::new(); }",
        &[("sql", "with `tag!(db.query.text = …)`")],
    ),
];

pub(crate) const ITEMS: &[Case] = &[
    (
        "#[traced]",
        "fn read(id: u8) -> Box<dyn Future<Output = u8> + Send> { Box::new(async { id }) }",
        &[(
            "Future<Output = u8>",
            "a future or stream within another type can't be traced, since the span would end before it runs",
        )],
    ),
    (
        "#[traced_handler]",
        "fn read() -> impl Stream<Item = u8> { stream() }",
        &[("fn read", "an actix-web handler is an `async fn`")],
    ),
    (
        "#[traced(err_if = |r| true)]",
        "fn read() -> impl Stream<Item = u8> { stream() }",
        &[(
            "|r| true",
            "a stream has many items instead of one result: remove this",
        )],
    ),
    (
        "#[traced(parent = root)]",
        "fn f() {}",
        &[("parent = root", "`parent` is written `parent = none`")],
    ),
    (
        "#[traced(links = )]",
        "fn f() {}",
        &[("links =", "`links` is written `links = [span_context, …]`")],
    ),
    (
        "#[traced(err = true)]",
        "fn f() {}",
        &[("err = true", "`err` takes no value: write `err`")],
    ),
    (
        "#[traced]",
        "const fn f() {}",
        &[("const", "a `const fn` also runs at compile time")],
    ),
    (
        "#[traced_handler]",
        "const fn f() {}",
        &[("const", "remove `const` or the attribute")],
    ),
    (
        "#[biz_attrs(a = 1)]",
        "extern \"C\" fn f() {}",
        &[(
            "extern \"C\"",
            "put the attribute on a Rust function that it calls",
        )],
    ),
    (
        "#[traced]",
        "unsafe extern \"C\" fn f(n: u8, ...) {}",
        &[("extern \"C\"", "a function with a foreign ABI")],
    ),
    (
        "#[traced]",
        "unsafe fn f(n: u8, ...) {}",
        &[("...", "a variadic function can't be traced")],
    ),
    (
        "#[traced_handler]",
        "fn create() {}",
        &[("fn create", "write `async fn create`, or use `#[traced]`")],
    ),
    (
        "#[traced_handler(child)] #[biz_attrs(a = 1)]",
        "fn create() {}",
        &[("fn create", "an actix-web handler is an `async fn`")],
    ),
    (
        "#[traced]",
        "struct Order { id: u64 }",
        &[(
            "struct",
            "`#[traced]` can't go on `struct`: put it on each function",
        )],
    ),
    (
        "#[traced_handler] #[biz_attrs(a = 1)]",
        "impl Order { fn id() {} }",
        &[("impl", "`#[biz_attrs]` can't go on `impl`")],
    ),
    (
        "#[traced]",
        "pub(crate) unsafe trait Orders {}",
        &[("trait", "can't go on `trait`")],
    ),
    (
        "#[traced]",
        "mod orders { fn f() {} }",
        &[("mod", "can't go on `mod`")],
    ),
    (
        "#[traced]",
        "fn id(&self) -> u64;",
        &[(
            "id",
            "`id` has no body for `#[traced]` to wrap: put the attribute on its impl",
        )],
    ),
    (
        "#[traced]",
        "|order: Order| order.total",
        &[(
            "|order: Order| order.total",
            "`#[traced]` can't go on a closure: move the code into a function, and put the attribute there",
        )],
    ),
    (
        "#[traced]",
        "async move { load(id).await };",
        &[(
            "async move { load(id).await }",
            "`#[traced]` can't go on an async block: move the code into a function",
        )],
    ),
    (
        "#[biz_attrs(a.b = 1)]",
        "load(id)",
        &[("load(id)", "`#[biz_attrs]` can't go on an expression")],
    ),
    (
        "#[traced]",
        "let double = |n: u8| n * 2;",
        &[(
            "let",
            "`#[traced]` can't go on `let`: put it on each function",
        )],
    ),
    (
        "#[traced]",
        "orders! {}",
        &[(
            "orders",
            "`#[traced]` goes on a function or method: expected `fn`",
        )],
    ),
    (
        "#[traced] #[traced_handler]",
        CREATE,
        &[(
            "",
            "this function has both `#[traced_handler]` and `#[traced]`",
        )],
    ),
    (
        "#[biz_attrs(a = 1)] #[traced] #[post] #[traced]",
        CREATE,
        &[("", "`#[traced]` is on this function twice")],
    ),
    (
        "#[traced_handler] #[traced_handler(child)]",
        CREATE,
        &[("", "`#[traced_handler]` is on this function twice")],
    ),
];
