fn ids(&self) -> impl Iterator<Item = u64> + '_ {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "ids",
            ::core::concat!(::core::module_path!(), "::", "ids"),
        )
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run_sync(
            move || { self.ids.iter().copied() },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
}
