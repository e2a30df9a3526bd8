async fn create(id: u64, body: web::Json<Order>) {
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
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("order.type") },
                    &(body.kind),
                );
            __tags.set(const { &::biztrace::__private::Key::new("match.in") }, &(-1.5));
            __tags.set(const { &::biztrace::__private::Key::new("order-id") }, &(&id));
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("long") },
                    &(id > 3 && id < 9),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("total") },
                    &(body.items.iter().map(|item| item.price).sum::<f64>()),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("block") },
                    &({
                        let x = id;
                        x + 1
                    }),
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
