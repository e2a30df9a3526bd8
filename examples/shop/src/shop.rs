//! The shop as a whole: both services with their databases, from start to stop.

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use actix_web::dev::{Server, ServerHandle};
use actix_web::rt::{self, task::JoinHandle};
use actix_web::{App, HttpResponse, HttpServer, web};
use biztrace::actix::RequestTracing;
use tempfile::TempDir;

use crate::database::Database;
use crate::storefront::InventoryClient;
use crate::{inventory, storefront};

pub(crate) struct Shop {
    /// Where the storefront listens.
    pub(crate) storefront: SocketAddr,
    /// Where the inventory listens.
    pub(crate) inventory: SocketAddr,
    handles: [ServerHandle; 2],
    services: JoinHandle<io::Result<((), ())>>,
    databases: [Database; 2],
    /// Holds the databases' files, and deletes them when dropped.
    _folder: TempDir,
}

impl Shop {
    /// Starts the services on these ports of the loopback interface; port 0 is any free one.
    pub(crate) fn open(storefront_port: u16, inventory_port: u16) -> Result<Self, Box<dyn Error>> {
        let folder = tempfile::tempdir()?;
        let stock = Database::open(folder.path().join("inventory.db"), inventory::SCHEMA)?;
        let orders = Database::open(folder.path().join("storefront.db"), storefront::SCHEMA)?;

        let routes = inventory::routes(stock.clone());
        let (inventory_server, inventory) = start(inventory_port, routes)?;
        let routes = storefront::routes(orders.clone(), InventoryClient::new(inventory)?);
        let (storefront_server, storefront) = start(storefront_port, routes)?;
        Ok(Self {
            storefront,
            inventory,
            handles: [storefront_server.handle(), inventory_server.handle()],
            services: rt::spawn(async { tokio::try_join!(storefront_server, inventory_server) }),
            databases: [orders, stock],
            _folder: folder,
        })
    }

    /// Ends the services, once they have answered what they were asked.
    pub(crate) async fn close(self) -> Result<(), Box<dyn Error>> {
        for service in &self.handles {
            service.stop(true).await;
        }
        self.closed().await
    }

    /// Waits until the services have ended, by Ctrl-C for one.
    pub(crate) async fn closed(self) -> Result<(), Box<dyn Error>> {
        self.services.await??;
        for database in &self.databases {
            database.idle().await?;
        }
        Ok(())
    }
}

fn start(
    port: u16,
    routes: impl Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
) -> Result<(Server, SocketAddr), Box<dyn Error>> {
    let server = HttpServer::new(move || {
        App::new()
            .wrap(RequestTracing::default().baggage_tags(["tenant.id"]))
            .route("/health", web::get().to(HttpResponse::Ok))
            .configure(routes.clone())
    })
    // A client that hangs up cancels its request. By default actix would finish it for nobody.
    .h1_allow_half_closed(false)
    .shutdown_timeout(5)
    .bind((Ipv4Addr::LOCALHOST, port))
    .map_err(|error| format!("port {port}: {error}"))?;
    let address = server.addrs()[0];
    Ok((server.run(), address))
}
