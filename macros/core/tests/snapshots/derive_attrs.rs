#[automatically_derived]
impl ::biztrace::__private::BizAttrs for CreateOrder {
    fn record(&self, __tags: &mut ::biztrace::__private::Tags) {
        __tags.protects();
        __tags
            .set(
                const { &::biztrace::__private::Key::new("order.amount") },
                &(self.amount),
            );
        __tags
            .set(
                const { &::biztrace::__private::Key::new("payment.method") },
                &(self.method),
            );
        __tags
            .set(
                const { &::biztrace::__private::Key::new("user.id") },
                &::biztrace::__private::Hash(&(self.user)),
            );
        let __when: ::core::primitive::bool = self.amount > 0.0;
        if __when {
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("order.total") },
                    &(self.sum),
                );
        }
        __tags
            .set(
                const { &::biztrace::__private::Key::new("order.type") },
                &(self.r#type),
            );
        ::biztrace::__private::BizAttrs::record(&(self.address), __tags);
        __tags
            .nested(
                "shipping",
                |__tags| ::biztrace::__private::BizAttrs::record(&(self.to), __tags),
            );
        __tags
            .set_inherited(
                const { &::biztrace::__private::Key::new("order.tenant") },
                &(self.tenant),
            );
        __tags
            .baggage(|__tags| {
                __tags
                    .set(
                        const { &::biztrace::__private::Key::new("order.shop") },
                        &(self.shop),
                    );
            });
    }
}
