//! What a receiver of OTLP answers.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::{DecodeError, Message};

use crate::exporter::remote_text;
use crate::pipeline::Delivery;

/// What a receiver says that takes the request.
pub(super) fn delivery(answer: Bytes) -> Result<Delivery, DecodeError> {
    let partial = ExportTraceServiceResponse::decode(answer)?
        .partial_success
        .unwrap_or_default();
    Ok(partial_success(
        partial.rejected_spans,
        partial.error_message,
    ))
}

/// A success of which the receiver refuses that many spans all the same.
pub(super) fn partial_success(rejected: i64, message: String) -> Delivery {
    let rejected = u64::try_from(rejected).unwrap_or(0);
    let message = if rejected > 0 && message.is_empty() {
        "the receiver rejected spans without a reason".into()
    } else {
        remote_text(&message)
    };
    Delivery { rejected, message }
}
