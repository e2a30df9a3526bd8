async fn create() -> HttpResponse {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "create",
            ::core::concat!(::core::module_path!(), "::", "create"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |__tags, __head| {
            __tags
                .baggage(|__tags| {
                    __tags
                        .set(
                            const { &::biztrace::__private::Key::new("tenant.id") },
                            &(__head.header("x-tenant-id")),
                        );
                });
            let __when: ::core::primitive::bool = a;
            if __when {
                __tags
                    .baggage(|__tags| {
                        __tags
                            .set_inherited(
                                const { &::biztrace::__private::Key::new("user.id") },
                                &::biztrace::__private::Hash(&(__head.baggage("user.id"))),
                            );
                    });
            }
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
