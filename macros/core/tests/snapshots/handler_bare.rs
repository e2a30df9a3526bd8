async fn ping() -> impl Responder {
    #![allow(clippy::async_yields_async)]
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "ping",
            ::core::concat!(::core::module_path!(), "::", "ping"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run(
            async move { { "pong" } },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
