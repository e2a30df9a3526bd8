async fn load(id: u64) -> Order {
    ::biztrace::__private::annotate(
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags.set(const { &::biztrace::__private::Key::new("order.id") }, &(id));
        },
    );
    { query(id).await }
}
