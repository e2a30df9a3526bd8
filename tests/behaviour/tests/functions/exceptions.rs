//! Errors as events in the log, as OpenTelemetry's own bridge takes them to its logs.

use std::error::Error;
use std::fmt;
use std::sync::{Arc, Mutex};

use actix_web::http::StatusCode;
use actix_web::{App, ResponseError, get, web};
use behaviour::{Instance, Reserved, Service, Span, rerun, tag_of};
use biztrace::settings::ExceptionSignal;
use biztrace::{Telemetry, traced, traced_handler};
use opentelemetry::logs::{AnyValue, Severity};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLoggerProvider};
use tracing_subscriber::layer::SubscriberExt;

/// What is of interest of a log record.
#[derive(Debug, Clone, PartialEq)]
struct Record {
    event: &'static str,
    severity: Severity,
    error_type: Option<String>,
    message: String,
    trace: String,
    span: String,
}

#[derive(Debug, Clone, Default)]
struct Logs(Arc<Mutex<Vec<Record>>>);

impl LogExporter for Logs {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        for (record, _) in batch.iter() {
            let attribute = |name: &str| {
                let mut all = record.attributes_iter();
                let (_, value) = all.find(|(key, _)| key.as_str() == name)?;
                match value {
                    AnyValue::String(text) => Some(text.to_string()),
                    other => panic!("{name}={other:?}"),
                }
            };
            let Some(message) = attribute("exception.message") else {
                continue;
            };
            let context = record.trace_context().unwrap();
            self.0.lock().unwrap().push(Record {
                event: record.event_name().unwrap(),
                severity: record.severity_number().unwrap(),
                error_type: attribute("exception.type"),
                message,
                trace: context.trace_id.to_string(),
                span: context.span_id.to_string(),
            });
        }
        Ok(())
    }
}

impl Logs {
    /// Takes the events of this process from now on.
    fn of_this_process() -> Self {
        let logs = Self::default();
        let provider = SdkLoggerProvider::builder()
            .with_simple_exporter(logs.clone())
            .build();
        let bridge = OpenTelemetryTracingBridge::new(&provider);
        let subscriber = tracing_subscriber::registry().with(bridge);
        tracing::subscriber::set_global_default(subscriber).unwrap();
        logs
    }

    fn of(&self, span: &Span) -> Vec<Record> {
        let all = self.0.lock().unwrap();
        let of_span = |record: &&Record| record.span == span.id() && record.trace == span.trace();
        all.iter().filter(of_span).cloned().collect()
    }
}

#[derive(Debug)]
struct Declined(StatusCode);

impl fmt::Display for Declined {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the bank says no")
    }
}

impl Error for Declined {}

impl ResponseError for Declined {
    fn status_code(&self) -> StatusCode {
        self.0
    }
}

#[traced(err)]
async fn charge(status: u16) -> Result<(), Declined> {
    biztrace::current().record_error(&Declined(StatusCode::OK));
    Err(Declined(StatusCode::from_u16(status).unwrap()))
}

#[get("/pay/{status}")]
#[traced_handler(err)]
async fn pay(status: web::Path<u16>) -> Result<&'static str, Declined> {
    charge(*status).await?;
    Ok("paid")
}

/// The spans of a request that is answered with `status`: the handler's and the function's.
async fn spans(signal: Option<ExceptionSignal>, status: u16) -> [Span; 2] {
    let instance = Instance::new(|settings| match signal {
        Some(signal) => settings.exceptions(signal),
        None => settings,
    });
    let service = Service::recording_to(instance, |tracing| App::new().wrap(tracing).service(pay));
    service.get(&format!("/pay/{status}")).await;
    let spans = service.spans(2).await;
    [spans.server().clone(), spans.named("charge").clone()]
}

#[actix_web::test]
async fn exceptions_are_events_where_the_settings_have_them() {
    if rerun(
        "exceptions::exceptions_are_events_where_the_settings_have_them",
        &[],
    )
    .is_some()
    {
        return;
    }
    let logs = Logs::of_this_process();
    let record = |span: &Span, event| Record {
        event,
        severity: Severity::Error,
        error_type: Some("functions::exceptions::Declined".into()),
        message: "the bank says no".into(),
        trace: span.trace(),
        span: span.id(),
    };
    for (signal, in_spans, in_logs) in [
        (None, 1, 0),
        (Some(ExceptionSignal::SpanEvents), 1, 0),
        (Some(ExceptionSignal::Logs), 0, 1),
        (Some(ExceptionSignal::Both), 1, 1),
    ] {
        let [server, charge] = spans(signal, 503).await;
        assert_eq!(server.events.len(), in_spans, "{signal:?}");
        // What it has recorded itself, and what it ended with.
        assert_eq!(charge.events.len(), 2 * in_spans, "{signal:?}");
        let expected = vec![record(&server, "http.server.request.exception"); in_logs];
        assert_eq!(logs.of(&server), expected, "{signal:?}");
        let expected = vec![record(&charge, "exception"); 2 * in_logs];
        assert_eq!(logs.of(&charge), expected, "{signal:?}");

        // An error that stands for a 4xx is none of the server's.
        let [server, charge] = spans(signal, 404).await;
        assert_eq!((server.events.len(), logs.of(&server).len()), (0, 0));
        assert_eq!(logs.of(&charge).len(), 2 * in_logs, "{signal:?}");
    }
}

/// Has the error of a request, twice: as its own, and recorded by hand.
#[traced(err)]
async fn fetch(url: String) -> Result<(), reqwest::Error> {
    let sent = reqwest::get(url).await;
    let result = sent.and_then(reqwest::Response::error_for_status);
    let result = result.map(|_| ());
    if let Err(error) = &result {
        biztrace::current().record_error(error);
    }
    result
}

#[get("/fetch")]
async fn fetches(url: web::Data<String>) -> &'static str {
    let _ = fetch(url.to_string()).await;
    "done"
}

#[actix_web::test]
async fn secrets_in_the_url_of_an_error_are_redacted_in_spans_and_in_the_log() {
    let name = "exceptions::secrets_in_the_url_of_an_error_are_redacted_in_spans_and_in_the_log";
    if rerun(name, &[]).is_some() {
        return;
    }
    let logs = Logs::of_this_process();
    let called = Service::start(|tracing| App::new().wrap(tracing));
    let dead = Reserved::default();
    for (base, problem) in [
        (called.url(""), "404 Not Found"),
        (dead.url(), "error sending request"),
    ] {
        let instance = Instance::new(|settings| {
            let settings = settings.exceptions(ExceptionSignal::Both);
            settings.redact_query(["pin"])
        });
        let url = format!("{base}/stock?quantity=2&token=s3cr3t&pin=s3cr3t#key=s3cr3t");
        let url = web::Data::new(url.replace("://", "://me:s3cr3t@"));
        let service = Service::recording_to(instance, move |tracing| {
            let app = App::new().app_data(url.clone());
            app.wrap(tracing).service(fetches)
        });
        service.get("/fetch").await;
        let spans = service.spans(2).await;
        let span = spans.named("fetch");
        let events = span.events.iter().map(|event| {
            let message = tag_of(&event.attributes, "exception.message");
            message.unwrap().to_string()
        });
        let records = logs.of(span).into_iter().map(|record| record.message);
        let messages: Vec<_> = events.chain(records).collect();
        assert_eq!(messages.len(), 4, "{messages:?}");
        for message in messages {
            assert!(message.contains(problem), "{message}");
            assert!(
                message.contains("/stock?quantity=2&token=REDACTED&pin=REDACTED"),
                "{message}"
            );
            assert!(!message.contains("s3cr3t"), "{message}");
        }
    }
}

#[test]
fn the_setting_is_described() {
    let telemetry = Telemetry::builder().exceptions(ExceptionSignal::Both);
    let telemetry = telemetry.build().unwrap();
    let line = telemetry.describe().to_string();
    assert!(line.contains("exceptions=logs/dup (code)"), "{line}");
}
