#[automatically_derived]
impl<'a, T: Copy, const N: usize> crate::telemetry::__private::BizAttrs
for Page<'a, T, N>
where
    T: Send,
    [T; N]: crate::telemetry::__private::Value,
    T: ::core::fmt::Display,
    T: ::core::fmt::Display,
    Vec<T>: crate::telemetry::__private::BizAttrs,
{
    fn record(&self, __tags: &mut crate::telemetry::__private::Tags) {
        __tags
            .set(
                const { &crate::telemetry::__private::Key::new("items") },
                &(self.items),
            );
        __tags
            .set(const { &crate::telemetry::__private::Key::new("name") }, &(self.name));
        {
            use crate::telemetry::__private::Shown as _;
            __tags
                .set(
                    const { &crate::telemetry::__private::Key::new("first") },
                    &crate::telemetry::__private::Display(&(self.first)).shown(),
                );
        }
        {
            use crate::telemetry::__private::Shown as _;
            __tags
                .set(
                    const { &crate::telemetry::__private::Key::new("last") },
                    &crate::telemetry::__private::Display(&(self.last)).shown(),
                );
        }
        crate::telemetry::__private::BizAttrs::record(&(self.rest), __tags);
    }
}
