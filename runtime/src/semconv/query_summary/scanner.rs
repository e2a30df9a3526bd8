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
    /// Text in quotes, and names joined by dots of which one is in quotes.
    Quoted,
    Symbol(u8),
    End,
}

/// Reads tokens of SQL, and of languages with its quotes and comments.
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The next token. A `[` begins a name in quotes where a name is `expected`; elsewhere it is an index.
    pub(super) const fn next(&mut self, name_is_expected: bool) -> Token {
        self.skip_space();
        let start = self.at;
        let kind = match self.byte(0) {
            None => Kind::End,
            Some(byte) => match self.part(byte, name_is_expected) {
                None => {
                    self.at += 1;
                    Kind::Symbol(byte)
                }
                Some(mut is_quoted) => {
                    while matches!(self.byte(0), Some(b'.')) {
                        self.at += 1;
                        let Some(byte) = self.byte(0) else { break };
                        match self.part(byte, true) {
                            None => break,
                            Some(quoted) => is_quoted |= quoted,
                        }
                    }
                    if is_quoted { Kind::Quoted } else { Kind::Word }
                }
            },
        };
        Token {
            kind,
            start,
            end: self.at,
        }
    }

    /// Reads a word or text in quotes that begins with `byte`, and says whether it is in quotes.
    const fn part(&mut self, byte: u8, in_brackets: bool) -> Option<bool> {
        if is_word(byte) && byte != b'$' {
            while let Some(byte) = self.byte(0) {
                if !is_word(byte) {
                    break;
                }
                self.at += 1;
            }
            return Some(false);
        }
        let close = match byte {
            b'\'' | b'"' | b'`' => byte,
            b'[' if in_brackets => b']',
            _ => return None,
        };
        self.at += 1;
        while let Some(byte) = self.byte(0) {
            self.at += 1;
            if byte == close {
                // Doubled, it stands for itself.
                match self.byte(0) {
                    Some(next) if next == close => self.at += 1,
                    _ => break,
                }
            }
        }
        Some(true)
    }

    /// Skips white space and comments.
    const fn skip_space(&mut self) {
        while let Some(byte) = self.byte(0) {
            match (byte, self.byte(1)) {
                (b'-', Some(b'-')) => {
                    while let Some(byte) = self.byte(0) {
                        if byte == b'\n' {
                            break;
                        }
                        self.at += 1;
                    }
                }
                (b'/', Some(b'*')) => {
                    self.at += 2;
                    while let Some(byte) = self.byte(0) {
                        if byte == b'*' && matches!(self.byte(1), Some(b'/')) {
                            self.at += 2;
                            break;
                        }
                        self.at += 1;
                    }
                }
                _ if byte.is_ascii_whitespace() => self.at += 1,
                _ => break,
            }
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
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'$' || !byte.is_ascii()
}
