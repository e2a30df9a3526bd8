fn f(_: HttpRequest) {
    static __BIZTRACE_SITE: ::biztrace::__private::Site = ::biztrace::__private::Site::new(
        "f",
        ::core::concat!(::core::module_path!(), "::", "f"),
    );
    let __biztrace_span = ::biztrace::__private::traced(
        &__BIZTRACE_SITE,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run_sync(
            move || -> () {},
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
}
