//! The storefront's client of the inventory: HTTP, with the trace in its headers.

use std::net::SocketAddr;

use biztrace::opentelemetry::global;
use biztrace::traced;
use opentelemetry_http::HeaderInjector;
use reqwest::header::HeaderMap;
use reqwest::{Client, Url};

use crate::inventory::Reservation;

#[derive(Clone)]
pub(crate) struct InventoryClient {
    http: Client,
    address: SocketAddr,
}

impl InventoryClient {
    /// A client of the inventory at `address`.
    pub(crate) fn new(address: SocketAddr) -> reqwest::Result<Self> {
        let http = Client::builder().no_proxy().build()?;
        Ok(Self { http, address })
    }

    /// Reserves `quantity` articles.
    ///
    /// # Errors
    ///
    /// Status 409 (Conflict) if the inventory has not as many.
    #[traced(
        kind = "client",
        attrs(
            http.request.method = "POST",
            server.address = self.address.ip().to_string(),
            server.port = self.address.port(),
            url.full = self.reserve_url(sku).as_str(),
        )
    )]
    pub(crate) async fn reserve_stock(&self, sku: &str, quantity: u32) -> reqwest::Result<()> {
        let mut headers = HeaderMap::new();
        global::get_text_map_propagator(|propagator| {
            propagator.inject(&mut HeaderInjector(&mut headers));
        });
        let request = self.http.post(self.reserve_url(sku)).headers(headers);
        let response = request.json(&Reservation { quantity }).send().await?;
        let status = response.status().as_u16();
        biztrace::current().set("http.response.status_code", &status);
        response.error_for_status().map(drop)
    }

    fn reserve_url(&self, sku: &str) -> Url {
        let mut url = Url::parse(&format!("http://{}", self.address))
            .expect("a socket address is a valid authority");
        url.path_segments_mut()
            .expect("a URL with an authority has a path")
            .extend(["stock", sku, "reserve"]);
        url
    }
}
