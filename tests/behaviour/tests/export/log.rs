//! What a subscriber hears of an export.

use std::fmt::Debug;
use std::sync::{Arc, Mutex};
use std::thread;

use behaviour::{Fault, Instance, Receiver, rerun};
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
