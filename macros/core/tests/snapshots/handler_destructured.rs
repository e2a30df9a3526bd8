async fn create(
    web::Path((id, user)): web::Path<(u64, String)>,
    mut body: web::Payload,
) -> Result<impl Responder, Error> {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "create",
            ::core::concat!(::core::module_path!(), "::", "create"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags.set(const { &::biztrace::__private::Key::new("order.id") }, &(id));
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("order.user") },
                    &(user.as_str()),
                );
        },
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<Result<_, Error>>();
                }
                {
                    while let Some(chunk) = body.next().await {
                        consume(chunk?)
                    }
                    Ok(HttpResponse::Ok())
                }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
