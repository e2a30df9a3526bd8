pub async fn first(&mut self) -> Option<&mut Order> {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "first",
            ::core::concat!(::core::module_path!(), "::", "first"),
        )
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<Option<&mut Order>>();
                }
                { self.orders.first_mut() }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
