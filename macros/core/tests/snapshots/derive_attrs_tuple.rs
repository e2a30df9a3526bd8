#[automatically_derived]
impl ::biztrace::__private::BizAttrs for OrderId {
    fn record(&self, __tags: &mut ::biztrace::__private::Tags) {
        __tags.set(const { &::biztrace::__private::Key::new("order.id") }, &(self.0));
    }
}
