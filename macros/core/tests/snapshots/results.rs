async fn create(id: web::Path<u64>) -> Result<web::Json<Receipt>, ShopError> {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "create",
            ::core::concat!(::core::module_path!(), "::", "create"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags.set(const { &::biztrace::__private::Key::new("order.id") }, &(*id));
        },
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<
                        Result<web::Json<Receipt>, ShopError>,
                    >();
                }
                { buy(*id).await }
            },
            |__result, __span| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                __span
                    .tag(|__tags| {
                        if let ::core::option::Option::Some(receipt) = ::biztrace::__private::ok(
                            __result,
                        ) {
                            __tags
                                .set(
                                    const { &::biztrace::__private::Key::new("order.no") },
                                    &(receipt.no),
                                );
                        }
                        if let ::core::option::Option::Some(e) = ::biztrace::__private::err(
                            __result,
                        ) {
                            __tags
                                .set(
                                    const { &::biztrace::__private::Key::new("payment.code") },
                                    &(e.code()),
                                );
                        }
                        if let ::core::option::Option::Some(r) = ::core::option::Option::Some(
                            __result,
                        ) {
                            __tags
                                .set(
                                    const { &::biztrace::__private::Key::new("order.done") },
                                    &(r.is_ok()),
                                );
                        }
                        if let ::core::option::Option::Some(Receipt { total, .. }) = ::biztrace::__private::ok(
                            __result,
                        ) {
                            let __when: ::core::primitive::bool = *total > 3;
                            if __when {
                                __tags
                                    .set(
                                        const { &::biztrace::__private::Key::new("order.total") },
                                        &(total),
                                    );
                            }
                        }
                        if let ::core::option::Option::Some(a) = ::biztrace::__private::ok(
                            __result,
                        ) {
                            ::biztrace::__private::BizAttrs::record(&(a), __tags);
                        }
                    });
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
