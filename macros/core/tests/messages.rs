//! What a mistake is answered with: the message, the place that it points at, and the function as it was.

mod rustc;

use proc_macro2::{TokenStream, TokenTree};
use syn::LitStr;
use syn::parse::{ParseStream, Parser};

/// The attributes, the item, and each error's place and part of its message. An error at the attribute itself has no place here.
type Case = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

const F: &str = "async fn create(id: u64) -> u64 { id }";

const ENTRIES: &[Case] = &[
    ("#[biz_attrs(order.id)]", F, &[("order.id", "`order.id` has no value: write `order.id = expression`")]),
    ("#[biz_attrs(order.id id)]", F, &[("order.id", "`order.id` has no value: write `order.id = expression`")]),
    ("#[biz_attrs(order.id =)]", F, &[("order.id =", "`order.id` has no value: write `order.id = expression`")]),
    ("#[biz_attrs(order.id = , a.b = id)]", F, &[("order.id =", "`order.id` has no value")]),
    ("#[biz_attrs(order.id: id)]", F, &[(":", "`=` stands between key and value, not `:`: write `order.id = expression`")]),
    ("#[biz_attrs(order.id => id)]", F, &[("=>", "not `=>`: write `order.id = expression`")]),
    ("#[biz_attrs(order.id == id)]", F, &[("==", "not `==`: write `order.id = expression`")]),
    ("#[biz_attrs(order::id = id)]", F, &[("::", "the names of a key are joined by `.`, not `::`")]),
    ("#[biz_attrs(order-id = id)]", F, &[("-", "is written as a string literal, such as `\"order-id\"`")]),
    ("#[biz_attrs(a.b = id c.d = id)]", F, &[("c", "put a comma before this: the value of `a.b` ends here")]),
    ("#[biz_attrs(a.b = id; c.d = id)]", F, &[(";", "put a comma before this")]),
    ("#[biz_attrs(a.b = id,, c.d = id)]", F, &[(",", "expected a key: names joined by dots, such as `order.id`")]),
    ("#[biz_attrs(3 = id)]", F, &[("3", "expected a key")]),
    ("#[biz_attrs(order..id = id)]", F, &[(".", "expected a key")]),
    ("#[biz_attrs(order.2fa = id)]", F, &[("2fa", "expected a key")]),
    ("#[biz_attrs(a.b = *)]", F, &[("", "the value of `a.b` is not a whole expression")]),
    ("#[biz_attrs(a.b = f(id +), c.d = id)]", F, &[(")", "the value of `a.b` is not a whole expression")]),
    ("#[biz_attrs(a.b = id., c.d = id)]", F, &[(",", "the value of `a.b` is not a whole expression")]),
    ("#[biz_attrs(#[hash] a.b = id)]", F, &[("#[hash]", "`#[hash]` is not supported here: an entry is `key = expression`")]),
    ("#[biz_attrs(#[mask(4)] a.b = id)]", F, &[("#[mask(4)]", "`#[mask]` is not supported here")]),
    ("#[biz_attrs(..id)]", F, &[("..", "`..` is not supported here: an entry is `key = expression`")]),
    ("#[biz_attrs(a = , b: id, c.D = id)]", F, &[("a =", "no value"), (":", "not `:`"), ("c.D", "write `c.d`")]),
];

const KEYS: &[Case] = &[
    ("#[biz_attrs(orderId = id)]", F, &[("orderId", "a key is in lower case: write `order_id`")]),
    ("#[biz_attrs(order.HTTPRoute = id)]", F, &[("order.HTTPRoute", "write `order.http_route`")]),
    ("#[biz_attrs(ORDER.ID = id)]", F, &[("ORDER.ID", "write `order.id`")]),
    ("#[biz_attrs(order_.id = id)]", F, &[("order_.id", "`order_` can't stand in a key")]),
    ("#[biz_attrs(order.a__b = id)]", F, &[("order.a__b", "`a__b` can't stand in a key")]),
    ("#[biz_attrs(_.id = id)]", F, &[("_.id", "`_` can't stand in a key")]),
    ("#[biz_attrs(ordré = id)]", F, &[("ordré", "`ordré` can't stand in a key")]),
    ("#[biz_attrs(\"order..id\" = id)]", F, &[("\"order..id\"", "`` can't stand in a key")]),
    ("#[biz_attrs(\"order.id-\" = id)]", F, &[("\"order.id-\"", "`id-` can't stand in a key")]),
    ("#[biz_attrs(\"\" = id)]", F, &[("\"\"", "`` can't stand in a key")]),
    ("#[biz_attrs(http.status = id)]", F, &[("http.status", "the middleware fills the namespace `http`: use one of your own")]),
    ("#[biz_attrs(\"code.line\" = id)]", F, &[("\"code.line\"", "the namespace `code`")]),
    ("#[biz_attrs(a.b = id, c = id, a.b = 1)]", F, &[("a.b", "`a.b` is set twice")]),
    ("#[biz_attrs(r#type = id, \"type\" = 1)]", F, &[("\"type\"", "`type` is set twice")]),
    ("#[biz_attrs(a.b = 1)] #[biz_attrs(a . b = 2)]", F, &[("a . b", "`a.b` is set twice: keep one of the two")]),
    ("#[traced(attrs(a.b = 1))] #[biz_attrs(a .b = 2)]", F, &[("a .b", "`a.b` is set twice")]),
    ("#[traced(attrs(a.B = 1, c))]", F, &[("c", "`c` has no value"), ("a.B", "write `a.b`")]),
];

const OPTIONS: &[Case] = &[
    (
        "#[traced(nmae = \"x\")]",
        F,
        &[("nmae", "`traced` has no option `nmae`; did you mean `name`? It takes `name = \"…\"`, `kind = \"…\"`, `attrs(")],
    ),
    ("#[traced(skip_all)]", F, &[("skip_all", "`traced` has no option `skip_all`. It takes")]),
    ("#[traced(child)]", F, &[("child", "`traced` has no option `child`")]),
    ("#[traced_handler(name = \"x\")]", F, &[("name", "It takes `child`, `crate = path::to::biztrace`")]),
    ("#[traced_handler(chlid)]", F, &[("chlid", "did you mean `child`?")]),
    ("#[traced(\"x\")]", F, &[("\"x\"", "expected an option of `traced`: `name = \"…\"`, `kind")]),
    ("#[traced(name = \"a\", name = \"b\")]", F, &[("name", "`name` is set twice: keep one of the two")]),
    ("#[traced(name = 3)]", F, &[("name = 3", "`name` is written `name = \"…\"`")]),
    ("#[traced(name)]", F, &[("name", "`name` is written `name = \"…\"`")]),
    ("#[traced(name = \"a\" kind = \"client\")]", F, &[("name = \"a\" kind = \"client\"", "with a comma before the next option")]),
    ("#[traced(attrs = 3)]", F, &[("attrs = 3", "`attrs` is written `attrs(key = expression, …)`")]),
    ("#[traced(crate = 3)]", F, &[("crate = 3", "`crate` is written `crate = path::to::biztrace`")]),
    ("#[traced_handler(child = true)]", F, &[("child = true", "`child` is written `child`")]),
    (
        "#[traced(kind = \"rpc\")]",
        F,
        &[("\"rpc\"", "it is one of `\"internal\"`, `\"server\"`, `\"client\"`, `\"producer\"`, `\"consumer\"`")],
    ),
    ("#[traced(king = \"client\", name = 3)]", F, &[("king", "did you mean `kind`?"), ("name = 3", "is written")]),
];

const ITEMS: &[Case] = &[
    ("#[traced]", "const fn f() {}", &[("const", "a `const fn` runs at compile time too")]),
    ("#[traced_handler]", "const fn f() {}", &[("const", "remove `const` or the attribute")]),
    ("#[biz_attrs(a = 1)]", "extern \"C\" fn f() {}", &[("extern \"C\"", "put the attribute on a Rust function that it calls")]),
    ("#[traced]", "unsafe extern \"C\" fn f(n: u8, ...) {}", &[("extern \"C\"", "a function with a foreign ABI")]),
    ("#[traced]", "unsafe fn f(n: u8, ...) {}", &[("...", "a variadic function is not traced")]),
    ("#[traced_handler]", "fn create() {}", &[("fn create", "write `async fn create`, or use `#[traced]`")]),
    ("#[traced_handler(child)] #[biz_attrs(a = 1)]", "fn create() {}", &[("fn create", "an actix-web handler is an `async fn`")]),
    ("#[traced]", "struct Order { id: u64 }", &[("struct", "`#[traced]` can't go on `struct`: put it on each function")]),
    ("#[traced_handler] #[biz_attrs(a = 1)]", "impl Order { fn id() {} }", &[("impl", "`#[biz_attrs]` can't go on `impl`")]),
    ("#[traced]", "pub(crate) unsafe trait Orders {}", &[("trait", "can't go on `trait`")]),
    ("#[traced]", "mod orders { fn f() {} }", &[("mod", "can't go on `mod`")]),
    ("#[traced]", "fn id(&self) -> u64;", &[("id", "`id` has no body that `#[traced]` could wrap: put the attribute on its impl")]),
    ("#[traced]", "orders! {}", &[("orders", "expected `fn`")]),
    ("#[traced] #[traced_handler]", F, &[("", "this function has both `#[traced_handler]` and `#[traced]`")]),
    ("#[biz_attrs(a = 1)] #[traced] #[post] #[traced]", F, &[("", "`#[traced]` stands twice on this function")]),
    ("#[traced_handler] #[traced_handler(child)]", F, &[("", "`#[traced_handler]` stands twice")]),
];

#[test]
fn one_error_a_mistake_at_the_users_tokens() {
    let mut surprises = String::new();
    for (attributes, item, expected) in [ENTRIES, KEYS, OPTIONS, ITEMS].concat() {
        let source = format!("{attributes} {item}");
        let (errors, rest) = errors(&source);
        let fits = |((place, text), (expected_place, part)): (&(String, String), &(&str, &str))| {
            place == expected_place && text.contains(part)
        };
        let untouched: TokenStream = item.parse().expect("tokens");
        if errors.len() != expected.len()
            || !errors.iter().zip(expected).all(fits)
            || rest.to_string() != untouched.to_string()
        {
            surprises += &format!("{source}\n  expected {expected:?}\n  got {errors:?}\n  beside {rest}\n");
        }
    }
    assert!(surprises.is_empty(), "{surprises}");
}

#[test]
fn attributes_of_others_stay_on_the_item() {
    let (errors, rest) = errors("#[doc = \"a\"] #[traced(x)] #[inline] fn f() {}");
    assert_eq!(errors.len(), 1);
    assert_eq!(rest.to_string(), "# [doc = \"a\"] # [inline] fn f () { }");
}

#[test]
fn a_key_has_255_bytes_at_most() {
    let of = |bytes| format!("#[traced(attrs({} = 1))] fn f() {{}}", "k".repeat(bytes));
    assert_eq!(errors(&of(255)).0.len(), 0);
    let (errors, _) = errors(&of(256));
    assert!(errors[0].1.contains("this key has 256 bytes: at most 255"), "{errors:?}");
}

/// Every prefix of these, in tokens, as arguments and as an item: whatever it answers, it answers.
#[test]
fn no_tokens_make_it_panic() {
    let samples = [
        "__fold(traced(name = \"x\")), order.id = f(*id), #[mask(4)] \"a-b\" => header(\"x\"), ..body, a.b.c == |x, y| x < y",
        "__fold traced, __fold(), __fold(x), __fold(3(4)), name = , kind = \"\", attrs(=), attrs, crate = ::, crate = $crate, child",
        "#[doc] #[traced] #[biz_attrs[a = ]] pub(crate) unsafe extern \"C\" fn f<'a, T>(mut self: X, a: impl A, ...) -> ! where { #![x] }",
        "= => . .. ... :: : ; # ! $ _ 'a 1.0 1u8 b\"x\" c\"x\" () [] {} fn impl struct ->",
    ];
    let item: TokenStream = F.parse().expect("tokens");
    for sample in samples {
        let tokens: Vec<TokenTree> = sample.parse::<TokenStream>().expect("tokens").into_iter().collect();
        for (start, end) in (0..=tokens.len()).flat_map(|end| (0..=end).map(move |start| (start, end))) {
            let part: TokenStream = tokens[start..end].iter().cloned().collect();
            for expand in
                [biztrace_macros_core::traced_handler, biztrace_macros_core::biz_attrs, biztrace_macros_core::traced]
            {
                assert!(!expand(part.clone(), item.clone()).is_empty());
                expand(TokenStream::new(), part.clone());
            }
        }
    }
}

/// Expands `source`; gives the place and text of each error, and the tokens behind them.
fn errors(source: &str) -> (Vec<(String, String)>, TokenStream) {
    let output = rustc::expand(source);
    let split = |input: ParseStream<'_>| {
        let mut errors = Vec::new();
        while input.peek(syn::Token![::]) {
            let tokens: Vec<TokenTree> = (0..8).map(|_| input.parse()).collect::<syn::Result<_>>()?;
            let (start, end) = (tokens[0].span().byte_range(), tokens[7].span().byte_range());
            let TokenTree::Group(text) = &tokens[7] else { return Err(input.error("no message")) };
            let text: LitStr = syn::parse2(text.stream())?;
            errors.push((source[start.start..end.end].to_owned(), text.value()));
        }
        Ok((errors, input.parse()?))
    };
    split.parse2(output).expect("compile_error!s, then the item")
}
