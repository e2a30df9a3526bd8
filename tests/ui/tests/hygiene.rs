//! Annotated functions where every name that an expansion could lean on means something else.

use biztrace::{BizAttrs, BizValue, biz_attrs, tag, traced, traced_handler};

/// A scope with nothing of the standard library's prelude left, but what the functions name themselves.
mod shadowed {
    #![allow(dead_code, unused_macros, non_camel_case_types)]

    use super::{BizAttrs, BizValue, biz_attrs, tag, traced, traced_handler};

    mod core {}
    mod std {}
    mod biztrace {}
    mod opentelemetry {}
    struct Option;
    struct Result;
    struct Some;
    struct None;
    struct Ok;
    struct Err;
    struct String;
    struct Box;
    struct Key;
    struct Site;
    struct bool;
    struct str;
    trait Fn {}
    trait FnOnce {}
    trait Future {}
    trait Send {}
    trait Sized {}
    macro_rules! concat {
        ($($any:tt)*) => {
            compile_error!("the user's concat!")
        };
    }
    macro_rules! module_path {
        ($($any:tt)*) => {
            compile_error!("the user's module_path!")
        };
    }

    /// Methods on every type, by the names that an expansion calls.
    trait Everywhere {
        fn run(&self) {}
        fn run_sync(&self) {}
        fn set(&self) {}
        fn run_future(&self) {}
        fn run_stream(&self) {}
        fn set_inherited(&self) {}
        fn baggage(&self) {}
        fn nested(&self) {}
        fn record(&self) {}
        fn encode(&self) {}
        fn string(&self) {}
        fn as_str(&self) {}
        fn link(&self) {}
        fn tag(&self) {}
        fn exception(&self) {}
        fn ok(&self) {}
        fn err(&self) {}
        fn kind(&self) {}
        fn header(&self) {}
        fn error_type(&self) {}
    }
    impl<T: ?::core::marker::Sized> Everywhere for T {}

    #[traced_handler]
    #[biz_attrs(order.id = id, tenant.id = header("x-tenant-id"))]
    pub(super) async fn handler(id: u64) -> ::core::result::Result<u64, u8> {
        ::core::result::Result::Ok(id)
    }

    #[traced(kind = "client", attrs(order.id = id))]
    pub(super) fn function(id: u64) -> ::core::result::Result<u64, u8> {
        ::core::result::Result::Ok(id)
    }

    #[traced]
    pub(super) async fn never() -> ! {
        loop {
            ::core::future::ready(()).await;
        }
    }

    #[biz_attrs(order.id = id)]
    pub(super) fn annotated(id: u64) -> u64 {
        id
    }

    #[traced(err, ok_if = |_| false, err_if = |_| false, parent = none, links = [::biztrace::current().context()])]
    #[biz_attrs(
        #[hash] #[max_len(4)] #[display] order.id = id,
        #[mask(4)] #[debug] order.no = id,
        #[inherit] #[when(id > 3)] order.large = true,
        #[baggage] tenant.id = baggage("tenant.id"),
        #[ok(id)] order.done = id,
        #[err(e)] order.error = e,
        #[ret(_)] order.ended = true,
        ..Order { id, state: State::New },
    )]
    pub(super) async fn with_options(id: u64) -> ::core::result::Result<u64, u8> {
        tag!(
            order.stage = "tagged",
            #[pii]
            order.user = id
        );
        ::core::result::Result::Ok(id)
    }

    #[traced]
    pub(super) fn future(id: u64) -> impl ::core::future::Future<Output = u64> {
        ::core::future::ready(id)
    }

    #[traced]
    pub(super) fn boxed(
        id: u64,
    ) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = u64>>> {
        ::std::boxed::Box::pin(::core::future::ready(id))
    }

    #[derive(BizAttrs)]
    #[biz(prefix = "order")]
    struct Order {
        #[biz(inherit, baggage, when(self.id > 3))]
        id: u64,
        #[biz]
        state: State,
    }

    #[derive(BizValue)]
    enum State {
        New,
        Some,
        Ok,
    }
}

/// The readers' names, and those of an expansion's locals, as arguments and functions of the user's.
#[traced(attrs(a = header, b = query(cookie), c = __tags, d = __head, e = __biztrace_span))]
async fn arguments(header: u8, cookie: u8, __tags: u8, __head: u8, __biztrace_span: u8) -> u8 {
    header + query(cookie) + __tags + __head + __biztrace_span
}

fn query(value: u8) -> u8 {
    value
}

macro_rules! functions {
    ($name:ident, $method:ident, $argument:ident: $ty:ty, $key:ident in $owner:ident, $value:expr, $body:block) => {
        #[traced(attrs(order.$key = $value, order.id = $argument))]
        async fn $name($argument: $ty) -> $ty $body

        struct $owner;

        impl $owner {
            #[traced(attrs(order.$key = $value))]
            fn $method(&self, $argument: $ty) -> $ty {
                let id = $argument;
                id + 1
            }
        }
    };
}

macro_rules! types {
    ($name:ident { $field:ident: $ty:ty }, $value:ident { $($variant:ident)* }, $prefix:literal) => {
        #[derive(BizAttrs)]
        #[biz(prefix = $prefix)]
        struct $name {
            #[biz]
            $field: $ty,
        }

        #[derive(Clone, Copy, BizValue)]
        enum $value {
            $($variant,)*
        }
    };
}

types!(Invoice { state: Payment }, Payment { Open Paid }, "invoice");

#[traced(attrs(..invoice))]
fn bill(invoice: &Invoice) -> Payment {
    tag!(invoice.checked = true);
    invoice.state
}

functions!(by_macro, method, id: u64, total in Order, id + 1, { id * 2 });

#[actix_web::test]
async fn names_of_the_users_do_no_harm() {
    assert_eq!(shadowed::handler(7).await, Ok(7));
    assert_eq!(shadowed::function(7), Ok(7));
    assert_eq!(shadowed::annotated(7), 7);
    assert_eq!(shadowed::with_options(7).await, Ok(7));
    assert_eq!(shadowed::future(7).await, 7);
    assert_eq!(shadowed::boxed(7).await, 7);
    drop(shadowed::never());
    assert_eq!(arguments(1, 2, 3, 4, 5).await, 15);
}

#[actix_web::test]
async fn macros_may_write_annotated_functions() {
    assert_eq!(by_macro(7).await, 14);
    assert_eq!(Order.method(7), 8);
    for (state, value) in [(Payment::Open, "open"), (Payment::Paid, "paid")] {
        assert_eq!(bill(&Invoice { state }).as_str(), value);
    }
}
