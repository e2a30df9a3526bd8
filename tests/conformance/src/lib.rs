//! What the tables of cases share: a request as it stands on the wire, to a server on a real port, and what came of it.

use std::collections::HashMap;

use actix_web::{HttpRequest, web};
use behaviour::{Service, Spans};
use biztrace::settings::Propagator;
use biztrace::traced_handler;
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator;
use tokio::io::AsyncReadExt;

/// The caller's trace in the tables.
pub const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
/// The caller's span in the tables.
pub const SPAN: &str = "b7ad6b7169203331";

/// What came of a request.
#[derive(Debug)]
pub struct Exchange {
    /// What was recorded.
    pub spans: Spans,
    /// The head and body of the answer.
    pub answer: String,
}

impl Exchange {
    /// The headers that a client called by the handler of [`outbound`] would be sent.
    ///
    /// # Panics
    ///
    /// If another handler has answered.
    #[must_use]
    pub fn sent(&self) -> HashMap<String, String> {
        let (_, body) = self.answer.split_once("\r\n\r\n").expect("a whole answer");
        serde_json::from_str(body).expect("the answer of `outbound`")
    }
}

/// Answers with what a client called from here would send, in every format.
#[traced_handler]
pub async fn outbound(_request: HttpRequest) -> web::Json<HashMap<String, String>> {
    let mut headers = HashMap::new();
    for propagator in [
        Propagator::TraceContext,
        Propagator::Baggage,
        Propagator::B3,
        Propagator::B3Multi,
        Propagator::Jaeger,
        Propagator::XTrace,
    ] {
        propagator.inject_context(&Context::current(), &mut headers);
    }
    web::Json(headers)
}

/// Sends `request` as it stands to a service, and takes the whole answer. The request must ask for the connection to be closed.
/// There must be `spans` of it, of which none is left out.
///
/// # Panics
///
/// If there is no answer, or if there are other spans.
pub async fn exchange(service: Service, request: &str, spans: u64) -> Exchange {
    let mut answer = String::new();
    let mut connection = service.send(request).await;
    connection
        .read_to_string(&mut answer)
        .await
        .expect("the server sends the whole answer");
    let spans = service.spans(spans).await;
    Exchange { spans, answer }
}
