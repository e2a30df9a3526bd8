async fn list(req: actix_web::HttpRequest, query: web::Query<Filter>) {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "list",
            ::core::concat!(::core::module_path!(), "::", "list"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        &req,
        |__tags, __head| {
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("a.header") },
                    &(__head.header("x-a")),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("a.query") },
                    &(__head.query("q").or(__head.cookie("c"))),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("a.nested") },
                    &(format!("{:?}", [(__head.header("x-b"), 1)])),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("a.range") },
                    &((0..__head.query("n").map_or(0, |n| n.len())).len()),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("a.field") },
                    &(Pair { left: __head.cookie("l") }.left),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("b.method") },
                    &(req.header("x")),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("b.path") },
                    &(own::query("x")),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("b.value") },
                    &(query.len()),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("b.dynamic") },
                    &(header(name)),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("b.two") },
                    &(header("a", "b")),
                );
        },
    );
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
