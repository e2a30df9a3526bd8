//! Answers in JSON, which some receivers give whatever they are asked in.

use serde::Deserialize;

use crate::pipeline::Delivery;

/// What a receiver says in JSON; nothing that can be read is a plain success, as its status is.
pub(super) fn delivery(body: &[u8]) -> Delivery {
    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Answer {
        partial_success: Partial,
    }

    #[derive(Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Partial {
        rejected_spans: Count,
        error_message: String,
    }

    /// 64-bit integers are strings, and numbers with those who know no better.
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Count {
        Number(i64),
        Text(String),
    }

    impl Default for Count {
        fn default() -> Self {
            Self::Number(0)
        }
    }

    let Answer { partial_success } = serde_json::from_slice(body).unwrap_or_default();
    let rejected = match partial_success.rejected_spans {
        Count::Number(count) => count,
        Count::Text(count) => count.parse().unwrap_or(0),
    };
    Delivery {
        rejected: u64::try_from(rejected).unwrap_or(0),
        message: partial_success.error_message,
    }
}
