//! The storefront: takes orders, has them paid, and has the inventory reserve the goods.

mod inventory_client;
mod orders;
mod payment;

use actix_web::http::StatusCode;
use actix_web::{CustomizeResponder, HttpRequest, HttpResponse, Responder, get, post, web};
use biztrace::{biz_attrs, tag, traced_handler};

pub(crate) use inventory_client::InventoryClient;
pub(crate) use orders::SCHEMA;
pub(crate) use payment::Declined;

use crate::database::Database;
use crate::error::ShopError;
use orders::{NewOrder, Order, Sales};

pub(crate) fn routes(
    database: Database,
    inventory: InventoryClient,
) -> impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static {
    move |config| {
        config
            .app_data(web::Data::new(database.clone()))
            .app_data(web::Data::new(inventory.clone()))
            .service(create_order)
            .service(find_order)
            .service(report_sales)
            .service(crash);
    }
}

#[post("/orders")]
#[traced_handler]
#[biz_attrs(
    ..body,
    user.tier = header("x-user-tier"),
    #[inherit]
    #[baggage]
    tenant.id = header("x-tenant-id"),
)]
async fn create_order(
    body: web::Json<NewOrder>,
    database: web::Data<Database>,
    inventory: web::Data<InventoryClient>,
) -> Result<CustomizeResponder<web::Json<Order>>, ShopError> {
    let new = body.into_inner();
    // The authorisation comes first: without stock it lapses, and nobody has to be paid back.
    payment::authorise(new.amount).await?;
    match inventory.reserve_stock(&new.sku, new.quantity).await {
        Err(error) if error.status() == Some(reqwest::StatusCode::CONFLICT) => {
            return Err(ShopError::OutOfStock(new.sku));
        }
        reserved => reserved?,
    }
    let order = database.run(move |db| orders::insert(db, &new)).await?;
    tag!(order.id = order.id);
    Ok(web::Json(order)
        .customize()
        .with_status(StatusCode::CREATED))
}

#[get("/orders/{id}")]
#[traced_handler]
#[biz_attrs(order.id = *id, tenant.id = header("x-tenant-id"))]
async fn find_order(
    id: web::Path<i64>,
    database: web::Data<Database>,
) -> Result<web::Json<Order>, ShopError> {
    let id = id.into_inner();
    let order = database.run(move |db| orders::find(db, id)).await?;
    order.map(web::Json).ok_or(ShopError::UnknownOrder(id))
}

/// Slow: see [`orders::sales`].
#[get("/reports/sales")]
#[traced_handler]
#[biz_attrs(report.name = "sales", report.currency = query("currency"))]
async fn report_sales(
    filter: web::Query<orders::Filter>,
    database: web::Data<Database>,
) -> Result<web::Json<Sales>, ShopError> {
    let currency = filter.into_inner().currency;
    let sales = database.run(move |db| orders::sales(db, &currency)).await?;
    Ok(web::Json(sales))
}

/// Panics. There is no response to tell the route then, but the request does, if it is an argument.
#[get("/crash")]
#[traced_handler]
async fn crash(request: HttpRequest) -> HttpResponse {
    panic!("nobody thought of {}", request.path());
}
