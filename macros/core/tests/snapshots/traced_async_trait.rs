fn load<'life0, 'async_trait>(
    &'life0 self,
    id: u64,
) -> ::core::pin::Pin<
    Box<
        dyn ::core::future::Future<
            Output = Result<u64, E>,
        > + ::core::marker::Send + 'async_trait,
    >,
>
where
    'life0: 'async_trait,
    Self: 'async_trait,
{
    Box::pin(async move {
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
                    let id = id;
                    self.find(id).await
                },
                |__result, _| {
                    use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                    (&::biztrace::__private::Returned(__result)).__error_type()
                },
            )
            .await
    })
}
