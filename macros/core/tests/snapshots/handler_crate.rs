async fn ping() {
    let __biztrace_site = const {
        &crate::telemetry::__private::Site::new(
            "ping",
            ::core::concat!(::core::module_path!(), "::", "ping"),
        )
    };
    let __biztrace_span = crate::telemetry::__private::handler(
        __biztrace_site,
        crate::telemetry::__private::NoRequest,
        |_, _| {},
    );
    __biztrace_span
        .run(
            async move {
                if false {
                    return crate::telemetry::__private::returns::<()>();
                }
                {}
            },
            |__result, _| {
                use crate::telemetry::__private::{ErrorOfResult as _, NoError as _};
                (&crate::telemetry::__private::Returned(__result)).__error_type()
            },
        )
        .await
}
