//! The service that the W3C's test harness for Trace Context calls: it sends on what it is told to, and the harness looks at the
//! headers of that. `tests/e2e/w3c.sh` runs the harness against it.

use std::env;
use std::error::Error;
use std::process::ExitCode;

use actix_web::{App, HttpServer, error, post, web};
use biztrace::actix::RequestTracing;
use biztrace::client::reqwest::SendTraced;
use biztrace::traced_handler;
use reqwest::Client;
use serde::Deserialize;
use serde_json::Value;

/// A request that is to be sent.
#[derive(Deserialize)]
struct Action {
    url: String,
    /// Its body.
    arguments: Value,
}

#[post("/test")]
#[traced_handler]
async fn send_on(
    actions: web::Json<Vec<Action>>,
    client: web::Data<Client>,
) -> actix_web::Result<web::Json<()>> {
    for action in &*actions {
        let request = client.post(&action.url).json(&action.arguments);
        let response = request.send_traced().await;
        response.map_err(error::ErrorBadGateway)?;
    }
    Ok(web::Json(()))
}

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let port = match arguments.as_slice() {
        [option, port] if option == "--port" => port.parse().ok(),
        _ => None,
    };
    let Some(port) = port else {
        eprintln!("usage: w3c-service --port PORT");
        return ExitCode::from(2);
    };
    match serve(port).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("w3c-service: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Serves on the loopback interface, whose callers are trusted, until Ctrl-C.
async fn serve(port: u16) -> Result<(), Box<dyn Error>> {
    let telemetry = biztrace::init()?;
    let client = web::Data::new(Client::builder().no_proxy().build()?);
    let server = HttpServer::new(move || {
        App::new()
            .wrap(RequestTracing::default())
            .app_data(client.clone())
            .service(send_on)
    });
    server.workers(1).bind(("127.0.0.1", port))?.run().await?;
    println!("{}", telemetry.shutdown().await);
    Ok(())
}
