//! A service's SQLite database: takes SQL to the blocking pool, and the trace with it. The SQL is
//! the services' own.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web;
use biztrace::opentelemetry::Context;
use rusqlite::Connection;

use crate::error::ShopError;

/// One connection, which its clones share: SQLite has one writer at a time anyway.
#[derive(Clone)]
pub(crate) struct Database(Arc<Mutex<Connection>>);

impl Database {
    /// Creates the database file `path` with the tables of `schema`.
    pub(crate) fn open(path: impl AsRef<Path>, schema: &str) -> rusqlite::Result<Self> {
        let connection = Connection::open(path)?;
        connection.execute_batch(schema)?;
        Ok(Self(Arc::new(Mutex::new(connection))))
    }

    /// Runs `work` on the blocking pool, below the caller's span. It runs to its end, even if the
    /// caller is cancelled.
    pub(crate) async fn run<T, F>(&self, work: F) -> Result<T, ShopError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let connection = Arc::clone(&self.0);
        // The current span is known to this thread only.
        let cx = Context::current();
        let result = web::block(move || {
            let _scope = cx.attach();
            work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        Ok(result.await??)
    }

    /// Waits for the query that a cancelled request may have left behind.
    pub(crate) async fn idle(&self) -> Result<(), ShopError> {
        self.run(|_| Ok(())).await
    }
}
