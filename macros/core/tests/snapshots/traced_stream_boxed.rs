fn rows() -> Pin<Box<dyn Stream<Item = Row> + Send>> {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "rows",
            ::core::concat!(::core::module_path!(), "::", "rows"),
        )
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    ::std::boxed::Box::pin(
        __biztrace_span
            .run_stream(
                move || -> Pin<Box<dyn Stream<Item = Row> + Send>> { Box::pin(query()) },
                |__result, _| {
                    use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                    (&::biztrace::__private::Returned(__result)).__error_type()
                },
            ),
    )
}
