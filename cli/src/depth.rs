//! How deep the syntax of a file may be, measured on its tokens before anything recursive reads them.
//!
//! Syntax nests in brackets, and also without them: `- - - x`, `a = b = c`, `A<A<A<…`, `return return x`, `a + b + c`. Each level of it
//! has an operator, a keyword or a bracket of its own. So a run of tokens between separators is at most as deep as their
//! number, plus the depth of its deepest bracket:
//!
//! ```text
//! let x = - - f ( a , b [ 0 ] ) ; return x ;
//! └─────────── run ───────────┘   └─ run ─┘
//!                 └┘  └─────┘  runs of the bracket
//! ```

use std::iter::Peekable;

use proc_macro2::{Delimiter, Group, Punct, Spacing, Span, TokenStream, TokenTree, token_stream};
use syn::Error;

use crate::highlight::KEYWORDS;

/// Parsing is recursive: syntax that is deeper than this may overflow the stack.
const MAX_DEPTH: usize = 10_000;

/// What brackets cost grows with the square of their depth: the parser copies what is within them, and the formatter indents it. Code that
/// people or generators write stays far below; rustc's own `recursion_limit` is 128.
const MAX_BRACKETS: usize = 256;

/// Fails on tokens whose syntax may be too deep to parse.
pub(crate) fn check(tokens: TokenStream) -> syn::Result<()> {
    let mut open = vec![Level::new(None, tokens)];
    while let Some(level) = open.last_mut() {
        let inner = match level.tokens.next() {
            Some(TokenTree::Group(group)) => group,
            Some(token) => {
                level.run.token(&token);
                let (place, separates) = (token.span(), level.run.ends_with(&token));
                level.check(place)?;
                if separates {
                    level.end_run();
                }
                continue;
            }
            None => {
                if let Some(closed) = open.pop()
                    && let Some(outer) = open.last_mut()
                {
                    outer.close(closed)?;
                }
                continue;
            }
        };
        level.run.levels += 1;
        if open.len() > MAX_BRACKETS {
            let message = format!("brackets are nested deeper than {MAX_BRACKETS}");
            return Err(Error::new(inner.span_open(), message));
        }
        let tokens = inner.stream();
        open.push(Level::new(Some(inner), tokens));
    }
    Ok(())
}

/// A bracket that is being measured.
struct Level {
    /// `None` for the file.
    bracket: Option<Group>,
    tokens: Peekable<token_stream::IntoIter>,
    /// The current run.
    run: Run,
    /// The depth of its deepest run so far.
    deepest: usize,
}

impl Level {
    fn new(bracket: Option<Group>, tokens: TokenStream) -> Self {
        Self {
            bracket,
            tokens: tokens.into_iter().peekable(),
            run: Run::default(),
            deepest: 0,
        }
    }

    /// Takes in a bracket of the current run, which is measured.
    fn close(&mut self, inner: Self) -> syn::Result<()> {
        let Some(bracket) = inner.bracket else {
            return Ok(());
        };
        let depth = inner.deepest.max(inner.run.depth());
        self.run.deepest_bracket = self.run.deepest_bracket.max(depth);
        self.check(bracket.span_open())?;
        if bracket.delimiter() == Delimiter::Brace && self.begins_anew() {
            self.end_run();
        }
        Ok(())
    }

    fn check(&self, place: Span) -> syn::Result<()> {
        if self.run.depth() > MAX_DEPTH {
            let message =
                format!("operators, keywords and brackets are nested deeper than {MAX_DEPTH}");
            return Err(Error::new(place, message));
        }
        Ok(())
    }

    fn end_run(&mut self) {
        let run = std::mem::take(&mut self.run);
        self.deepest = self.deepest.max(run.depth());
    }

    /// Whether what follows braces can't continue what they are part of.
    fn begins_anew(&mut self) -> bool {
        match self.tokens.peek() {
            Some(TokenTree::Ident(word)) => !["as", "else", "in"].iter().any(|it| word == it),
            Some(TokenTree::Punct(punct)) => matches!(punct.as_char(), '#' | '\''),
            Some(TokenTree::Group(_)) => false,
            Some(TokenTree::Literal(_)) | None => true,
        }
    }
}

/// Tokens between separators.
#[derive(Default)]
struct Run {
    /// The number of its operators, keywords and brackets.
    levels: usize,
    deepest_bracket: usize,
    /// The `<` that are open. A comparison makes this inexact.
    angles: isize,
    has_bar: bool,
    /// The last token, if the next one belongs to it, as in `=>` and `::`.
    joint: Option<char>,
}

impl Run {
    fn depth(&self) -> usize {
        self.levels + self.deepest_bracket
    }

    fn token(&mut self, token: &TokenTree) {
        let is_level = match token {
            TokenTree::Ident(word) => KEYWORDS.iter().any(|keyword| word == keyword),
            TokenTree::Punct(punct) => self.punct(punct),
            TokenTree::Literal(_) | TokenTree::Group(_) => false,
        };
        self.levels += usize::from(is_level);
    }

    fn punct(&mut self, punct: &Punct) -> bool {
        let c = punct.as_char();
        match (self.joint, c) {
            (Some('-'), '>') => {}
            // The pattern ends: what is open in it were comparisons and alternatives.
            (Some('='), '>') => (self.angles, self.has_bar) = (0, false),
            (_, '<') => self.angles += 1,
            (_, '>') => self.angles -= 1,
            (_, '|') => self.has_bar = true,
            _ => {}
        }
        self.joint = (punct.spacing() == Spacing::Joint).then_some(c);
        match c {
            ',' | ';' | '\'' | '#' | '$' => false,
            // The paths of `use` nest.
            ':' => self.joint.is_some(),
            _ => true,
        }
    }

    /// Whether the run ends with `token`. A comma may also stand within `A<B, C>` or `|a, b|`, where the run goes on.
    fn ends_with(&self, token: &TokenTree) -> bool {
        match token {
            TokenTree::Punct(punct) if punct.as_char() == ';' => true,
            TokenTree::Punct(punct) if punct.as_char() == ',' => self.angles == 0 && !self.has_bar,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    fn message(text: &str) -> String {
        let tokens = text.parse().expect("tokens");
        check(tokens).map_or_else(|error| error.to_string(), |()| String::new())
    }

    #[test]
    fn code_of_any_length_passes() {
        for (part, times) in [
            ("fn f() -> Vec<u8> { a(b) + c } ", 11_000),
            (
                "#[derive(Debug)] pub struct S<T> { a: Option<T>, b: HashMap<A, B> } ",
                5_000,
            ),
            ("const A: u8 = -1 << 3; ", 11_000),
        ] {
            assert_eq!(message(&part.repeat(times)), "", "{part}");
        }
        for (part, times) in [
            ("-1.5, ", 11_000),
            ("(-1, a::b(&c)), ", 11_000),
            ("a: Vec<HashMap<A, B>>, ", 11_000),
            ("1 => { -a } ", 11_000),
            ("A::B => c, ", 11_000),
            ("A::B | A::C => 1, ", 11_000),
            ("x if x < 5 => a + x, ", 11_000),
            ("if a < b { c } ", 11_000),
        ] {
            assert_eq!(
                message(&format!("{{ {} }}", part.repeat(times))),
                "",
                "{part}"
            );
        }
    }

    #[test]
    fn nesting_without_brackets_is_found() {
        for part in [
            "- ",
            "! ",
            "& ",
            "|| ",
            "|a, b| ",
            "return ",
            "a = ",
            "a + ",
            "A<",
            "A<u8, ",
            "x.y.",
            "a::",
            "x as ",
            "*const ",
            "else if a {} ",
            "for S {} in ",
            "match ",
            "for<'a, 'b> fn() -> ",
            "a | |x, y| ",
            "()",
            "[0]",
            "? ",
        ] {
            let text = part.repeat(11_000);
            assert_eq!(
                message(&format!("fn f() {{ let x = {text} }}")),
                "operators, keywords and brackets are nested deeper than 10000",
                "{part}"
            );
        }
    }

    #[test]
    fn nesting_adds_up() {
        // At each level of brackets, a little without them.
        let text = format!("{}x{}", "- - (".repeat(250), ") + 1".repeat(250));
        assert_eq!(message(&text), "");
        let minus = "- ".repeat(50);
        let text = format!("{}x{}", format!("{minus}(").repeat(250), ")".repeat(250));
        assert!(message(&text).contains("deeper than 10000"));
    }

    #[test]
    fn brackets_have_a_limit_of_their_own() {
        for (open, close) in [("(", ")"), ("{", "}"), ("a::{", "}"), ("m!([", "])")] {
            let nested = |levels: usize| {
                message(&format!("{}{}", open.repeat(levels), close.repeat(levels)))
            };
            assert_eq!(nested(128), "", "{open}");
            assert_eq!(nested(257), "brackets are nested deeper than 256", "{open}");
        }
        assert_eq!(
            message(&format!("{}{}", "[".repeat(256), "]".repeat(256))),
            ""
        );
    }
}
