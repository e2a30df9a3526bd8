async fn all(&self) -> Result<Vec<Order>, DbError> {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
                "sqlite",
                ::core::concat!(::core::module_path!(), "::", "all"),
            )
            .kind(::biztrace::__private::SpanKind::Client)
            .named_by_query(const {
                &::biztrace::__private::QuerySummary::of(Self::ALL)
            })
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("db.system.name") },
                    &("sqlite"),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("db.query.text") },
                    &(const { Self::ALL }),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("db.query.summary") },
                    &(__biztrace_site.query_summary()),
                );
        },
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<
                        Result<Vec<Order>, DbError>,
                    >();
                }
                { fetch(Self::ALL).await }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
