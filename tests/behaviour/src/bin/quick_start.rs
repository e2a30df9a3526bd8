//! The README's quick start as a process of its own, with requests that last until their client has sent all.

use std::process;

use actix_web::{App, Error, HttpResponse, HttpServer, get, post, web};
use biztrace::{actix::RequestTracing, biz_attrs, traced, traced_handler};
use futures_util::TryStreamExt;

#[get("/orders/{id}")]
#[traced_handler]
#[biz_attrs(order.id = *id)]
async fn order(id: web::Path<u64>) -> String {
    format!("order {id}")
}

/// A body under way.
#[post("/echo")]
#[traced_handler]
async fn echo(body: web::Payload) -> HttpResponse {
    HttpResponse::Ok().streaming(body)
}

/// A handler under way.
#[post("/count")]
#[traced_handler]
async fn count(body: web::Payload) -> Result<String, Error> {
    Ok(format!("{} bytes", size(body).await?))
}

#[traced]
async fn size(body: web::Payload) -> Result<usize, Error> {
    let add = |sum, chunk: web::Bytes| async move { Ok(sum + chunk.len()) };
    Ok(body.try_fold(0, add).await?)
}

#[actix_web::main]
async fn main() -> std::io::Result<()> {
    let telemetry = biztrace::init().expect("telemetry settings");
    let server = HttpServer::new(|| {
        App::new()
            .wrap(RequestTracing::default())
            .service((order, echo, count))
    })
    .h1_allow_half_closed(false)
    .bind("127.0.0.1:0")?;
    println!("{} {}", server.addrs()[0], process::id());
    let served = telemetry.shutdown_after(server.run()).await;
    println!("{}", telemetry.report());
    served
}
