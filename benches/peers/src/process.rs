//! A served process: it says where it listens, obeys its stdin, and ends when that closes.

use std::io;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::rt::{self, System, task::spawn_blocking};
use actix_web::{App, Error, HttpServer};

/// The exporting end of a service. Flushing and shutting down block.
pub(crate) trait Telemetry: Send + 'static {
    /// Exports all spans that have ended.
    fn flush(&self) -> io::Result<()>;
    /// What became of the spans, of those that keep books.
    fn report(&self) -> String {
        "no books".into()
    }
    /// Exports what is left, and ends.
    fn shutdown(&self) -> io::Result<()>;
}

/// For those that record nothing.
impl Telemetry for () {
    fn flush(&self) -> io::Result<()> {
        Ok(())
    }

    fn shutdown(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Serves `app` from `workers` threads until stdin closes.
pub(crate) fn run<F, T, B>(workers: usize, telemetry: impl Telemetry, app: F) -> io::Result<()>
where
    F: Fn() -> App<T> + Send + Clone + 'static,
    T: ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<B>,
            Error = Error,
            InitError = (),
        > + 'static,
    B: MessageBody + 'static,
{
    let telemetry = System::new().block_on(async {
        let server = HttpServer::new(app)
            .workers(workers)
            .disable_signals()
            .bind("127.0.0.1:0")?;
        for address in server.addrs() {
            println!("listening {address}");
        }
        let server = server.run();
        let handle = server.handle();
        let serving = rt::spawn(server);
        let obeyed = spawn_blocking(move || obey(telemetry)).await?;
        handle.stop(false).await;
        serving.await??;
        obeyed
    })?;
    telemetry.shutdown()
}

/// Does what the lines of stdin say, until it closes.
fn obey<T: Telemetry>(telemetry: T) -> io::Result<T> {
    for command in io::stdin().lines() {
        match command?.as_str() {
            "flush" => {
                telemetry.flush()?;
                println!("flushed");
            }
            "report" => println!("{}", telemetry.report()),
            other => {
                return Err(io::Error::other(format!(
                    "no command {other:?}: send flush or report"
                )));
            }
        }
    }
    Ok(telemetry)
}
