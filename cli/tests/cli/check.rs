//! `cargo biztrace check`.

use std::fs;
use std::path::{Path, PathBuf};

use crate::{assert_recorded, biztrace, fixture, scratch, stderr, stdout};

#[test]
fn check_finds_no_change_in_what_is_the_same() {
    let folder = scratch("unchanged");
    let catalogue = biztrace(&fixture("orders"), "catalogue --format json");
    let file = folder.join("catalogue.json");
    fs::write(&file, catalogue.stdout).expect("a writable file");
    let output = biztrace(
        &fixture("orders"),
        &format!("check --against {}", file.display()),
    );
    assert!(output.status.success(), "{}", stderr(&output));
    assert_eq!(stdout(&output), "No span or tag has changed.\n");
}

#[test]
fn check_fails_where_a_tag_has_gone_or_was_retyped() {
    assert_recorded("check.txt", "orders", "check --against before.json");
}

#[test]
fn check_lets_additions_pass() {
    assert_recorded("check_additions.txt", "orders", "check --against less.json");
}

/// A project of one file, with the catalogue of it as it is.
fn catalogued(name: &str, source: &str) -> PathBuf {
    let folder = scratch(name);
    fs::write(folder.join("src/lib.rs"), source).expect("a writable folder");
    let catalogue = biztrace(&folder, "catalogue --format json");
    assert!(catalogue.status.success(), "{}", stderr(&catalogue));
    fs::write(folder.join("catalogue.json"), catalogue.stdout).expect("a writable folder");
    folder
}

/// Checks the project of [`catalogued`] after a change: the exit code, and what it prints.
fn check_changed(folder: &Path, source: &str) -> (Option<i32>, String, String) {
    fs::write(folder.join("src/lib.rs"), source).expect("a writable folder");
    let output = biztrace(folder, "check --against catalogue.json");
    (output.status.code(), stdout(&output), stderr(&output))
}

const TWO_ORDERS: &str = "
mod v1 {
    #[derive(BizAttrs)] struct Order { #[biz] sku: String, #[biz] gift: bool }
    #[traced(attrs(..o))] fn first(o: &Order) {}
}
mod v2 {
    #[derive(BizAttrs)] struct Order { #[biz] amount: f64 }
    #[traced(attrs(..o))] fn second(o: &Order) {}
}
mod odd { struct String; struct bool; }
";

#[test]
fn check_sees_the_tags_of_two_types_of_one_name() {
    let folder = catalogued("two_orders", TWO_ORDERS);
    let (code, changes, _) = check_changed(&folder, TWO_ORDERS);
    assert_eq!(
        (code, changes.as_str()),
        (Some(0), "No span or tag has changed.\n")
    );
    let (code, changes, _) = check_changed(&folder, &TWO_ORDERS.replace("#[biz] gift", "gift"));
    assert_eq!(code, Some(1));
    assert_eq!(
        changes,
        " removed tag `gift` of span `first`, boolean (was src/lib.rs:4)\n"
    );
    let (code, changes, _) = check_changed(&folder, &TWO_ORDERS.replace("gift: bool", "gift: u8"));
    assert_eq!(code, Some(1));
    assert!(changes.contains("from boolean to int"), "{changes}");
}

#[test]
fn check_fails_for_a_spread_that_is_no_longer_known() {
    let folder = catalogued("spreads", TWO_ORDERS);
    let unknown = TWO_ORDERS.replace("first(o: &Order)", "first(o: &elsewhere::Order)");
    let (code, changes, errors) = check_changed(&folder, &unknown);
    assert_eq!(code, Some(1));
    assert!(
        changes.contains("removed tag `gift` of span `first`"),
        "{changes}"
    );
    assert!(
        changes.contains(" unknown spread `..o` of span `first` (src/lib.rs:4)\n"),
        "{changes}"
    );
    assert!(errors.contains("from which missing tags can't be detected: 1"));

    let added = format!("{TWO_ORDERS}\n#[traced(attrs(..x))] fn third(x: Order) {{}}");
    let (code, changes, _) = check_changed(&folder, &added);
    assert_eq!(code, Some(1));
    assert!(
        changes.contains("unknown spread `..x` of span `third`"),
        "{changes}"
    );
}

#[test]
fn check_warns_of_a_spread_that_was_never_known() {
    let unknown = "#[traced(attrs(..o))] fn first(o: &elsewhere::Order) {}";
    let folder = catalogued("never_known", unknown);
    let (code, changes, errors) = check_changed(&folder, unknown);
    assert_eq!(
        (code, changes.as_str()),
        (Some(0), "No span or tag has changed.\n")
    );
    assert!(
        errors.starts_with("warning: the type of spread `..o` of span `first` is unknown"),
        "{errors}"
    );
}

#[test]
fn check_stops_at_what_does_not_parse() {
    let source = "#[traced]\nfn f(a: u8) {\n    call(1);\n}\n";
    let folder = catalogued("unparsed", source);
    let is = |from: &str, to: &str, expected: &str| {
        let (code, changes, errors) = check_changed(&folder, &source.replace(from, to));
        assert_eq!((code, changes.as_str()), (Some(1), ""));
        assert_eq!(errors, format!("error: {expected}\n"));
    };
    is(
        "call(1)",
        "call 1",
        "this file does not parse: unexpected token, expected `;`\n  --> src/lib.rs:3:10",
    );
    is(
        "call(1)",
        "call(1",
        "this file does not parse: this `(` is not closed before the `}` in line 4\n  --> src/lib.rs:3:9",
    );
    is(
        "call(1);\n}",
        "[1; 2];",
        "this file does not parse: this `{` is never closed\n  --> src/lib.rs:2:13",
    );
    is(
        "call(1);\n}",
        "}]",
        "this file does not parse: this `]` closes nothing\n  --> src/lib.rs:3:6",
    );
    is(
        "1",
        "\"größe",
        "this file does not parse: this does not start a token: a string or a comment may not be closed\n  --> src/lib.rs:3:10",
    );
    is(
        "#[traced]",
        "#[traced(kind = \"klient\")]",
        "unknown span kind: expected one of `\"internal\"`, `\"server\"`, `\"client\"`, `\"producer\"`, `\"consumer\"`\n  --> src/lib.rs:1:17",
    );
    // The others go on.
    assert!(stdout(&biztrace(&fixture("broken"), "catalogue")).contains("fine"));
}

#[test]
fn check_says_what_is_wrong_with_a_catalogue() {
    let folder = scratch("unreadable");
    let check = |text: &str| {
        let file = folder.join("catalogue.json");
        fs::write(&file, text).expect("a writable file");
        let output = biztrace(
            &fixture("orders"),
            &format!("check --against {}", file.display()),
        );
        assert_eq!(output.status.code(), Some(1));
        stderr(&output)
    };
    assert!(check("{\"version\": 2}").contains("is a catalogue of version 2"));
    assert!(check("{}").contains("has no `version`"));
    assert!(check("{\"version\": 1}").contains("missing field `spans`"));
    assert!(check("no").contains("is not JSON"));
    let output = biztrace(&fixture("orders"), "check --against gone.json");
    assert!(stderr(&output).contains("`gone.json` can't be read"));
    // Usage, as of any cargo command.
    assert_eq!(biztrace(&fixture("orders"), "check").status.code(), Some(2));
}

#[test]
fn check_warns_of_protected_values_that_may_be_in_the_url() {
    const SOURCE: &str = "
type CardPath = web::Path<String>;
#[derive(BizAttrs)] struct Holder { #[biz(pii)] name: String }
#[traced_handler] #[biz_attrs(#[mask(4)] card.number = card.as_str())] async fn unclear(card: CardPath) {}
#[traced_handler] #[biz_attrs(..holder)] async fn spread(holder: Holder) {}
#[traced_handler] #[biz_attrs(#[pii] a = *card, #[pii] b = query(\"b\"), #[pii] c = &body.c, d = user.id)]
async fn clear(card: web::Path<String>, body: web::Json<Body>, user: User) {
    biztrace::tag!(#[pii] e = query(\"e\"), f = 1);
    biztrace::tag!(#[pii] g = card_number);
}
#[traced] #[biz_attrs(#[pii] h = id)] fn below(id: u64) { biztrace::tag!(#[pii] i = id); }
";
    let folder = catalogued("unclear_urls", SOURCE);
    let (code, _, warnings) = check_changed(&folder, SOURCE);
    assert_eq!(code, Some(0));
    let places: Vec<_> = warnings
        .lines()
        .filter_map(|line| Some(line.split_once("--> ")?.1))
        .collect();
    assert_eq!(
        places,
        ["src/lib.rs:4", "src/lib.rs:5", "src/lib.rs:9"],
        "{warnings}"
    );
    assert!(
        warnings.contains("the type of `card: CardPath` does not say"),
        "{warnings}"
    );
    assert!(warnings.contains("`g` is protected"), "{warnings}");
}
