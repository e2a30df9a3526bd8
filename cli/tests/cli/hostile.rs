//! Trees that somebody else wrote, for example a pull request in CI: they change nothing but their own text.

use std::fs;

use crate::{biztrace, scratch, stderr, stdout};

const ESCAPES: &str = "\u{1b}]0;pwned\u{7}\u{9b}2J\u{202e}\u{200b}";

/// Whether a text has nothing but visible characters and ends of lines.
fn is_plain(text: &str) -> bool {
    !text.contains(|c: char| {
        c != '\n' && (c.is_control() || ESCAPES[1..].contains(c) && !c.is_ascii())
    })
}

#[test]
fn nothing_of_a_tree_reaches_the_terminal_raw() {
    let folder = scratch("escapes");
    let source = format!(
        "#[biztrace::traced(name = \"a{ESCAPES}\", kind = \"k{ESCAPES}\", attrs(\"k{ESCAPES}\" = \"v{ESCAPES}\", Bad.key = \
         header(\"{ESCAPES}\")))]\nfn f() {{ let x = \"{ESCAPES}\"; }}\n#[path = \"{ESCAPES}.rs\"]\nmod gone;\n"
    );
    fs::write(folder.join("src/lib.rs"), source).expect("a writable folder");
    for arguments in [
        "catalogue",
        "catalogue --format markdown",
        "catalogue --format json",
        "expand",
        "expand --diff",
    ] {
        let output = biztrace(&folder, arguments);
        let (shown, errors) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(is_plain(&shown), "{arguments}: {shown:?}");
        assert!(is_plain(&errors), "{arguments}: {errors:?}");
        assert!(shown.contains("\\u"), "{arguments}: {shown}");
        assert!(errors.contains("\\u{1b}]0;pwned"), "{arguments}: {errors}");
    }
    let old = biztrace(&folder, "catalogue --format json").stdout;
    let old = String::from_utf8(old).expect("text");
    fs::write(folder.join("old.json"), old.replace("pwned", "other")).expect("a writable folder");
    fs::write(folder.join("src/lib.rs"), "fn f() {}").expect("a writable folder");
    let output = biztrace(&folder, "check --against old.json");
    let (shown, errors) = (stdout(&output), stderr(&output));
    assert!(
        shown.contains("removed") && shown.contains("\\u{1b}]0;other"),
        "{shown}"
    );
    assert!(
        is_plain(&shown) && is_plain(&errors),
        "{shown:?} {errors:?}"
    );
}

#[test]
fn no_text_leaves_its_cell_in_markdown() {
    let folder = scratch("markup");
    let name = "a\\n\\n# Approved by security\\n![x](http://evil/beacon)<img src=x>| `b";
    let source = format!(
        "#[biztrace::traced(name = \"{name}\", attrs(a.b = \"`{name}\", a.c = r\"\\|`\"))]\nfn f() {{}}\n"
    );
    fs::write(folder.join("src/lib.rs"), source).expect("a writable folder");
    let output = biztrace(&folder, "catalogue --format markdown");
    let shown = stdout(&output);
    assert!(output.status.success(), "{}", stderr(&output));
    let lines: Vec<&str> = shown.lines().collect();
    assert_eq!(lines.len(), 5 + 1 + 6, "{shown}");
    for (line, bars) in lines
        .iter()
        .filter(|line| line.starts_with("| ") && !line.contains("place"))
        .zip([5, 8, 8])
    {
        assert_eq!(line.matches('|').count(), bars, "{line}");
        assert!(
            !line.contains(['`', '<']) || line.contains("<code>"),
            "{line}"
        );
        assert!(!line.contains("![") && !line.contains("<img"), "{line}");
    }
}

#[test]
fn syntax_that_is_too_deep_is_an_error() {
    let folder = scratch("deep");
    let mut modules = String::new();
    for (index, (part, times)) in [
        ("-", 400_000),
        ("!", 400_000),
        ("&", 400_000),
        ("||", 400_000),
        ("return ", 400_000),
        ("a=", 400_000),
        ("A<", 100_000),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("fn f() {{ let x = {}x; }}\n", part.repeat(times));
        fs::write(folder.join(format!("src/m{index}.rs")), text).expect("a writable folder");
        modules += &format!("mod m{index};\n");
    }
    let text = format!("use {}x;\n", "a::".repeat(400_000));
    fs::write(folder.join("src/m7.rs"), text).expect("a writable folder");
    modules += "mod m7;\n#[biztrace::traced] fn fine() {}\n";
    fs::write(folder.join("src/lib.rs"), modules).expect("a writable folder");
    for arguments in ["catalogue", "expand"] {
        let output = biztrace(&folder, arguments);
        let errors = stderr(&output);
        assert_eq!(output.status.code(), Some(1), "{errors}");
        for index in 0..8 {
            let place = format!("nested deeper than 10000\n  --> src/m{index}.rs:1:");
            assert!(errors.contains(&place), "{place}: {errors}");
        }
        assert!(stdout(&output).contains("fine"), "{arguments}");
    }
}

/// A level of brackets costs more the deeper it is: memory of the parser, and spaces of the formatter.
#[test]
fn brackets_that_are_too_deep_are_an_error() {
    let folder = scratch("brackets");
    let mut modules = String::new();
    for (index, (start, open, close, end)) in [
        ("use ", "a::{", "}", ";"),
        ("#[biztrace::traced] fn f() {", "{", "}", "}"),
        ("#[biztrace::traced] fn f() { x", "(", ")", "; }"),
        ("#[a", "(", ")", "] #[biztrace::traced] fn f() {}"),
        ("#[biztrace::traced] fn f() { m!", "[", "]", "; }"),
    ]
    .into_iter()
    .enumerate()
    {
        let text = format!("{start}{}{}{end}\n", open.repeat(600), close.repeat(600));
        fs::write(folder.join(format!("src/m{index}.rs")), text).expect("a writable folder");
        modules += &format!("mod m{index};\n");
    }
    modules += "#[biztrace::traced] fn fine() {}\n";
    fs::write(folder.join("src/lib.rs"), modules).expect("a writable folder");
    for arguments in ["catalogue", "expand", "expand --diff"] {
        let output = biztrace(&folder, arguments);
        let (shown, errors) = (stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(1), "{arguments}: {errors}");
        for index in 0..5 {
            let place = format!("brackets are nested deeper than 256\n  --> src/m{index}.rs:1:");
            assert!(errors.contains(&place), "{place}: {errors}");
        }
        assert!(shown.contains("fine"), "{arguments}");
        assert!(shown.len() < 10_000, "{arguments}: {}", shown.len());
    }
}

#[test]
fn generic_arguments_that_are_too_deep_are_not_formatted() {
    let folder = scratch("generics");
    let text = format!(
        "#[biztrace::traced] fn f() {{ let x: {}u8{}; }}\n",
        "A<".repeat(1_000),
        "> ".repeat(1_000)
    );
    fs::write(folder.join("src/lib.rs"), text).expect("a writable folder");
    for arguments in ["expand", "expand --diff"] {
        let output = biztrace(&folder, arguments);
        let shown = stdout(&output);
        assert!(output.status.success(), "{}", stderr(&output));
        assert!(shown.contains("fn f"), "{arguments}");
        assert!(shown.len() < 50_000, "{arguments}: {}", shown.len());
    }
}

/// What the depth allows does not need more stack than there is.
#[test]
fn syntax_that_is_deep_enough_is_read() {
    let folder = scratch("deep_enough");
    let mut modules = String::new();
    for (index, part) in [
        "-", "||", "return ", "a=", "a+", "A::<", "a.b.", "if ", "match ",
    ]
    .into_iter()
    .enumerate()
    {
        let times = 9_900 / part.trim().len().min(2);
        let text = format!(
            "#[biztrace::traced] fn f{index}() {{ let x = {}x; }}\n",
            part.repeat(times)
        );
        fs::write(folder.join(format!("src/m{index}.rs")), text).expect("a writable folder");
        modules += &format!("mod m{index};\n");
    }
    fs::write(folder.join("src/lib.rs"), modules).expect("a writable folder");
    for arguments in ["catalogue", "expand"] {
        let output = biztrace(&folder, arguments);
        let (shown, errors) = (stdout(&output), stderr(&output));
        // Not all of it parses.
        assert_eq!(output.status.code(), Some(1), "{arguments}: {errors}");
        for index in [0, 1, 2, 3, 4] {
            assert!(shown.contains(&format!("f{index}")), "{arguments}: {index}");
        }
    }
}

#[test]
fn a_chain_of_files_has_an_end() {
    let folder = scratch("chain");
    let files = 20_000;
    for index in 0..files {
        let next = format!(
            "#[path = \"f{}.rs\"] mod m;\n#[biztrace::traced] fn f{index}() {{}}\n",
            index + 1
        );
        let name = if index == 0 {
            "lib".to_owned()
        } else {
            format!("f{index}")
        };
        fs::write(folder.join(format!("src/{name}.rs")), next).expect("a writable folder");
    }
    let output = biztrace(&folder, "catalogue");
    let errors = stderr(&output);
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(
        errors.contains("modules are nested deeper than 100\n  --> src/f"),
        "{errors}"
    );
    assert!(
        stdout(&output).contains("chain::m::f1 "),
        "{}",
        stdout(&output)
    );
}
