fn count(id: u64) -> Option<u64> {
    let __biztrace_span = ::biztrace::__private::annotated(
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run_sync(
            move || -> Option<u64> { find(id) },
            |__result, __span| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                __span
                    .tag(|__tags| {
                        if let ::core::option::Option::Some(n) = ::biztrace::__private::ok(
                            __result,
                        ) {
                            __tags
                                .set(
                                    const { &::biztrace::__private::Key::new("order.count") },
                                    &(n),
                                );
                        }
                    });
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
}
