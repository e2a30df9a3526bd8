async fn pay(card: web::Path<String>, filter: Option<web::Query<Filter>>) {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "pay",
            ::core::concat!(::core::module_path!(), "::", "pay"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |__tags, __head| {
            __tags
                .private_url(const {
                    &::biztrace::__private::PrivateUrl {
                        path: true,
                        query: false,
                        parameters: &["email"],
                    }
                });
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("card.number") },
                    &::biztrace::__private::Mask(4, &(format!("{card}"))),
                );
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("user.email") },
                    &::biztrace::__private::Pii(&(__head.query("email"))),
                );
            __tags
                .spread(
                    const {
                        &::biztrace::__private::PrivateUrl {
                            path: false,
                            query: true,
                            parameters: &[],
                        }
                    },
                    |__tags| ::biztrace::__private::BizAttrs::record(&(filter), __tags),
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
