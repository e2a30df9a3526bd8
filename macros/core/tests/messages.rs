//! What a mistake is answered with: the message, the place that it points at, and the function as it was.

#[path = "messages/derives.rs"]
mod derives;
#[path = "messages/entries.rs"]
mod entries;
#[path = "messages/functions.rs"]
mod functions;
mod rustc;
#[path = "messages/tag_options.rs"]
mod tag_options;

use derives::{DERIVES, TAGS};
use entries::{ENTRIES, KEYS};
use functions::{ITEMS, OPTIONS};
use proc_macro2::{TokenStream, TokenTree};
use syn::parse::{ParseStream, Parser};
use syn::{LitStr, Path};
use tag_options::TAG_OPTIONS;

/// The attributes, the item, and each error's place and part of its message. An error at the attribute itself has no place here.
type Case = (
    &'static str,
    &'static str,
    &'static [(&'static str, &'static str)],
);

const CREATE: &str = "async fn create(id: u64) -> u64 { id }";

#[test]
fn one_error_a_mistake_at_the_users_tokens() {
    let mut surprises = String::new();
    for (attributes, item, expected) in [ENTRIES, TAG_OPTIONS, KEYS, OPTIONS, ITEMS].concat() {
        let source = format!("{attributes} {item}");
        let (errors, rest) = errors(&source);
        let fits = |((place, text), (expected_place, part)): (&(String, String), &(&str, &str))| {
            place == expected_place && text.contains(part)
        };
        let untouched: TokenStream = item.parse().expect("tokens");
        if errors.len() != expected.len()
            || !errors.iter().zip(expected).all(fits)
            || !is_kept(&untouched, &rest)
        {
            surprises +=
                &format!("{source}\n  expected {expected:?}\n  got {errors:?}\n  beside {rest}\n");
        }
    }
    assert!(surprises.is_empty(), "{surprises}");
}

#[test]
fn a_comma_is_named_only_where_it_is_missing() {
    for (options, lacks_comma) in [
        ("name = \"a\" kind = \"client\"", true),
        ("err kind = \"client\"", true),
        ("query = SQL name = \"a\", db = \"sqlite\"", true),
        ("err(Debug)", false),
        ("err = true", false),
        ("parent = None", false),
        ("kind = client", false),
        ("name = format!(\"a\")", false),
        ("attrs = (a.b = id)", false),
        ("name = 3, kind = \"client\"", false),
    ] {
        let (errors, _) = errors(&format!("#[traced({options})] {CREATE}"));
        assert_eq!(errors.len(), 1, "{options}: {errors:?}");
        let says_so = errors[0].1.contains("comma");
        assert_eq!(says_so, lacks_comma, "{options}: {errors:?}");
    }
}

/// Whether an item is what it was, or a function whose body is still in it.
fn is_kept(item: &TokenStream, rest: &TokenStream) -> bool {
    let is_untouched = rest.to_string() == item.to_string();
    is_untouched
        || match item.clone().into_iter().last() {
            Some(TokenTree::Group(body)) => rest.to_string().contains(&body.stream().to_string()),
            _ => false,
        }
}

/// The other entries are expanded, so that what they name counts as used.
#[test]
fn a_mistake_leaves_what_is_right() {
    let (errors, rest) =
        errors("#[traced] #[biz_attrs(Order.id = id, a.b = id?, c.d = id)] fn f(id: u64) {}");
    assert_eq!(errors.len(), 2, "{errors:?}");
    let rest = rest.to_string();
    assert!(
        rest.contains("new (\"c.d\")") && rest.contains("new (\"Order.id\")"),
        "{rest}"
    );
    assert!(
        rest.contains("run_sync") && !rest.contains("id ?"),
        "{rest}"
    );
}

/// What can't be expanded names arguments all the same.
#[test]
fn arguments_that_a_mistake_names_are_used() {
    for entry in [
        "a.b: id",
        "a.b == id",
        "a.b = f(id).",
        "a.b = id?",
        "a::b = id",
        "#[hash] #[hash] a.b = id",
        "#[mask(4u8)] a.b = id",
        "#[dispaly] a.b = id",
        "#[ok(n m)] a.b = id + n",
        "#[ok(n)] a.b = id + n",
        "#[when(id.await)] a.b = 1",
    ] {
        let source = format!("#[biz_attrs({entry})] fn f(id: u64, other: u64) -> Option<u64> {{}}");
        let (errors, rest) = errors(&source);
        let rest = rest.to_string();
        assert_eq!(errors.len(), 1, "{entry}: {errors:?}");
        assert!(
            rest.contains("let _ = & id ;") && !rest.contains("& other"),
            "{entry}: {rest}"
        );
    }
    let (errors, rest) = errors("#[traced(kind = \"x\", attrs(a.b = id))] fn f(id: u64) {}");
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert_eq!(rest.to_string(), "fn f (id : u64) { let _ = & id ; }");
}

/// The other entries of `tag!` are expanded, and those that can be in spite of their mistake.
#[test]
fn a_mistake_leaves_what_is_right_in_tag() {
    for (entry, is_left) in [
        ("a.b: id", true),
        ("#[hash] #[hash] a.b = id", true),
        ("a.b = id?", false),
        ("#[dispaly] a.b = id", false),
        ("a.b = header(ID)", false),
        ("#[ok(id)] a.b = id", false),
    ] {
        let item = format!("c.d = 1, {entry}");
        let rest = split_errors(&item, rustc::add("tag", &item)).1.to_string();
        assert!(rest.contains("new (\"c.d\")"), "{entry}: {rest}");
        assert_eq!(rest.contains("new (\"a.b\")"), is_left, "{entry}: {rest}");
    }
}

/// The derives give errors and an implementation that does nothing, so that no error follows where the type is used.
#[test]
fn one_error_a_mistake_in_what_is_no_attribute() {
    let mut surprises = String::new();
    for (name, item, expected) in [DERIVES, TAGS].concat() {
        let (errors, rest) = split_errors(item, rustc::add(name, item));
        let fits = |((place, text), (expected_place, part)): (&(String, String), &(&str, &str))| {
            place == expected_place && text.contains(part)
        };
        let is_as_expected =
            errors.len() == expected.len() && errors.iter().zip(expected).all(fits);
        let has_stub = rest.to_string().contains(&format!("{name} for"));
        if !is_as_expected || has_stub != name.starts_with("Biz") {
            surprises += &format!(
                "{name} {item}\n  expected {expected:?}\n  got {errors:?}\n  beside {rest}\n"
            );
        }
    }
    assert!(surprises.is_empty(), "{surprises}");
}

#[test]
fn attributes_of_others_stay_on_the_item() {
    let (errors, rest) = errors("#[doc = \"a\"] #[traced(x)] #[inline] fn f() {}");
    assert_eq!(errors.len(), 1);
    assert!(
        rest.to_string()
            .starts_with("# [doc = \"a\"] # [inline] fn f () {")
    );
}

#[test]
fn a_key_has_255_bytes_at_most() {
    let of = |bytes| format!("#[traced(attrs({} = 1))] fn f() {{}}", "k".repeat(bytes));
    assert_eq!(errors(&of(255)).0.len(), 0);
    let (errors, _) = errors(&of(256));
    assert!(
        errors[0].1.contains("this key has 256 bytes: at most 255"),
        "{errors:?}"
    );
}

/// Every run of tokens within these, as arguments and as an item.
#[test]
fn no_tokens_make_it_panic() {
    let samples = [
        "__fold(traced(name = \"x\")), order.id = f(*id), #[mask(4)] \"a-b\" => header(\"x\"), ..body, a.b.c == |x, y| x < y",
        "__fold traced, __fold(), __fold(x), __fold(3(4)), name = , kind = \"\", attrs(=), attrs, crate = ::, crate = $crate, child",
        "#[doc] #[traced] #[biz_attrs[a = ]] pub(crate) unsafe extern \"C\" fn f<'a, T>(mut self: X, a: impl A, ...) -> ! where { #![x] }",
        "= => . .. ... :: : ; # ! $ _ 'a 1.0 1u8 b\"x\" c\"x\" () [] {} fn impl struct ->",
    ];
    let item: TokenStream = CREATE.parse().expect("tokens");
    for sample in samples {
        let tokens: Vec<TokenTree> = sample
            .parse::<TokenStream>()
            .expect("tokens")
            .into_iter()
            .collect();
        for (start, end) in
            (0..=tokens.len()).flat_map(|end| (0..=end).map(move |start| (start, end)))
        {
            let part: TokenStream = tokens[start..end].iter().cloned().collect();
            for expand in [
                biztrace_macros_core::traced_handler,
                biztrace_macros_core::biz_attrs,
                biztrace_macros_core::traced,
            ] {
                assert!(!expand(part.clone(), item.clone()).is_empty());
                expand(TokenStream::new(), part.clone());
            }
        }
    }
}

/// Expands `source`; gives the place and text of each error, and the tokens behind them.
fn errors(source: &str) -> (Vec<(String, String)>, TokenStream) {
    split_errors(source, rustc::expand(source))
}

/// The place in `source` and the text of each error in `output`, and the tokens behind them.
fn split_errors(source: &str, output: TokenStream) -> (Vec<(String, String)>, TokenStream) {
    let output = match output.clone().into_iter().next() {
        // `tag!` is an expression: its errors stand in a block.
        Some(TokenTree::Group(block)) => block.stream(),
        _ => output,
    };
    let split = |input: ParseStream<'_>| {
        let mut errors = Vec::new();
        let is_error = |path: Path| path.segments.iter().any(|it| it.ident == "compile_error");
        while (input.fork().call(Path::parse_mod_style)).is_ok_and(is_error) {
            let tokens: Vec<TokenTree> =
                (0..8).map(|_| input.parse()).collect::<syn::Result<_>>()?;
            let (start, end) = (tokens[0].span().byte_range(), tokens[7].span().byte_range());
            let TokenTree::Group(text) = &tokens[7] else {
                return Err(input.error("no message"));
            };
            let text: LitStr = syn::parse2(text.stream())?;
            errors.push((source[start.start..end.end].to_owned(), text.value()));
        }
        Ok((errors, input.parse()?))
    };
    split
        .parse2(output)
        .expect("compile_error!s, then the item")
}
