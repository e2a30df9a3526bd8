async fn load(id: u64) -> Result<Order, DbError> {
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
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<Result<Order, DbError>>();
                }
                { query(id).await }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
