async fn create(body: web::Json<Order>) -> HttpResponse {
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
                .set(
                    const { &::biztrace::__private::Key::new("user.id") },
                    &::biztrace::__private::Hash(&(user)),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("payment.card") },
                    &::biztrace::__private::Mask(4, &(body.card)),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("user.name") },
                    &::biztrace::__private::Pii(&(&body.name)),
                );
            {
                use ::biztrace::__private::Shown as _;
                __tags
                    .set(
                        const { &::biztrace::__private::Key::new("order.state") },
                        &::biztrace::__private::Display(&(state)).shown(),
                    );
            }
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("order.raw") },
                    &::biztrace::__private::Debug(&(raw)),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("order.note") },
                    &::biztrace::__private::MaxLen(64, &(&body.note)),
                );
            __tags
                .set_inherited(
                    const { &::biztrace::__private::Key::new("tenant.id") },
                    &(__head.header("x-tenant-id")),
                );
            let __when: ::core::primitive::bool = body.amount > 10_000.0;
            if __when {
                __tags
                    .set(
                        const { &::biztrace::__private::Key::new("risk.review") },
                        &(true),
                    );
            }
            ::biztrace::__private::BizAttrs::record(&(body), __tags);
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
