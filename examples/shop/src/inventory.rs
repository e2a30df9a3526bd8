//! The inventory: keeps the stock, and reserves it for the storefront.

use actix_web::{get, post, web};
use biztrace::{biz_attrs, traced, traced_handler};
use rusqlite::{Connection, OptionalExtension};
use serde::{Deserialize, Serialize};

use crate::database::Database;
use crate::error::ShopError;

/// The inventory's table, stocked.
pub(crate) const SCHEMA: &str = "
    CREATE TABLE stock (sku TEXT PRIMARY KEY, available INTEGER NOT NULL) STRICT;
    INSERT INTO stock VALUES ('tea-oolong', 500), ('tea-sencha', 120), ('teapot-iron', 2);
";

const TAKE: &str = "UPDATE stock SET available = available - ?2 WHERE sku = ?1 AND available >= ?2 RETURNING available";
const AVAILABLE: &str = "SELECT available FROM stock WHERE sku = ?1";

/// The body of `POST /stock/{sku}/reserve`.
#[derive(Serialize, Deserialize)]
pub(crate) struct Reservation {
    pub(crate) quantity: u32,
}

/// What is left of an article.
#[derive(Serialize)]
struct Stock {
    sku: String,
    available: u32,
}

pub(crate) fn routes(
    database: Database,
) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(web::Data::new(database.clone()))
            .service(find_stock)
            .service(reserve);
    }
}

#[get("/stock/{sku}")]
#[traced_handler]
#[biz_attrs(stock.sku = *sku)]
async fn find_stock(
    sku: web::Path<String>,
    database: web::Data<Database>,
) -> Result<web::Json<Stock>, ShopError> {
    let sku = sku.into_inner();
    let wanted = sku.clone();
    match database.run(move |db| available(db, &wanted)).await? {
        Some(available) => Ok(web::Json(Stock { sku, available })),
        None => Err(ShopError::UnknownSku(sku)),
    }
}

#[post("/stock/{sku}/reserve")]
#[traced_handler]
#[biz_attrs(
    stock.sku = *sku,
    stock.reserved = reservation.quantity,
    #[ok(stock)] stock.available = stock.available,
)]
async fn reserve(
    sku: web::Path<String>,
    reservation: web::Json<Reservation>,
    database: web::Data<Database>,
) -> Result<web::Json<Stock>, ShopError> {
    let sku = sku.into_inner();
    let wanted = sku.clone();
    let quantity = reservation.quantity;
    match database.run(move |db| take(db, &wanted, quantity)).await? {
        Some(available) => Ok(web::Json(Stock { sku, available })),
        None => Err(ShopError::OutOfStock(sku)),
    }
}

/// Takes `quantity` articles and tells how many are left; `None` if there are not as many.
#[traced(db = "sqlite", query = TAKE)]
fn take(db: &Connection, sku: &str, quantity: u32) -> rusqlite::Result<Option<u32>> {
    db.query_row(TAKE, (sku, quantity), |row| row.get(0))
        .optional()
}

/// How many articles there are; `None` if they are unknown.
#[traced(db = "sqlite", query = AVAILABLE)]
fn available(db: &Connection, sku: &str) -> rusqlite::Result<Option<u32>> {
    db.query_row(AVAILABLE, [sku], |row| row.get(0)).optional()
}
