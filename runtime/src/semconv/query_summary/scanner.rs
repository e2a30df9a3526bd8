//! A query's tokens, read at compile time.

/// A token, and where it stands.
#[derive(Clone, Copy)]
pub(super) struct Token {
    pub(super) kind: Kind,
    pub(super) start: usize,
    pub(super) end: usize,
}

#[derive(Clone, Copy)]
pub(super) enum Kind {
    /// A keyword, a name or a number. Names that dots join are one.
    Word,
    /// A name in quotes, and names joined by dots of which one is in quotes.
    Quoted,
    /// Text in single quotes, or between dollars.
    Text,
    Symbol(u8),
    End,
}

/// How much of a query is read, in bytes.
pub(super) const READ: usize = 4 << 10;

/// Reads tokens of SQL, and of languages with its quotes and comments.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    /// Whether there is more than that.
    is_cut: bool,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(query: &'a [u8]) -> Self {
        let is_cut = query.len() > READ;
        Self {
            text: if is_cut {
                query.split_at(READ).0
            } else {
                query
            },
            is_cut,
            at: 0,
        }
    }

    /// The next token. A `[` begins a name in quotes where a name is `expected`; elsewhere it is an index.
    pub(super) const fn next(&mut self, name_is_expected: bool) -> Token {
        self.skip_space();
        let start = self.at;
        let mut kind = match self.byte(0) {
            None => Kind::End,
            Some(byte) => match self.part(byte, name_is_expected) {
                None => {
                    self.at += 1;
                    Kind::Symbol(byte)
                }
                Some(first) => self.joined(first),
            },
        };
        if self.is_cut && self.at == self.text.len() {
            // Its rest is not read.
            kind = Kind::End;
        }
        Token {
            kind,
            start,
            end: self.at,
        }
    }

    /// Reads on behind the first of several names that dots join, as in `dbo.[order list]` and `master..orders`.
    const fn joined(&mut self, first: Kind) -> Kind {
        let mut kind = first;
        while matches!(self.byte(0), Some(b'.')) {
            self.at += 1;
            if let Some(byte) = self.byte(0)
                && let Some(Kind::Quoted | Kind::Text) = self.part(byte, true)
            {
                kind = Kind::Quoted;
            }
        }
        kind
    }

    /// Reads a word or text in quotes that begins with `byte`.
    const fn part(&mut self, byte: u8, in_brackets: bool) -> Option<Kind> {
        match byte {
            b'$' => self.dollars(),
            _ if is_word(byte) => {
                while self.at < self.text.len() && is_word(self.text[self.at]) {
                    self.at += 1;
                }
                Some(Kind::Word)
            }
            b'\'' => {
                self.quotes(byte);
                Some(Kind::Text)
            }
            b'"' | b'`' => {
                self.quotes(byte);
                Some(Kind::Quoted)
            }
            b'[' if in_brackets => {
                self.quotes(b']');
                Some(Kind::Quoted)
            }
            _ => None,
        }
    }

    /// Reads on to the end of text in quotes.
    const fn quotes(&mut self, close: u8) {
        self.at += 1;
        let start = self.at;
        while let Some(byte) = self.byte(0) {
            self.at += 1;
            // Escapes the next one in MySQL and in `E'…'`, except as all of a text, as in `LIKE ? ESCAPE '\'`.
            let is_all = self.at == start + 1 && matches!(self.byte(0), Some(b'\''));
            if byte == b'\\' && close == b'\'' && !is_all {
                self.at += 1;
            } else if byte == close {
                // Doubled, it stands for itself.
                match self.byte(0) {
                    Some(next) if next == close => self.at += 1,
                    _ => break,
                }
            }
        }
        if self.at > self.text.len() {
            self.at = self.text.len();
        }
    }

    /// Reads `$$text$$` or `$tag$text$tag$`. `$1` is a placeholder.
    const fn dollars(&mut self) -> Option<Kind> {
        let mut len = 1;
        while let Some(byte) = self.byte(len)
            && is_word(byte)
            && byte != b'$'
        {
            len += 1;
        }
        if !matches!(self.byte(len), Some(b'$')) {
            return None;
        }
        let tag = self.text.split_at(self.at).1.split_at(len + 1).0;
        self.at += tag.len();
        while self.at < self.text.len() {
            let (begin, _) = match self.text.split_at(self.at).1.split_at_checked(tag.len()) {
                Some(parts) => parts,
                None => {
                    self.at = self.text.len();
                    break;
                }
            };
            if begin.eq_ignore_ascii_case(tag) {
                self.at += tag.len();
                break;
            }
            self.at += 1;
        }
        Some(Kind::Text)
    }

    /// Skips white space and comments.
    const fn skip_space(&mut self) {
        while self.at < self.text.len() {
            match self.text[self.at] {
                b' ' | b'\t'..=b'\r' => self.at += 1,
                b'-' if matches!(self.byte(1), Some(b'-')) => self.skip_line(),
                b'/' if matches!(self.byte(1), Some(b'*')) => self.skip_comment(),
                _ => return,
            }
        }
    }

    const fn skip_line(&mut self) {
        while self.at < self.text.len() && self.text[self.at] != b'\n' {
            self.at += 1;
        }
    }

    const fn skip_comment(&mut self) {
        self.at += 2;
        while let Some(byte) = self.byte(0) {
            if byte == b'*' && matches!(self.byte(1), Some(b'/')) {
                self.at += 2;
                return;
            }
            self.at += 1;
        }
    }

    const fn byte(&self, ahead: usize) -> Option<u8> {
        let at = self.at + ahead;
        if at < self.text.len() {
            Some(self.text[at])
        } else {
            None
        }
    }
}

/// Whether a name goes on with `byte`. All that is not ASCII may stand in a name.
const fn is_word(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'$' | 0x80..)
}
