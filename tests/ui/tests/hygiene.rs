//! Annotated functions where every name that an expansion could lean on means something else.

use biztrace::{biz_attrs, traced, traced_handler};

/// A scope with nothing of the standard library's prelude left, but what the functions name themselves.
mod shadowed {
    #![allow(dead_code, unused_macros, non_camel_case_types)]

    use super::{biz_attrs, traced, traced_handler};

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

functions!(by_macro, method, id: u64, total in Order, id + 1, { id * 2 });

#[actix_web::test]
async fn names_of_the_users_do_no_harm() {
    assert_eq!(shadowed::handler(7).await, Ok(7));
    assert_eq!(shadowed::function(7), Ok(7));
    assert_eq!(shadowed::annotated(7), 7);
    drop(shadowed::never());
    assert_eq!(arguments(1, 2, 3, 4, 5).await, 15);
}

#[actix_web::test]
async fn macros_may_write_annotated_functions() {
    assert_eq!(by_macro(7).await, 14);
    assert_eq!(Order.method(7), 8);
}
