async fn f() -> Result<Vec<(impl Display, u8)>, Box<dyn Error>> {
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
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<
                        Result<Vec<(_, u8)>, Box<dyn Error>>,
                    >();
                }
                { Ok(vec![]) }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
