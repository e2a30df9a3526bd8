//! `#[inherit]` and what a span or a trace takes: tags that are replaced, left out or too large.

use biztrace::settings::Limits;
use biztrace::testing::Capture;
use biztrace::{BizAttrs, Tags, Telemetry, tag, traced};

#[test]
fn inherited_value_survives_a_later_own_value() {
    struct Both;

    impl BizAttrs for Both {
        fn record(&self, tags: &mut Tags) {
            tags.set_inherited("tenant.id", "a");
            tags.set("tenant.id", "b");
        }
    }

    #[traced]
    fn inner() {}

    #[traced]
    fn outer() {
        tag!(..Both);
        inner();
    }

    let capture = Capture::new();
    capture.scope_sync(outer);
    capture.span("outer").assert_tag("tenant.id", "b");
    capture.span("inner").assert_tag("tenant.id", "a");
}

#[test]
fn what_a_span_does_not_take_is_not_handed_down() {
    #[traced]
    fn inner() {}

    #[traced(attrs(order.lines = "x".repeat(600)))]
    fn outer() {
        tag!(
            #[inherit]
            #[pii]
            user.id = "ada",
            #[when(true)]
            user.id = "somebody",
            #[inherit]
            order.note = "x".repeat(600),
            #[when(true)]
            order.note = "long",
        );
        inner();
    }

    let capture = limited_to(1_000);
    capture.scope_sync(outer);
    let outer = capture.span("outer");
    outer
        .assert_tag("user.id", "somebody")
        .assert_tag("order.note", "long");
    assert_eq!(outer.data().dropped_attributes_count, 1);
    let inner = capture.span("inner");
    assert_eq!(inner.data().attributes, []);
}

/// Sets an inherited tag, and then the same key to nothing: what its span has of it counts no more.
struct HandsDown<'a>(&'static str, &'a str);

impl BizAttrs for HandsDown<'_> {
    fn record(&self, tags: &mut Tags) {
        tags.set_inherited(self.0, self.1);
        tags.set(self.0, "");
    }
}

fn limited_to(bytes: usize) -> Capture {
    let mut limits = Limits::default();
    limits.bytes_per_trace = bytes;
    limits.attribute_value_length = Some(usize::MAX);
    Capture::with(Telemetry::builder().limits(move |it| it.clone_from(&limits)))
}

#[test]
fn what_is_handed_down_has_a_limit_of_bytes() {
    #[traced]
    fn inner() {}

    #[traced]
    fn outer() {
        let value = "x".repeat(40_000);
        for name in ["one", "two", "three"] {
            tag!(..HandsDown(name, &value));
        }
        inner();
    }

    let capture = limited_to(100_000);
    capture.scope_sync(outer);
    let inner = capture.span("inner");
    assert!(inner.tag("one").is_some() && inner.tag("two").is_some());
    assert_eq!(inner.tag("three"), None);
    let outer = capture.span("outer");
    assert_eq!(outer.data().dropped_attributes_count, 1);
}

#[test]
fn what_was_handed_down_gives_its_room_back() {
    #[traced]
    fn inner() {}

    #[traced]
    fn one_of_many(value: &str) {
        tag!(..HandsDown("app.value", value));
    }

    #[traced]
    fn outer() {
        for _ in 0..20 {
            one_of_many(&"x".repeat(40_000));
        }
        tag!(..HandsDown("app.value", "the last"));
        tag!(..HandsDown("app.large", &"x".repeat(90_000)));
        inner();
    }

    let capture = limited_to(100_000);
    capture.scope_sync(outer);
    let inner = capture.span("inner");
    inner.assert_tag("app.value", "the last");
    assert!(inner.tag("app.large").is_some());
    assert_eq!(capture.span("outer").data().dropped_attributes_count, 0);
}
