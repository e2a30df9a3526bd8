//! Finds the operations and targets of a query, at compile time.

use super::keyword::Keyword;
use super::scanner::{Kind, Scanner, Token};
use super::summary::QuerySummary;

/// The deepest parentheses that are followed.
const DEPTH: usize = 64;

pub(super) struct Parser<'a> {
    query: &'a [u8],
    summary: QuerySummary,
    /// Whether the summary is as long as it may be, or the parentheses as deep.
    is_full: bool,
    expected: Expected,
    /// The word before.
    before: Keyword,
    /// Whether the statement is one that creates, alters or drops, and has not said what.
    defines: bool,
    /// How many parentheses are open.
    depth: usize,
    /// The open parentheses, below the statement itself.
    parens: [Parens; DEPTH],
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    /// The first word of a statement.
    Operation,
    /// A table, or tables or a query in parentheses.
    Table,
    /// A name.
    Name,
    /// The first word in or behind parentheses: an operation or anything else.
    Query,
    Anything,
}

/// What stands in parentheses.
#[derive(Clone, Copy)]
struct Parens {
    /// A query or tables. Elsewhere, `FROM` names no table.
    has_tables: bool,
    /// Whether a comma separates tables.
    is_list: bool,
}

impl<'a> Parser<'a> {
    pub(super) const fn new(query: &'a [u8]) -> Self {
        let parens = Parens {
            has_tables: false,
            is_list: false,
        };
        Self {
            query,
            summary: QuerySummary::EMPTY,
            is_full: false,
            expected: Expected::Operation,
            before: Keyword::Other,
            defines: false,
            depth: 0,
            parens: [parens; DEPTH],
        }
    }

    pub(super) const fn read(mut self) -> QuerySummary {
        let mut scanner = Scanner::new(self.query);
        while !self.is_full {
            let is_name = matches!(self.expected, Expected::Table | Expected::Name);
            let token = scanner.next(is_name);
            match token.kind {
                Kind::End => break,
                Kind::Word => {
                    let word = Keyword::of(self.query, token);
                    self.word(token, word);
                    self.before = word;
                    continue;
                }
                Kind::Quoted if is_name => self.target(token),
                // Data, unless a table may stand here.
                Kind::Text if matches!(self.expected, Expected::Table) => self.target(token),
                Kind::Quoted | Kind::Text => self.expected = Expected::Anything,
                Kind::Symbol(symbol) => self.symbol(symbol),
            }
            self.before = Keyword::Other;
        }
        self.summary
    }

    const fn word(&mut self, token: Token, word: Keyword) {
        let Parens {
            has_tables,
            is_list,
        } = self.parens[self.depth];
        let is_first = matches!(self.expected, Expected::Query);
        match word {
            Keyword::Select => self.operation(token, Expected::Anything, false),
            Keyword::With => self.expected = Expected::Anything,
            _ if matches!(self.expected, Expected::Operation) => self.first(token, word),
            // `EXTRACT(day FROM at)` and `a IS DISTINCT FROM b` have no table.
            Keyword::From if !has_tables || matches!(self.before, Keyword::Distinct) => {}
            Keyword::From => {
                self.expected = Expected::Table;
                self.parens[self.depth].is_list = true;
            }
            Keyword::Join if has_tables => self.expected = Expected::Table,
            Keyword::Into if has_tables => self.expected = Expected::Name,
            Keyword::Using if is_list => self.expected = Expected::Name,
            Keyword::BehindTables => {
                self.parens[self.depth].is_list = false;
                self.expected = Expected::Anything;
            }
            Keyword::Defined if self.defines => {
                self.defines = false;
                self.operation(token, Expected::Name, false);
            }
            // Not behind other words, as in `DO UPDATE`, `FOR UPDATE` and `ON DELETE`.
            Keyword::Insert if is_first => self.operation(token, Expected::Name, false),
            Keyword::Update | Keyword::Merge if is_first => {
                self.operation(token, Expected::Name, true);
            }
            Keyword::Delete if is_first => self.operation(token, Expected::Anything, false),
            _ => self.other(token, word),
        }
    }

    /// The first word of a statement is its operation, whatever it is.
    const fn first(&mut self, token: Token, word: Keyword) {
        self.defines = matches!(word, Keyword::Define);
        match word {
            Keyword::Update | Keyword::Merge => self.operation(token, Expected::Name, true),
            Keyword::Insert | Keyword::Call => self.operation(token, Expected::Name, false),
            Keyword::Copy => {
                self.operation(token, Expected::Name, false);
                // It copies from a file.
                self.parens[self.depth].has_tables = false;
            }
            _ => self.operation(token, Expected::Anything, false),
        }
    }

    const fn other(&mut self, token: Token, word: Keyword) {
        let is_skipped = matches!(self.before, Keyword::Or)
            || matches!(
                word,
                Keyword::BeforeTarget | Keyword::Or | Keyword::Defined | Keyword::Into
            );
        match self.expected {
            Expected::Table | Expected::Name if is_skipped => {}
            Expected::Table | Expected::Name => self.target(token),
            _ => self.expected = Expected::Anything,
        }
    }

    const fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'(' | b'[' | b'{' => {
                let has_tables = matches!(self.expected, Expected::Table);
                if !matches!(self.expected, Expected::Table | Expected::Operation) {
                    self.expected = Expected::Query;
                }
                if self.depth + 1 == DEPTH {
                    self.is_full = true;
                    return;
                }
                self.depth += 1;
                self.parens[self.depth] = Parens {
                    has_tables,
                    is_list: has_tables,
                };
            }
            b')' | b']' | b'}' => {
                self.depth = self.depth.saturating_sub(1);
                self.expected = Expected::Query;
            }
            b',' if self.parens[self.depth].is_list => self.expected = Expected::Table,
            b';' => {
                self.depth = 0;
                self.defines = false;
                self.expected = Expected::Operation;
            }
            _ => self.expected = Expected::Anything,
        }
    }

    const fn operation(&mut self, token: Token, next: Expected, is_list: bool) {
        self.add(token);
        self.expected = next;
        self.parens[self.depth] = Parens {
            has_tables: true,
            is_list,
        };
    }

    const fn target(&mut self, token: Token) {
        self.add(token);
        self.expected = Expected::Anything;
    }

    const fn add(&mut self, token: Token) {
        let (begin, _) = self.query.split_at(token.end);
        if !self.summary.push(begin.split_at(token.start).1) {
            self.is_full = true;
        }
    }
}
