async fn load(id: u64) -> Order {
    #![allow(clippy::async_yields_async)]
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
                "SELECT orders",
                ::core::concat!(::core::module_path!(), "::", "load"),
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
                    &("postgresql"),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("db.query.text") },
                    &(SQL),
                );
            __tags.set(const { &::biztrace::__private::Key::new("order.id") }, &(id));
        },
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<Order>();
                }
                { query(id).await }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
