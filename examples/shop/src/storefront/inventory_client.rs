//! The storefront's client of the inventory: HTTP, with the trace in its headers.

use std::net::SocketAddr;

use biztrace::client::{ClientTracing, reqwest::SendTraced};
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
    pub(crate) async fn reserve_stock(&self, sku: &str, quantity: u32) -> reqwest::Result<()> {
        let request = self.http.post(self.reserve_url(sku));
        let request = request.json(&Reservation { quantity });
        let tracing = ClientTracing::default().url_template("/stock/{sku}/reserve");
        let response = request.send_traced_with(tracing).await?;
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
