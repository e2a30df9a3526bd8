use super::QuerySummary;
use super::scanner::READ;
use super::summary::LIMIT;

fn summary(query: &str) -> String {
    QuerySummary::of(query).get().unwrap_or_default().to_owned()
}

#[test]
fn summaries_are_those_of_the_conventions() {
    let cases = [
        (
            "SELECT *\nFROM   wuser_table\nWHERE  username = ?",
            "SELECT wuser_table",
        ),
        (
            "INSERT INTO shipping_details (order_id, address) SELECT order_id, address FROM orders WHERE order_id = ?",
            "INSERT shipping_details SELECT orders",
        ),
        (
            "SELECT * FROM songs, artists WHERE songs.artist_id == artists.id",
            "SELECT songs artists",
        ),
        (
            "SELECT order_date FROM (SELECT * FROM orders o JOIN customers c ON o.customer_id = c.customer_id)",
            "SELECT SELECT orders customers",
        ),
        (
            "SELECT * FROM \"song list\", 'artists'",
            "SELECT \"song list\" 'artists'",
        ),
        ("{call some_stored_procedure}", "call some_stored_procedure"),
    ];
    for (query, expected) in cases {
        assert_eq!(summary(query), expected, "{query}");
    }
}

#[test]
fn summaries_have_operations_and_tables_only() {
    let cases = [
        ("select id from public.orders", "select public.orders"),
        ("SELECT 1", "SELECT"),
        ("SELECT a, b FROM t ORDER BY a, b", "SELECT t"),
        (
            "SELECT a FROM t AS x, LATERAL f(x.a, 1) y, u",
            "SELECT t f u",
        ),
        (
            "SELECT a FROM ONLY t, (u JOIN v USING (w, x)) ORDER BY a",
            "SELECT t u v",
        ),
        (
            "SELECT * FROM a JOIN b ON (a.x, a.y) = (b.x, b.y), c",
            "SELECT a b c",
        ),
        ("SELECT EXTRACT(day FROM at) FROM t", "SELECT t"),
        ("SELECT a IS DISTINCT FROM b FROM t", "SELECT t"),
        (
            "SELECT a FROM t WHERE b IN (1, 2) AND c IN (SELECT d FROM u)",
            "SELECT t SELECT u",
        ),
        ("SELECT a FROM t WHERE (b) FOR UPDATE OF t, u", "SELECT t"),
        (
            "(SELECT a FROM t) UNION ALL (SELECT b FROM u)",
            "SELECT t SELECT u",
        ),
        (
            "SELECT * FROM [dbo].[order list] WHERE tags[1] = 2",
            "SELECT [dbo].[order list]",
        ),
        (
            "SELECT * FROM \"a\"\"b\".`c`, Ünïcode",
            "SELECT \"a\"\"b\".`c` Ünïcode",
        ),
        ("SELECT * FROM $1", "SELECT"),
        ("SELECT * FROM :table, @t", "SELECT"),
        (
            "SELECT 'FROM x', \"FROM y\" -- FROM z\n/* FROM\n w */ FROM t",
            "SELECT t",
        ),
        (
            "UPDATE ONLY stock SET a = ?, b = ? WHERE c = ? RETURNING a, b",
            "UPDATE stock",
        ),
        ("UPDATE OR ROLLBACK stock SET a = 1", "UPDATE stock"),
        ("DELETE FROM a USING b WHERE a.x = b.x", "DELETE a b"),
        ("INSERT OR IGNORE INTO t VALUES (?, ?)", "INSERT t"),
        (
            "REPLACE INTO t (a) VALUES (REPLACE(?, 'a', 'b'))",
            "REPLACE t",
        ),
        (
            "INSERT INTO t (a) VALUES (?) ON CONFLICT (a) DO UPDATE SET a = 1",
            "INSERT t",
        ),
        (
            "INSERT INTO t VALUES (1) ON DUPLICATE KEY UPDATE a = 2, b = 3",
            "INSERT t",
        ),
        (
            "MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN UPDATE SET b = 1 WHEN NOT MATCHED THEN INSERT (a) VALUES (s.a)",
            "MERGE t s",
        ),
        (
            "WITH gone AS (DELETE FROM t RETURNING a, b) INSERT INTO log SELECT * FROM gone",
            "DELETE t INSERT log SELECT gone",
        ),
        ("TRUNCATE TABLE t", "TRUNCATE t"),
        (
            "CREATE TABLE IF NOT EXISTS t (a REFERENCES u ON DELETE CASCADE)",
            "CREATE TABLE t",
        ),
        ("DROP TABLE t", "DROP TABLE t"),
        ("ALTER TABLE t ADD a", "ALTER TABLE t"),
        (
            "CREATE UNIQUE INDEX CONCURRENTLY i ON t (a)",
            "CREATE INDEX i",
        ),
        ("CREATE INDEX ON t (a)", "CREATE INDEX t"),
        (
            "BEGIN; UPDATE t SET a = 1; COMMIT;",
            "BEGIN UPDATE t COMMIT",
        ),
        ("EXPLAIN SELECT a FROM t", "EXPLAIN SELECT t"),
        ("PRAGMA foreign_keys = ON", "PRAGMA"),
        ("SET mykey ?", "SET"),
        (
            r"SELECT E'it\'s FROM x' FROM t WHERE a LIKE ? ESCAPE '\'",
            "SELECT t",
        ),
        (
            "SELECT $$it's$$, $a$ FROM x $a$ FROM t WHERE b = $1",
            "SELECT t",
        ),
        ("DO $$ BEGIN DELETE FROM t; END $$", "DO"),
        (
            "SELECT a FROM t JOIN u ON u.b && ARRAY['x', 'y'], v",
            "SELECT t u v",
        ),
        (
            "SELECT a FROM master..t WITH (NOLOCK), u",
            "SELECT master..t u",
        ),
        (
            "SELECT a FROM f($1) WITH ORDINALITY AS t(a, b), u",
            "SELECT f u",
        ),
        ("SELECT a INTO TEMP t FROM u", "SELECT t u"),
        ("SELECT a INTO OUTFILE 'x' FROM u", "SELECT u"),
        ("UPDATE t, u SET t.a = u.a, t.b = 'x'", "UPDATE t u"),
        ("UPDATE LOW_PRIORITY t SET a = 1", "UPDATE t"),
        ("COPY t (a) FROM STDIN", "COPY t"),
        ("COPY t FROM 'x'", "COPY t"),
        ("COPY (SELECT a FROM t) TO 'x'", "COPY SELECT t"),
        ("EXEC 'SELECT a FROM t'", "EXEC"),
        ("CREATE VIEW v AS SELECT a FROM t", "CREATE VIEW v SELECT t"),
        (
            "CREATE FUNCTION f() RETURNS TABLE (a int)",
            "CREATE FUNCTION f",
        ),
        ("INSERT INTO t (a) VALUES (?) USING TTL 60", "INSERT t"),
        (
            "INSERT OVERWRITE TABLE t SELECT a FROM u",
            "INSERT t SELECT u",
        ),
        ("VALUES (1), (2)", "VALUES"),
        ("  \n-- nothing", ""),
        ("", ""),
        ("))((;;,,", ""),
    ];
    for (query, expected) in cases {
        assert_eq!(summary(query), expected, "{query}");
    }
}

#[test]
fn summaries_are_short_and_of_whole_names() {
    let tables: Vec<_> = (0..100).map(|it| format!("täble_{it}")).collect();
    let summary = summary(&format!("SELECT * FROM {}", tables.join(",")));
    assert!(
        summary.len() <= LIMIT && summary.len() > LIMIT - 12,
        "{summary}"
    );
    let mut parts = summary.split(' ');
    assert_eq!(parts.next(), Some("SELECT"));
    assert!(
        parts.zip(&tables).all(|(part, table)| part == table),
        "{summary}"
    );
}

#[test]
fn names_without_end_and_open_parentheses_are_left_out() {
    let name = "é".repeat(READ);
    assert_eq!(summary(&format!("SELECT * FROM {name}")), "SELECT");
    assert_eq!(summary(&format!("SELECT * FROM a, \"{name}")), "SELECT a");
    assert_eq!(
        summary(&format!("SELECT {} FROM t", "(".repeat(1_000))),
        "SELECT"
    );
}

/// Whatever the text, reading ends, and gives parts of the text.
#[test]
fn summaries_are_parts_of_their_query() {
    let words = [
        "SELECT", "FROM", "(", ")", ",", ";", "JOIN", "INTO", "é", "'", "\"", "[", "]", ".", "--",
        "\n", "/*", "*/", "UPDATE", "$1", "TABLE", "CREATE", "OR", "t",
    ];
    let mut state = 7_u64;
    for _ in 0..20_000 {
        let mut query = String::new();
        for _ in 0..12 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            query += words[usize::try_from(state >> 33).unwrap() % words.len()];
            query += if state & (1 << 32) == 0 { " " } else { "" };
        }
        let mut rest = query.as_str();
        let summary = summary(&query);
        // A part may have spaces of its own, so all of them are left out.
        for part in summary.split(' ') {
            let at = rest
                .find(part)
                .unwrap_or_else(|| panic!("{query:?} gives {summary:?}"));
            rest = &rest[at + part.len()..];
        }
    }
}

/// Many short words take rustc longest.
#[test]
fn long_queries_are_constants() {
    static BYTES: [u8; 1 << 17] = {
        let mut bytes = [b' '; _];
        let mut at = 0;
        while at < bytes.len() {
            bytes[at] = b'a';
            at += 2;
        }
        bytes
    };
    const SUMMARY: QuerySummary = QuerySummary::of(match str::from_utf8(&BYTES) {
        Ok(query) => query,
        Err(_) => "",
    });
    assert_eq!(SUMMARY.get(), Some("a"));
}
