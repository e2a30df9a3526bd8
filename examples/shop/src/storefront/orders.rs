//! The storefront's table of orders: a function a statement.

use biztrace::{BizAttrs, traced};
use rusqlite::{Connection, OptionalExtension, Row};
use serde::{Deserialize, Serialize};

use super::payment::Method;

pub(crate) const SCHEMA: &str = "
    CREATE TABLE orders (
        id INTEGER PRIMARY KEY,
        sku TEXT NOT NULL,
        quantity INTEGER NOT NULL,
        amount REAL NOT NULL,
        currency TEXT NOT NULL,
        express INTEGER NOT NULL
    ) STRICT;
";

const INSERT: &str = "INSERT INTO orders (sku, quantity, amount, currency, express) VALUES (?1, ?2, ?3, ?4, ?5) \
    RETURNING id, sku, quantity, amount, currency, express";
const FIND: &str = "SELECT id, sku, quantity, amount, currency, express FROM orders WHERE id = ?1";
const SALES: &str = "WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 1000000) \
    SELECT count(id), total(amount) FROM number JOIN orders ON id = n WHERE currency = ?1";

/// The body of `POST /orders`.
#[derive(Deserialize, BizAttrs)]
#[biz(prefix = "order")]
pub(super) struct NewOrder {
    #[biz]
    pub(super) sku: String,
    #[biz]
    pub(super) quantity: u32,
    /// The price of all of them.
    #[biz]
    pub(super) amount: f64,
    /// Its currency, by ISO 4217.
    #[biz]
    pub(super) currency: String,
    #[biz]
    #[serde(default)]
    pub(super) express: bool,
    #[biz]
    pub(super) coupon: Option<String>,
    #[biz(key = "payment.method")]
    pub(super) method: Method,
}

#[derive(Serialize)]
pub(super) struct Order {
    pub(super) id: i64,
    sku: String,
    quantity: u32,
    amount: f64,
    currency: String,
    express: bool,
}

/// The query string of `GET /reports/sales`.
#[derive(Deserialize)]
pub(super) struct Filter {
    pub(super) currency: String,
}

#[derive(Serialize)]
pub(super) struct Sales {
    orders: u32,
    revenue: f64,
}

#[traced(db = "sqlite", query = INSERT)]
pub(super) fn insert(db: &Connection, new: &NewOrder) -> rusqlite::Result<Order> {
    let values = (
        &new.sku,
        new.quantity,
        new.amount,
        &new.currency,
        new.express,
    );
    db.query_row(INSERT, values, Order::from_row)
}

#[traced(db = "sqlite", query = FIND)]
pub(super) fn find(db: &Connection, id: i64) -> rusqlite::Result<Option<Order>> {
    db.query_row(FIND, [id], Order::from_row).optional()
}

/// Slow on purpose: looks for each number that an order could have.
#[traced(db = "sqlite", query = SALES, name = "SELECT sales")]
pub(super) fn sales(db: &Connection, currency: &str) -> rusqlite::Result<Sales> {
    db.query_row(SALES, [currency], |row| {
        Ok(Sales {
            orders: row.get(0)?,
            revenue: row.get(1)?,
        })
    })
}

impl Order {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self {
            id: row.get("id")?,
            sku: row.get("sku")?,
            quantity: row.get("quantity")?,
            amount: row.get("amount")?,
            currency: row.get("currency")?,
            express: row.get("express")?,
        })
    }
}
