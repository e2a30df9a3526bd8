//! What counts as an import, by small crates.

use structure::{CrateSources, circles, imports};

/// The imports of a crate with these files, each as `importing file > imported file`.
fn found(files: &[(&str, &str)]) -> Vec<String> {
    let mut found: Vec<_> = imports(&crate_of(files))
        .into_iter()
        .map(|import| format!("{} > {}", import.by, import.of))
        .collect();
    found.dedup();
    found
}

fn crate_of(files: &[(&str, &str)]) -> CrateSources {
    CrateSources::of("lib.rs", &|file| {
        let mut files = files.iter();
        files
            .find(|(name, _)| *name == file)
            .map(|(_, text)| (*text).to_owned())
    })
}

#[test]
fn each_kind_of_path_is_resolved_to_the_file_of_the_item() {
    const ROOT: (&str, &str) = ("lib.rs", "mod a; mod b;");
    const INDEX: (&str, &str) = (
        "b/mod.rs",
        "mod c; pub(crate) use self::c::{Item, f}; pub(crate) struct Index; made_by_a_macro!(Made);",
    );
    const C: (&str, &str) = (
        "b/c.rs",
        "pub(crate) struct Item; pub(crate) fn f() {} macro_rules! m { () => {} }",
    );
    for (what, a, expected) in [
        (
            "a path from the root",
            "use crate::b::c::Item;",
            "a.rs > b/c.rs",
        ),
        (
            "through a re-export",
            "use crate::b::Item;",
            "a.rs > b/c.rs",
        ),
        (
            "under another name",
            "use crate::b::Item as I;",
            "a.rs > b/c.rs",
        ),
        ("in a group", "use crate::{b::{Item}};", "a.rs > b/c.rs"),
        (
            "an item of the index",
            "use super::b::Index;",
            "a.rs > b/mod.rs",
        ),
        (
            "an item that a macro defines",
            "use crate::b::Made;",
            "a.rs > b/mod.rs",
        ),
        ("all items", "use crate::b::c::*;", "a.rs > b/c.rs"),
        (
            "in an expression",
            "fn g() { crate::b::c::f() }",
            "a.rs > b/c.rs",
        ),
        (
            "below an imported module",
            "use crate::b::c; fn g() { c::f() }",
            "a.rs > b/c.rs",
        ),
        (
            "below `self` of a group",
            "use crate::b::{self}; fn g() { b::f() }",
            "a.rs > b/c.rs",
        ),
        (
            "in a type",
            "struct S(Vec<crate::b::Item>);",
            "a.rs > b/c.rs",
        ),
        (
            "within a function",
            "fn g() { use crate::b::f; f() }",
            "a.rs > b/c.rs",
        ),
        (
            "in the tokens of a macro",
            "fn g() { m!(x, crate::b::f()) }",
            "a.rs > b/c.rs",
        ),
        (
            "in a module within the file",
            "mod inner { use crate::b::f; }",
            "a.rs > b/c.rs",
        ),
        ("a module that nothing is taken of", "use crate::b;", ""),
        ("another crate", "use std::b::c; fn g() { c::f() }", ""),
        ("a visibility", "pub(in crate::b) struct S;", ""),
        (
            "a module of tests",
            "#[cfg(test)] mod tests { use crate::b::f; }",
            "",
        ),
        (
            "a file of tests",
            "#[cfg(all(test, feature = \"f\"))] mod tests;",
            "",
        ),
        (
            "a function of tests",
            "impl S { #[cfg(test)] fn g() { crate::b::f() } }",
            "",
        ),
    ] {
        let expected: Vec<_> = expected.split_terminator(", ").collect();
        assert_eq!(found(&[ROOT, INDEX, C, ("a.rs", a)]), expected, "{what}");
    }
}

#[test]
fn names_that_depend_on_a_feature_lead_to_each_file() {
    let files = [
        (
            "lib.rs",
            "#[cfg(x)] mod t; #[cfg(not(x))] #[path = \"no_t.rs\"] mod t; mod a;",
        ),
        ("t.rs", "pub(crate) fn f() {}"),
        ("no_t.rs", "pub(crate) fn f() {}"),
        ("a.rs", "use crate::t::f;"),
    ];
    assert_eq!(found(&files), ["a.rs > no_t.rs", "a.rs > t.rs"]);
}

#[test]
fn a_parent_is_part_of_a_circle_only_if_it_uses_its_child() {
    let child = (
        "child.rs",
        "use super::Parent; pub(crate) struct Child(Parent);",
    );
    for (parent, expected) in [
        (
            "mod child; pub use child::Child; pub(crate) struct Parent;",
            0,
        ),
        ("mod child; use child::Child; pub(crate) struct Parent;", 1),
        ("mod child; pub(crate) struct Parent(Box<child::Child>);", 1),
    ] {
        let circles = circles(&imports(&crate_of(&[("lib.rs", parent), child])));
        assert_eq!(circles.len(), expected, "{parent}");
    }
}

#[test]
fn a_circle_by_way_of_others_is_found_once() {
    let files = [
        ("lib.rs", "mod a; mod b; mod c; mod d;"),
        ("a.rs", "use crate::b::f; pub(crate) fn f() {}"),
        ("b.rs", "use crate::c::f; pub(crate) fn f() {}"),
        ("c.rs", "use crate::{a::f, d::g}; pub(crate) fn f() {}"),
        ("d.rs", "pub(crate) fn g() {}"),
    ];
    let circles = circles(&imports(&crate_of(&files)));
    let circles: Vec<Vec<_>> = circles
        .into_iter()
        .map(|it| it.into_iter().collect())
        .collect();
    assert_eq!(circles, [["a.rs", "b.rs", "c.rs"]]);
}
