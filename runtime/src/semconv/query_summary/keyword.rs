//! The words that say what a query does.

use super::scanner::Token;

/// What a word means to a summary.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keyword {
    Select,
    Insert,
    Update,
    Delete,
    Merge,
    /// An operation that is one at the start of a statement only, and has a target.
    Call,
    Copy,
    /// `CREATE`, `ALTER` or `DROP`.
    Define,
    /// What these define. Part of the operation, as in `CREATE TABLE`.
    Defined,
    With,
    From,
    Distinct,
    Join,
    Into,
    Using,
    /// Stands behind the tables of a query.
    BehindTables,
    /// Stands between an operation and its target, as in `INSERT OR IGNORE INTO orders`.
    BeforeTarget,
    Or,
    /// A name, or a word that does not matter.
    Other,
}

/// The keyword of a key. rustc compares numbers a hundred times faster than texts.
macro_rules! keywords {
    ($key:expr, $($keyword:ident: $($word:ident)+,)+) => {{
        $($(const $word: u128 = key(stringify!($word).as_bytes(), 0, stringify!($word).len());)+)+
        match $key {
            $($($word)|+ => Self::$keyword,)+
            _ => Self::Other,
        }
    }};
}
impl Keyword {
    pub(super) const fn of(query: &[u8], word: Token) -> Self {
        keywords! { key(query, word.start, word.end),
            Select: SELECT,
            Insert: INSERT,
            Update: UPDATE,
            Delete: DELETE,
            Merge: MERGE,
            Call: CALL EXEC EXECUTE REPLACE TRUNCATE,
            Copy: COPY,
            Define: ALTER CREATE DROP,
            Defined: FUNCTION INDEX PROCEDURE SCHEMA SEQUENCE TABLE TRIGGER TYPE VIEW,
            With: WITH,
            From: FROM,
            Distinct: DISTINCT,
            Join: JOIN,
            Into: INTO,
            Using: USING,
            BehindTables: EXCEPT FETCH FOR GROUP HAVING INTERSECT LIMIT OFFSET ORDER OUTFILE RETURNING SET UNION VALUES WHERE WINDOW,
            BeforeTarget: CONCURRENTLY DELAYED EXISTS IF IGNORE LATERAL LOW_PRIORITY NOT ON ONLY OVERWRITE QUICK TEMP TEMPORARY UNLOGGED,
            Or: OR,
        }
    }
}

/// The word from `at` to `end` as a number, in capitals or not. Zero for one that is longer than each keyword.
///
/// By places in the text, since rustc takes long to split it, too.
const fn key(text: &[u8], mut at: usize, end: usize) -> u128 {
    if end - at > 12 {
        return 0;
    }
    let mut key = 0;
    while at < end {
        key = key << 8 | (text[at] & !0x20) as u128;
        at += 1;
    }
    key
}
