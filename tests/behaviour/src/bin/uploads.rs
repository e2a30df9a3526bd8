//! A service under attack: `uploads off`, or `uploads URL BYTES` with telemetry that exports to `URL` and may hold `BYTES`. Tells its
//! address on stdout, and at `/metrics` how many uploads are under way and what became of the spans. Serves until it is killed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use std::{env, io};

use actix_web::{App, HttpServer, get, post, web};
use biztrace::actix::RequestTracing;
use biztrace::{Telemetry, biz_attrs, traced_handler};
use futures_util::StreamExt;

struct Uploads(AtomicUsize);

#[post("/uploads")]
#[traced_handler]
#[biz_attrs(tenant.id = header("x-tenant-id"))]
async fn upload(uploads: web::Data<Uploads>, mut body: web::Payload) -> actix_web::Result<String> {
    uploads.0.fetch_add(1, Ordering::Relaxed);
    let mut bytes = 0;
    while let Some(chunk) = body.next().await {
        bytes += chunk?.len();
    }
    Ok(format!("{bytes} bytes"))
}

#[get("/orders/{id}")]
#[traced_handler]
#[biz_attrs(order.id = *id, tenant.id = header("x-tenant-id"))]
async fn order(id: web::Path<u64>) -> String {
    format!("order {id}")
}

#[get("/metrics")]
async fn metrics(uploads: web::Data<Uploads>, telemetry: web::Data<Option<Telemetry>>) -> String {
    let uploads = uploads.0.load(Ordering::Relaxed);
    let Some(telemetry) = telemetry.as_ref() else {
        return uploads.to_string();
    };
    let report = telemetry.force_flush().await;
    let heads = report.incomplete_heads;
    format!("{uploads} {} {} {heads}", report.recorded, report.delivered)
}

#[actix_web::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let telemetry = match &*env::args().skip(1).collect::<Vec<_>>() {
        [off] if off == "off" => None,
        [url, bytes] => {
            let bytes = bytes.parse()?;
            let settings = Telemetry::builder().otlp(url.as_str());
            Some(
                settings
                    .limits(move |limits| limits.memory = bytes)
                    .install()?,
            )
        }
        _ => return Err("uploads off|URL BYTES".into()),
    };
    let uploads = web::Data::new(Uploads(AtomicUsize::new(0)));
    let telemetry = web::Data::new(telemetry);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(uploads.clone())
            .app_data(telemetry.clone())
            .wrap(RequestTracing::default())
            .service((upload, order, metrics))
    });
    // No client of a busy machine is too slow.
    let server = server
        .workers(1)
        .client_request_timeout(Duration::ZERO)
        .keep_alive(Duration::from_secs(600))
        .bind_auto_h2c("127.0.0.1:0")?;
    for address in server.addrs() {
        println!("{address}");
    }
    io::Result::Ok(server.run().await?)?;
    Ok(())
}
