//! A receiver that takes whatever it is sent and looks at nothing.

use std::sync::mpsc;
use std::{io, thread};

use actix_web::{App, HttpResponse, HttpServer, web};

/// Starts a receiver on a thread of its own, which lives as long as the process, and returns its endpoint.
///
/// # Errors
///
/// If it cannot listen.
pub fn start() -> io::Result<String> {
    let (listening, endpoint) = mpsc::channel();
    thread::spawn(move || {
        actix_web::rt::System::new().block_on(async {
            let take = |_: web::Bytes| async { HttpResponse::Ok().finish() };
            let app = move || {
                App::new()
                    .app_data(web::PayloadConfig::new(16 * 1024 * 1024))
                    .default_service(web::to(take))
            };
            let server = HttpServer::new(app).workers(1).disable_signals();
            match server.bind(("127.0.0.1", 0)) {
                Ok(server) => {
                    let _ = listening.send(Ok(format!("http://{}", server.addrs()[0])));
                    let _ = server.run().await;
                }
                Err(error) => {
                    let _ = listening.send(Err(error));
                }
            }
        });
    });
    endpoint.recv().map_err(io::Error::other)?
}
