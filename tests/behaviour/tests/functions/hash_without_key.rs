//! Values that are to be hashed where there is no key. The test has its own process, since a process is warned once.

use std::fmt;
use std::sync::{Arc, Mutex};

use behaviour::{Instance, rerun};
use biztrace::tag;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// Keeps what biztrace says, and hashes a value itself as it does so.
struct Listener(Arc<Mutex<Vec<String>>>);

impl Subscriber for Listener {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "biztrace"
    }

    fn event(&self, event: &Event<'_>) {
        tag!(
            #[hash]
            listener.id = 7
        );
        let mut messages = self.0.lock().expect("nobody panics with it");
        event.record(&mut Message(&mut messages));
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}
    fn record_follows_from(&self, _: &Id, _: &Id) {}
    fn enter(&self, _: &Id) {}
    fn exit(&self, _: &Id) {}
}

struct Message<'a>(&'a mut Vec<String>);

impl Visit for Message<'_> {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        if field.name() == "message" {
            self.0.push(format!("{value:?}"));
        }
    }
}

#[actix_web::test]
async fn value_is_dropped_with_one_warning_without_a_usable_hash_key() {
    let test = "hash_without_key::value_is_dropped_with_one_warning_without_a_usable_hash_key";
    if rerun(test, &[("BIZTRACE_HASH_KEY", "short")]).is_some() {
        return;
    }
    let instance = Instance::default();
    let messages = Arc::default();
    let listening = tracing::subscriber::set_default(Listener(Arc::clone(&messages)));
    instance
        .under_root(async {
            for id in 0..3 {
                tag!(
                    #[hash]
                    user.id = id,
                    order.id = id
                );
            }
        })
        .await;
    drop(listening);
    let spans = instance.spans(1).await;
    let root = spans.named("root");
    assert_eq!(root.tag("order.id"), Some(2.into()));
    assert_eq!((root.tag("user.id"), root.tag("listener.id")), (None, None));
    let messages = messages.lock().unwrap();
    assert_eq!(messages.len(), 1, "{messages:?}");
    for part in [
        "the value of \"user.id\" is to be hashed, but there is no usable key",
        "BIZTRACE_HASH_KEY",
        "`TelemetryBuilder::hash_key`",
        "16 bytes or more",
    ] {
        assert!(messages[0].contains(part), "{messages:?}");
    }
}
