fn f(_: HttpRequest) {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "f",
            ::core::concat!(::core::module_path!(), "::", "f"),
        )
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
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
