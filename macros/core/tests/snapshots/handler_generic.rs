async fn list<'a, S: Store + 'static>(
    store: web::Data<S>,
) -> Result<web::Json<Vec<Cow<'a, str>>>, S::Error>
where
    S::Error: ResponseError,
{
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "list",
            ::core::concat!(::core::module_path!(), "::", "list"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("store.name") },
                    &(store.name()),
                );
        },
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<
                        Result<web::Json<Vec<Cow<'a, str>>>, S::Error>,
                    >();
                }
                { store.list().await.map(web::Json) }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
