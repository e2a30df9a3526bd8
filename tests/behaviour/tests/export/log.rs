//! What a subscriber hears of an export.

use std::fmt::Debug;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use behaviour::{Fault, Instance, Receiver, eventually, rerun};
use biztrace::Telemetry;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt};

/// Keeps events of all levels: their thread, target and message.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<[String; 3]>>>);

impl<S: Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut message = Message::default();
        event.record(&mut message);
        let thread = thread::current().name().unwrap_or_default().to_owned();
        let target = event.metadata().target().to_owned();
        self.0.lock().unwrap().push([thread, target, message.0]);
    }
}

#[derive(Default)]
struct Message(String);

impl Visit for Message {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        if field.name() == "message" {
            self.0 = format!("{value:?}");
        }
    }
}

/// In its own process, since a process has one subscriber.
#[actix_web::test]
async fn subscriber_gets_losses_but_no_events_of_export_clients() {
    if rerun(
        "log::subscriber_gets_losses_but_no_events_of_export_clients",
        &[],
    )
    .is_some()
    {
        return;
    }
    let instance = Instance::sending_to(Receiver::new([Fault::Rejects(1)]), |settings| settings);
    // Later than the export thread: a layer that asks for a tracer cannot be earlier.
    let heard = Heard::default();
    let subscriber = tracing_subscriber::registry().with(heard.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    instance.under_root(async {}).await;
    assert_eq!(instance.report_of(1).await.dropped.total(), 1);

    let heard = heard.0.lock().unwrap();
    let expected = "otlp: spans dropped so far: rejected 1; last trouble: too many";
    let expected = ["biztrace-log", "biztrace", expected].map(str::to_owned);
    let told = heard.iter().filter(|[_, target, _]| target == "biztrace");
    assert_eq!(told.collect::<Vec<_>>(), [&expected], "{heard:?}");
    let of_clients = heard
        .iter()
        .find(|[thread, ..]| thread == "biztrace-export");
    assert_eq!(of_clients, None);
}

/// In its own process, since a process has one subscriber and one installed instance.
#[actix_web::test]
async fn subscriber_that_comes_after_the_set_up_hears_what_is_active() {
    let test = "log::subscriber_that_comes_after_the_set_up_hears_what_is_active";
    if rerun(test, &[("OTEL_TRACES_EXPORTER", "none")]).is_some() {
        return;
    }
    let telemetry = Telemetry::builder().service("shop", "1").install().unwrap();
    let heard = Heard::default();
    let subscriber = tracing_subscriber::registry().with(heard.clone());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let is_heard = |part: &str| {
        let heard = heard.0.lock().unwrap();
        let mut messages = heard.iter().map(|[_, _, message]| message);
        messages.any(|message| message.contains(part))
    };
    eventually("the summary", || is_heard("service.name=shop (code)")).await;
    assert!(is_heard("sampler=parentbased_always_on (default)"));
    telemetry.shutdown().await;
}

#[test]
fn what_is_active_is_on_stderr_if_nobody_comes_to_listen() {
    let mut service = Command::new(env!("CARGO_BIN_EXE_quick_start"))
        .env("OTEL_TRACES_EXPORTER", "none")
        .env_remove("OTEL_SERVICE_NAME")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stderr = BufReader::new(service.stderr.take().unwrap()).lines();
    let line = stderr.next().unwrap().unwrap();
    service.kill().unwrap();
    service.wait().unwrap();
    assert!(line.starts_with("biztrace: "), "{line}");
    let name = "service.name=unknown_service:quick_start (default; set OTEL_SERVICE_NAME)";
    assert!(line.contains(name), "{line}");
}
