async fn create(
    id: web::Path<u64>,
    req: HttpRequest,
    body: web::Json<CreateOrder>,
) -> Result<web::Json<Receipt>, ShopError> {
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "create",
            ::core::concat!(::core::module_path!(), "::", "create"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        &req,
        |__tags, __head| {
            __tags.set(const { &::biztrace::__private::Key::new("order.id") }, &(*id));
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("tenant.id") },
                    &(__head.header("x-tenant-id")),
                );
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
                {
                    let stock = reserve_stock(*id).await?;
                    Ok(web::Json(stock.sell(body.into_inner())))
                }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
