fn rows(&self) -> impl Stream<Item = Result<Row, DbError>> + '_ {
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
    __biztrace_span
        .run_stream(
            move || { self.query() },
            |__result, __span| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                let __error_type = (&::biztrace::__private::Returned(__result))
                    .__error_type();
                if let (
                    ::core::option::Option::Some(__type),
                    ::core::option::Option::Some(__error),
                ) = (__error_type, ::biztrace::__private::error(__result)) {
                    use ::biztrace::__private::{
                        MessageOfDeref as _, MessageOfDisplay as _, MessageOfError as _,
                    };
                    __span
                        .exception(
                            __type,
                            (&&::biztrace::__private::Message(__error)).__message(),
                        );
                }
                __error_type
            },
        )
}
