async fn consume(message: Message) {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "consume",
            ::core::concat!(::core::module_path!(), "::", "consume"),
        )
    };
    let __biztrace_span = ::biztrace::__private::traced_root(
            __biztrace_site,
            ::biztrace::__private::NoRequest,
            |_, _| {},
        )
        .link(|| [message.context()]);
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<()>();
                }
                {}
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
