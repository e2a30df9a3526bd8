//! Payment, by a bank that takes its time and has its limits.

use std::time::Duration;

use actix_web::rt::time::sleep;
use biztrace::opentelemetry::KeyValue;
use biztrace::opentelemetry::trace::get_active_span;
use biztrace::{Encoder, Value, biz_attrs, traced};
use serde::Deserialize;

/// The most that the bank authorises, in any currency.
const LIMIT: f64 = 10_000.0;

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Method {
    Card,
    Alipay,
}

/// A tag by its name, as in JSON.
impl Value for Method {
    fn encode(&self, encoder: Encoder<'_>) {
        encoder.string(match self {
            Self::Card => "card",
            Self::Alipay => "alipay",
        });
    }
}

/// The bank does not authorise the payment.
#[derive(Debug, thiserror::Error)]
#[error("payment declined: {code}")]
pub(crate) struct Declined {
    code: &'static str,
}

/// Has the bank set `amount` aside.
#[traced]
#[biz_attrs(payment.amount = amount)]
pub(super) async fn authorise(amount: f64) -> Result<(), Declined> {
    sleep(Duration::from_millis(12)).await;
    if amount <= LIMIT {
        return Ok(());
    }
    let code = "limit_exceeded";
    get_active_span(|span| span.set_attribute(KeyValue::new("payment.decline_code", code)));
    Err(Declined { code })
}
