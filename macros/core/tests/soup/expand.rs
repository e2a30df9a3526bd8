//! Reads bytes as a macro, its arguments and its item, and expands them.

use biztrace_macros_core::{
    biz_attrs, derive_biz_attrs, derive_biz_value, tag, traced, traced_handler,
};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::Block;
use syn::parse::{ParseStream, Parser};

/// Expands what `bytes` stand for: the macro, its arguments, [`SEPARATOR`], its item. No bytes may make it panic. What is for
/// rustc to read has to be whole: items beside an item that is, items of a derive, statements of `tag!`.
///
/// # Panics
///
/// If either does not hold.
pub(crate) fn expand(bytes: &[u8]) {
    let Some((&first, rest)) = bytes.split_first() else {
        return;
    };
    let mut parts = rest.splitn(2, |&byte| byte == SEPARATOR).map(tokens);
    let (args, item) = (
        parts.next().unwrap_or_default(),
        parts.next().unwrap_or_default(),
    );
    let attribute = |expand: fn(TokenStream, TokenStream) -> TokenStream| {
        let expansion = expand(args.clone(), item.clone());
        let whole = !is_items(&item) || is_items(&expansion) || has_reader(&quote!(#args #item));
        (whole, expansion)
    };
    let derive = |expand: fn(TokenStream) -> TokenStream| {
        let expansion = expand(item.clone());
        (is_items(&expansion), expansion)
    };
    let (whole, expansion) = match first % 7 {
        0 => attribute(traced_handler),
        1 => attribute(biz_attrs),
        2 => attribute(traced),
        3 => derive(derive_biz_attrs),
        4 => derive(derive_biz_value),
        5 => {
            let expansion = tag(quote!([::biztrace] #args));
            (is_statements(&expansion) || has_reader(&args), expansion)
        }
        // Without the path that its `macro_rules!` hands on.
        _ => (true, tag(args.clone())),
    };
    assert!(
        whole,
        "macro {first}, arguments\n  {args}\non\n  {item}\nmakes\n  {expansion}"
    );
}

/// A reader is recognised by its tokens, in a pattern too, where no call can stand. That is for rustc to say.
fn has_reader(tokens: &TokenStream) -> bool {
    let text = tokens.to_string();
    ["header (", "query (", "cookie ("]
        .iter()
        .any(|reader| text.contains(reader))
}

fn is_statements(tokens: &TokenStream) -> bool {
    Block::parse_within.parse2(tokens.clone()).is_ok()
}

fn is_items(tokens: &TokenStream) -> bool {
    let items = |input: ParseStream<'_>| {
        while !input.is_empty() {
            input.parse::<syn::Item>()?;
        }
        Ok(())
    };
    items.parse2(tokens.clone()).is_ok()
}

/// Ends the arguments.
pub(crate) const SEPARATOR: u8 = 255;

/// Each byte is a word; the first five open and close groups.
fn tokens(bytes: &[u8]) -> TokenStream {
    fn group(bytes: &mut std::slice::Iter<'_, u8>) -> TokenStream {
        let mut tokens = TokenStream::new();
        while let Some(&byte) = bytes.next() {
            let delimiter = match byte {
                0 => break,
                1 => Delimiter::Parenthesis,
                2 => Delimiter::Bracket,
                3 => Delimiter::Brace,
                // As around a fragment that `macro_rules!` hands on.
                4 => Delimiter::None,
                word => {
                    let word = WORDS[usize::from(word - 5) % WORDS.len()];
                    tokens.extend(word.parse::<TokenStream>().expect("words are tokens"));
                    continue;
                }
            };
            tokens.extend([TokenTree::from(Group::new(delimiter, group(bytes)))]);
        }
        tokens
    }
    let mut bytes = bytes.iter();
    let mut all = TokenStream::new();
    // Closing what was never opened closes nothing.
    while !bytes.as_slice().is_empty() {
        all.extend(group(&mut bytes));
    }
    all
}

/// What the grammar knows, and what may stand beside it. The corpus names words by their place: new ones go to the end.
const WORDS: &[&str] = &[
    // Punctuation.
    ",",
    "=",
    ".",
    "..",
    "..=",
    "#",
    "#!",
    ":",
    "::",
    ";",
    "->",
    "=>",
    "==",
    "-",
    "&",
    "*",
    "|",
    "||",
    "?",
    "!",
    "<",
    ">",
    "@",
    "$",
    "'a",
    "+",
    "_",
    "~",
    // Literals.
    "1",
    "-1",
    "1.5",
    "0xff_u8",
    "99999999999999999999",
    "'c'",
    "b'c'",
    "\"\"",
    "\"order.id\"",
    "\"Order ID\"",
    "\"otel.name\"",
    "r#\"raw\"#",
    "b\"bytes\"",
    "c\"c\"",
    "true",
    "false",
    "1.0.0",
    "\"server\"",
    "\"client\"",
    // Names.
    "order",
    "id",
    "order.id",
    "tenant.id",
    "otel.status",
    "r#type",
    "type",
    "crate",
    "self",
    "Self",
    "super",
    "body",
    "receipt",
    "Ok",
    "Err",
    "Some",
    "None",
    "__tags",
    "__biztrace_span",
    "__fold",
    "é",
    // Options and readers.
    "child",
    "name",
    "kind",
    "attrs",
    "err",
    "parent",
    "header(\"x-tenant-id\")",
    "query(\"q\")",
    "cookie(\"c\")",
    "baggage(\"b\")",
    "header",
    "hash",
    "mask",
    "pii",
    "baggage",
    "inherit",
    "log",
    "metric",
    "when",
    "ok",
    "ret",
    "display",
    "debug",
    "max_len",
    "biz",
    "skip",
    "rename",
    "prefix",
    "key",
    "links",
    "ok_if",
    "err_if",
    // Attributes on the item, ours and others'.
    "#[traced]",
    "#[traced_handler]",
    "#[biz_attrs(order.id = id)]",
    "#[biztrace::traced(name = \"x\")]",
    "#[doc = \"d\"]",
    "#[inline]",
    "traced",
    "traced_handler",
    "biz_attrs",
    "biztrace",
    "cfg",
    "#![allow(unused)]",
    // Keywords.
    "fn",
    "async",
    "async move",
    "await",
    "pub",
    "const",
    "unsafe",
    "extern \"C\"",
    "impl",
    "dyn",
    "where",
    "for",
    "mut",
    "ref",
    "return",
    "struct",
    "enum",
    "trait",
    "mod",
    "static",
    "let",
    "if",
    "else",
    "match",
    "move",
    "use",
    "loop",
    "macro",
    "in",
    "as",
    "while",
    // Types.
    "u64",
    "String",
    "&str",
    "Result<u64, String>",
    "Option<u64>",
    "web::Path<u64>",
    "web::Json<Order>",
    "HttpRequest",
    "impl Future<Output = u64>",
    "BoxFuture<'static, u64>",
    "T: Value",
    "<T>",
    "<'a, T, const N: usize>",
    "()",
    "!",
    "actix_web::HttpRequest",
    "&HttpRequest",
    "Vec<T>",
    // Whole items, arguments and entries.
    "async fn create(id: u64) -> u64 { id }",
    "fn create(&self, id: u64) -> Result<u64, String> { Ok(id) }",
    "async fn create(id: web::Path<u64>, req: HttpRequest) -> impl Responder { id.to_string() }",
    "pub(crate) async unsafe fn create<T: Value>(Json(order): Json<T>, _: &mut u8) where T: Copy { return; }",
    "fn create();",
    "fn never() -> ! { loop {} }",
    "struct Order { #[biz] amount: f64, id: u64 }",
    "enum Payment { Alipay, Card }",
    "order.id = id,",
    "order.amount = order.amount,",
    "#[mask(4)]",
    "#[when(id > 1)]",
    "#[ok(receipt)]",
    "#[err(e)]",
    "#[ret(_)]",
    "#[hash]",
    "..order",
    "..body,",
    "name = \"x\"",
    "kind = \"client\"",
    "attrs(order.id = id)",
    "crate = biztrace",
    "__fold(traced(kind = \"client\")),",
    "__fold",
    "id: u64",
    "|x| x + 1",
    "nested",
    "rename_all",
    "rename_all = \"snake_case\"",
    "none",
    "parent = none",
    "links = [cx]",
    "ok_if = |_| true",
    "err_if = |_| false",
    "#[biz]",
    "#[biz(nested)]",
    "#[biz(key = \"a.b\", hash)]",
    "#[biz(prefix = \"order\")]",
    "#[biz(rename = \"x\")]",
    "#[biz(skip)]",
    "#[inherit]",
    "#[pii]",
    "#[display]",
    "#[max_len(64)]",
    "#[cfg(test)]",
    "impl Stream<Item = u64>",
    "Pin<Box<dyn Future<Output = u64> + Send>>",
    "BoxStream<'static, u64>",
    "fn later(id: u64) -> Pin<Box<dyn Future<Output = u64>>> { Box::pin(async move { id }) }",
    "struct Order<'a, T: Value>(#[biz(key = \"a\")] &'a T, u8);",
    "enum Payment { #[biz(rename = \"a\")] A = 1, B }",
    "enum Payment<T> { A(T), B { id: u64 } }",
    "{ let x = 1; x }",
    "if id > 1 { 1 } else { 2 }",
    "async { 1 }.await",
    "macro_call!(x)",
    "id?",
];
