fn f() {
    ::biztrace::__private::annotate(
        ::biztrace::__private::NoRequest,
        |__tags, __head| {
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("order.stage") },
                    &(stage),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("user.id") },
                    &::biztrace::__private::Hash(&(user.id)),
                );
            let __when: ::core::primitive::bool = late;
            if __when {
                __tags
                    .set(
                        const { &::biztrace::__private::Key::new("order.late") },
                        &(true),
                    );
            }
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("tenant.id") },
                    &(__head.header("x")),
                );
        },
    );
}
