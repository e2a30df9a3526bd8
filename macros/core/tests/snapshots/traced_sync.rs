fn price(order: &Order) -> Result<f64, PriceError> {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "price",
            ::core::concat!(::core::module_path!(), "::", "price"),
        )
    };
    let __biztrace_span = ::biztrace::__private::traced(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run_sync(
            move || -> Result<f64, PriceError> { Ok(order.items.len() as f64) },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
}
