//! Payment, by a bank that takes its time and has its limits.

use std::time::Duration;

use actix_web::rt::time::sleep;
use biztrace::{BizValue, biz_attrs, traced};
use serde::Deserialize;

/// The most that the bank authorises, in any currency.
const LIMIT: f64 = 10_000.0;

/// A tag by its name, as in JSON.
#[derive(Clone, Copy, Deserialize, BizValue)]
#[serde(rename_all = "snake_case")]
pub(super) enum Method {
    Card,
    Alipay,
}

/// The bank does not authorise the payment.
#[derive(Debug, thiserror::Error)]
#[error("payment declined: {code}")]
pub(crate) struct Declined {
    code: &'static str,
}

/// Has the bank set `amount` aside.
#[traced]
#[biz_attrs(payment.amount = amount, #[err(declined)] payment.decline_code = declined.code)]
pub(super) async fn authorise(amount: f64) -> Result<(), Declined> {
    sleep(Duration::from_millis(12)).await;
    if amount <= LIMIT {
        return Ok(());
    }
    Err(Declined {
        code: "limit_exceeded",
    })
}
