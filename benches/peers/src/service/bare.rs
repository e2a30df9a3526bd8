//! Without telemetry.

use std::io;

use actix_web::{App, web};

use super::ServeArgs;
use super::orders::{NewOrder, PATH, Receipt, reserve};
use crate::process;

pub(super) fn serve(args: &ServeArgs) -> io::Result<()> {
    process::run(args.workers, (), || {
        App::new().route(PATH, web::post().to(create))
    })
}

pub(super) async fn create(id: web::Path<i64>, order: web::Json<NewOrder>) -> web::Json<Receipt> {
    let left = reserve(order.quantity).await;
    web::Json(Receipt { order: *id, left })
}
