pub async fn ping() -> HttpResponse {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "ping",
            ::core::concat!(::core::module_path!(), "::", "ping"),
        )
    };
    let __biztrace_span = ::biztrace::__private::child_handler(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags.set(const { &::biztrace::__private::Key::new("a") }, &(1));
        },
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<HttpResponse>();
                }
                { HttpResponse::Ok().finish() }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
