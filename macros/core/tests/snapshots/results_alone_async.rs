async fn find(id: u64) -> Option<Order> {
    let __biztrace_span = ::biztrace::__private::annotated(
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags.set(const { &::biztrace::__private::Key::new("order.id") }, &(id));
        },
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<Option<Order>>();
                }
                { None }
            },
            |__result, __span| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                __span
                    .tag(|__tags| {
                        if let ::core::option::Option::Some(_) = ::biztrace::__private::err(
                            __result,
                        ) {
                            __tags
                                .set(
                                    const { &::biztrace::__private::Key::new("order.missing") },
                                    &(true),
                                );
                        }
                    });
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
