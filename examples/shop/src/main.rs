//! A shop in two services, traced by biztrace: the storefront takes orders, the inventory keeps the
//! stock. Both run in this process, talk HTTP to each other and keep their data in SQLite.
//!
//! `shop` serves until Ctrl-C. `shop --demo` sends itself a mix of requests and shows their traces.

mod database;
mod demo;
mod error;
mod inventory;
mod shop;
mod storefront;

use std::env;
use std::error::Error;
use std::process::ExitCode;

use biztrace::Telemetry;

use crate::shop::Shop;

#[actix_web::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let result = match arguments.as_slice() {
        [] => serve().await,
        [option] if option == "--demo" => demo::run().await,
        _ => {
            eprintln!("usage: shop [--demo]");
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("shop: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let telemetry = telemetry().install()?;
    let shop = Shop::open(8080, 8081)?;
    println!("{}", invitation(&shop));
    shop.closed().await?;
    println!("{}", telemetry.shutdown().await);
    Ok(())
}

/// The environment decides where traces go, as with `biztrace::init`.
fn telemetry() -> biztrace::TelemetryBuilder {
    Telemetry::builder().service(env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION"))
}

fn invitation(shop: &Shop) -> String {
    let Shop {
        storefront,
        inventory,
        ..
    } = shop;
    format!(
        r#"The storefront listens on http://{storefront}, the inventory on http://{inventory}. Try:

  curl -i http://{storefront}/orders -H 'x-user-tier: gold' --json \
    '{{"sku": "tea-oolong", "quantity": 3, "amount": 38.7, "currency": "EUR", "method": "card"}}'
  curl -i http://{storefront}/orders -H 'x-user-tier: gold' --json \
    '{{"sku": "tea-oolong", "quantity": 3, "amount": 24000, "currency": "EUR", "method": "card"}}'
  curl -i http://{storefront}/orders/1
  curl -i 'http://{storefront}/reports/sales?currency=EUR'
  curl -i http://{storefront}/crash
  curl -i http://{inventory}/stock/tea-oolong

Ctrl-C ends both."#
    )
}
