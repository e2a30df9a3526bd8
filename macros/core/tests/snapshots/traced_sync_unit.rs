fn log() {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "log",
            ::core::concat!(::core::module_path!(), "::", "log"),
        )
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run_sync(
            move || -> () { write() },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
}
