//! What can go wrong in either service, and how clients are told.

use actix_web::ResponseError;
use actix_web::error::BlockingError;
use actix_web::http::StatusCode;

use crate::storefront::Declined;

/// Why a request fails. Clients get the status and the message, as text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ShopError {
    #[error("there is no order {0}")]
    UnknownOrder(i64),
    #[error("{0} is not in our range")]
    UnknownSku(String),
    #[error("we have not as many of {0}")]
    OutOfStock(String),
    #[error(transparent)]
    Declined(#[from] Declined),
    #[error("the inventory is out of order")]
    Inventory(#[from] reqwest::Error),
    #[error("the database is out of order")]
    Database(#[from] rusqlite::Error),
    #[error("the service is stopping")]
    Stopping(#[from] BlockingError),
}

impl ResponseError for ShopError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::UnknownOrder(_) | Self::UnknownSku(_) => StatusCode::NOT_FOUND,
            Self::OutOfStock(_) => StatusCode::CONFLICT,
            Self::Declined(_) => StatusCode::PAYMENT_REQUIRED,
            Self::Inventory(_) => StatusCode::BAD_GATEWAY,
            Self::Database(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Stopping(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}
