fn f(id: Id) {
    ::biztrace::__private::annotate(
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            let __when: ::core::primitive::bool = a;
            if __when {
                {
                    use ::biztrace::__private::Shown as _;
                    __tags
                        .set_inherited(
                            const { &::biztrace::__private::Key::new("order.id") },
                            &::biztrace::__private::Hash(
                                &::biztrace::__private::MaxLen(
                                    8,
                                    &::biztrace::__private::Display(&(id)).shown(),
                                ),
                            ),
                        );
                }
            }
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("order.card") },
                    &::biztrace::__private::MaxLen(
                        8,
                        &::biztrace::__private::Mask(4, &(card)),
                    ),
                );
            let __when: ::core::primitive::bool = b;
            if __when {
                ::biztrace::__private::BizAttrs::record(&(body), __tags);
            }
        },
    );
    {}
}
