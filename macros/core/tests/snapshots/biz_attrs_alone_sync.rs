fn tenant(req: &mut HttpRequest) -> u8 {
    ::biztrace::__private::annotate(
        &*req,
        |__tags, __head| {
            __tags
                .set(
                    const { &::biztrace::__private::Key::new("tenant.id") },
                    &(__head.header("x-tenant-id")),
                );
        },
    );
    { 3 }
}
