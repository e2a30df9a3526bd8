async fn ping() {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
                "redis",
                ::core::concat!(::core::module_path!(), "::", "ping"),
            )
            .kind(::biztrace::__private::SpanKind::Client)
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("db.system.name") },
                    &("redis"),
                );
        },
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<()>();
                }
                {}
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
