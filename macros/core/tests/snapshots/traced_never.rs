async fn serve() -> ! {
    static __BIZTRACE_SITE: ::biztrace::__private::Site = ::biztrace::__private::Site::new(
        "serve",
        ::core::concat!(::core::module_path!(), "::", "serve"),
    );
    let __biztrace_span = ::biztrace::__private::traced(
        &__BIZTRACE_SITE,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run(
            async move {
                {
                    loop {
                        accept().await
                    }
                }
            },
            |_, _| ::core::option::Option::None,
        )
        .await
}
