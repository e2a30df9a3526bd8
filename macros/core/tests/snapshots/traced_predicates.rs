fn f() -> Result<u8, DbError> {
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
            move || -> Result<u8, DbError> { query() },
            |__result, __span| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                let __error_type = (&::biztrace::__private::Returned(__result))
                    .__error_type();
                let __error_type = ::biztrace::__private::ok_if(
                    __error_type,
                    __result,
                    |r| matches!(r, Err(DbError::NotFound)),
                );
                let __error_type = ::biztrace::__private::err_if(
                    __error_type,
                    __result,
                    Result::is_ok,
                );
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
