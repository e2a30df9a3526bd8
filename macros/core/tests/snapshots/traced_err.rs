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
        .await
}
