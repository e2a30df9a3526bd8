fn load(&self) -> BoxFuture<'_, u64> {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "load",
            ::core::concat!(::core::module_path!(), "::", "load"),
        )
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    ::std::boxed::Box::pin(
        __biztrace_span
            .run_future(
                move || -> BoxFuture<'_, u64> {
                    let id = self.id;
                    async move { id }.boxed()
                },
                |__result, _| {
                    use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                    (&::biztrace::__private::Returned(__result)).__error_type()
                },
            ),
    )
}
