/// Says hello.
#[deprecated]
#[allow(unused)]
pub(crate) async unsafe fn r#loop(#[allow(x)] _: u8) -> () {
    #![allow(unused_variables)]
    let __biztrace_site = const {
        &::biztrace::__private::Site::new(
            "loop",
            ::core::concat!(::core::module_path!(), "::", "loop"),
        )
    };
    let __biztrace_span = ::biztrace::__private::handler(
        __biztrace_site,
        ::biztrace::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return ::biztrace::__private::returns::<()>();
                }
                {
                    let x = 1;
                }
            },
            |__result, _| {
                use ::biztrace::__private::{ErrorOfResult as _, NoError as _};
                (&::biztrace::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
