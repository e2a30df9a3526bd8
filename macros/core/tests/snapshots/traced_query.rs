async fn all(&self) -> Result<Vec<Order>, DbError> {
    let __biztrace_span = ::biztrace::__private::traced(
        const {
            &::biztrace::__private::Site::new(
                    const { &::biztrace::__private::QuerySummary::of(Self::ALL) }
                        .or("sqlite"),
                    ::core::concat!(::core::module_path!(), "::", "all"),
                )
                .kind(::biztrace::__private::SpanKind::Client)
        },
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("db.query.summary") },
                    &(const { &::biztrace::__private::QuerySummary::of(Self::ALL) }
                        .get()),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("db.system.name") },
                    &("sqlite"),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("db.query.text") },
                    &(Self::ALL),
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
