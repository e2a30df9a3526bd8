//! `db.query.summary`: what a query does and to which tables, found at compile time.

mod scanner;
#[cfg(test)]
mod tests;

use scanner::{Kind, Scanner, Token};

/// The conventions' limit of a summary, in characters. Ours is in bytes.
const LIMIT: usize = 255;

/// How much of a query is read, in bytes: rustc refuses constants that take long.
const READ: usize = 8 << 10;

/// The deepest parentheses that are followed.
const DEPTH: usize = 64;

/// The operations and targets of a query, in the order in which they stand in it: `INSERT shipping_details SELECT orders`.
///
/// By the conventions for databases, "Generating a summary of the query". Words and names are as the query has them. Names that
/// `WITH` defines count as targets where they are read.
#[derive(Debug)]
pub struct QuerySummary {
    text: [u8; LIMIT],
    len: usize,
}

impl QuerySummary {
    /// The summary of the first 8 KiB of `query`.
    #[must_use]
    pub const fn of(query: &str) -> Self {
        let mut parser = Parser {
            query: query.as_bytes(),
            summary: Self {
                text: [0; LIMIT],
                len: 0,
            },
            is_full: false,
            expected: Expected::Operation,
            previous: Token {
                kind: Kind::End,
                start: 0,
                end: 0,
            },
            defines: false,
            depth: 0,
            queries: [false; DEPTH],
            lists: [false; DEPTH],
        };
        parser.queries[0] = true;
        parser.read();
        parser.summary
    }

    /// `None` for a query without an operation.
    #[must_use]
    pub const fn get(&self) -> Option<&str> {
        if self.len == 0 {
            return None;
        }
        match str::from_utf8(self.text.split_at(self.len).0) {
            Ok(text) => Some(text),
            // Only whole tokens are in it, and a token ends at ASCII.
            Err(_) => None,
        }
    }

    /// The summary, or else the name of the database `system`.
    #[must_use]
    pub const fn or<'a>(&'a self, system: &'a str) -> &'a str {
        match self.get() {
            Some(summary) => summary,
            None => system,
        }
    }

    /// Adds a part, unless it does not fit.
    const fn push(&mut self, part: &[u8]) -> bool {
        let space = if self.len == 0 { 0 } else { 1 };
        if self.len + space + part.len() > LIMIT {
            return false;
        }
        if space == 1 {
            self.text[self.len] = b' ';
        }
        let (_, free) = self.text.split_at_mut(self.len + space);
        free.split_at_mut(part.len()).0.copy_from_slice(part);
        self.len += space + part.len();
        true
    }
}

/// What may come next.
#[derive(Clone, Copy)]
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

struct Parser<'a> {
    query: &'a [u8],
    summary: QuerySummary,
    is_full: bool,
    expected: Expected,
    /// The word or symbol before.
    previous: Token,
    /// Whether the statement is one that creates, alters or drops, and has not said what.
    defines: bool,
    /// How many parentheses are open.
    depth: usize,
    /// Whether these parentheses hold a query, or tables of one. Elsewhere `FROM` and commas mean something else.
    queries: [bool; DEPTH],
    /// Whether a comma in these parentheses separates tables.
    lists: [bool; DEPTH],
}

impl<'a> Parser<'a> {
    const fn read(&mut self) {
        let is_long = self.query.len() > READ;
        let mut scanner = Scanner::new(match is_long {
            true => self.query.split_at(READ).0,
            false => self.query,
        });
        while !self.is_full {
            let name = matches!(self.expected, Expected::Table | Expected::Name);
            let token = scanner.next(name);
            let is_cut = is_long && token.end == READ;
            if is_cut || matches!(token.kind, Kind::End) {
                break;
            }
            match token.kind {
                Kind::Word => self.word(token),
                Kind::Quoted if name => self.target(token),
                Kind::Quoted => self.expected = Expected::Anything,
                Kind::Symbol(symbol) => self.symbol(symbol),
                Kind::End => {}
            }
            self.previous = token;
        }
    }

    const fn word(&mut self, word: Token) {
        let begins = matches!(self.expected, Expected::Operation);
        if self.is(word, &["SELECT"]) {
            self.operation(word, Expected::Anything);
        } else if begins && !self.is(word, &["WITH"]) {
            self.first_word(word);
        } else if self.is(word, &["FROM"]) {
            // `EXTRACT(day FROM at)` and `a IS DISTINCT FROM b` have no table.
            if self.queries[self.depth] && !self.is(self.previous, &["DISTINCT"]) {
                self.expected = Expected::Table;
                self.lists[self.depth] = true;
            }
        } else if self.is(word, &["JOIN"]) && self.queries[self.depth] {
            self.expected = Expected::Table;
        } else if self.is(word, &["INTO", "USING"]) && self.queries[self.depth] {
            self.expected = Expected::Name;
        } else if self.is(word, ENDS_OF_LISTS) {
            self.lists[self.depth] = false;
            self.expected = Expected::Anything;
        } else if self.defines && self.is(word, &["TABLE"]) {
            self.defines = false;
            self.operation(word, Expected::Name);
        } else {
            self.other_word(word);
        }
    }

    /// The first word of a statement is its operation, whatever it is.
    const fn first_word(&mut self, word: Token) {
        self.defines = self.is(word, &["CREATE", "ALTER", "DROP"]);
        let next = match self.is(word, OF_TARGETS) {
            true => Expected::Name,
            false => Expected::Anything,
        };
        self.operation(word, next);
    }

    const fn other_word(&mut self, word: Token) {
        match self.expected {
            // Not after other words, as in `DO UPDATE`, `FOR UPDATE` and `ON DELETE`.
            Expected::Query if self.is(word, &["INSERT", "UPDATE", "MERGE"]) => {
                self.operation(word, Expected::Name);
            }
            Expected::Query if self.is(word, &["DELETE"]) => {
                self.operation(word, Expected::Anything);
            }
            Expected::Table | Expected::Name => {
                if !self.is(word, BEFORE_TARGETS) && !self.is(self.previous, &["OR"]) {
                    self.target(word);
                }
            }
            _ => self.expected = Expected::Anything,
        }
    }

    const fn symbol(&mut self, symbol: u8) {
        match symbol {
            b'(' => {
                let holds_tables = matches!(self.expected, Expected::Table);
                if !matches!(self.expected, Expected::Table | Expected::Operation) {
                    self.expected = Expected::Query;
                }
                self.depth += 1;
                if self.depth == DEPTH {
                    self.depth -= 1;
                    self.is_full = true;
                }
                self.queries[self.depth] = holds_tables;
                self.lists[self.depth] = holds_tables;
            }
            b')' => {
                self.depth = self.depth.saturating_sub(1);
                self.expected = Expected::Query;
            }
            b',' if self.lists[self.depth] => self.expected = Expected::Table,
            b';' => {
                self.depth = 0;
                self.lists[0] = false;
                self.defines = false;
                self.expected = Expected::Operation;
            }
            _ => self.expected = Expected::Anything,
        }
    }

    const fn operation(&mut self, word: Token, next: Expected) {
        self.add(word);
        self.queries[self.depth] = true;
        self.lists[self.depth] = false;
        self.expected = next;
    }

    const fn target(&mut self, name: Token) {
        self.add(name);
        self.expected = Expected::Anything;
    }

    const fn add(&mut self, token: Token) {
        if !self.summary.push(self.text(token)) {
            self.is_full = true;
        }
    }

    const fn text(&self, token: Token) -> &'a [u8] {
        self.query.split_at(token.end).0.split_at(token.start).1
    }

    /// Whether `token` is one of `words`, in capitals or not.
    const fn is(&self, token: Token, words: &[&str]) -> bool {
        let text = self.text(token);
        let mut at = 0;
        while at < words.len() {
            if text.eq_ignore_ascii_case(words[at].as_bytes()) {
                return true;
            }
            at += 1;
        }
        false
    }
}

/// First words of a statement that a target follows.
const OF_TARGETS: &[&str] = &[
    "CALL", "EXEC", "EXECUTE", "INSERT", "MERGE", "REPLACE", "TRUNCATE", "UPDATE",
];

/// Words between an operation and its target, as in `INSERT OR IGNORE INTO orders`.
const BEFORE_TARGETS: &[&str] = &[
    "EXISTS", "IF", "IGNORE", "LATERAL", "NOT", "ONLY", "OR", "TABLE",
];

/// Words behind the tables of a query.
const ENDS_OF_LISTS: &[&str] = &[
    "EXCEPT",
    "FETCH",
    "FOR",
    "GROUP",
    "HAVING",
    "INTERSECT",
    "LIMIT",
    "OFFSET",
    "ORDER",
    "RETURNING",
    "SET",
    "UNION",
    "VALUES",
    "WHERE",
    "WINDOW",
    "WITH",
];
