async fn serve() -> ! {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "serve",
            ::core::concat!(::core::module_path!(), "::", "serve"),
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
