fn find(id: u64) -> u64 {
    let __biztrace_span = ::biztrace::__private::annotated(
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags
                .baggage(|__tags| {
                    __tags
                        .set(
                            const { &::biztrace::__private::Key::new("order.id") },
                            &(id),
                        );
                });
        },
    );
    __biztrace_span
        .run_sync(
            move || -> u64 { load(id) },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
}
