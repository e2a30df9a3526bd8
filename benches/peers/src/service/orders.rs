//! What all variants have in common: the payloads, and what they record a span around.

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
pub(super) struct NewOrder {
    pub(super) sku: String,
    pub(super) quantity: i64,
    pub(super) amount: f64,
    pub(super) express: bool,
}

#[derive(Debug, Serialize)]
pub(super) struct Receipt {
    pub(super) order: i64,
    pub(super) left: i64,
}

pub(super) const PATH: &str = "/orders/{id}";
pub(super) const TENANT: &str = "x-tenant-id";
/// The statement that `reserve` would run: `db.query.text` of its span.
pub(super) const UPDATE_STOCK: &str = "UPDATE stock SET available = available - ? WHERE sku = ?";

/// Takes items from the stock. It yields once, as a query would.
pub(super) async fn reserve(quantity: i64) -> i64 {
    tokio::task::yield_now().await;
    500 - quantity
}
