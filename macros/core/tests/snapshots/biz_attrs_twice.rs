fn f() {
    ::biztrace::__private::annotate(
        ::biztrace::__private::NoRequest,
        |__tags, _| {
            __tags.set(const { &::biztrace::__private::Key::new("a") }, &(1));
            __tags.set(const { &::biztrace::__private::Key::new("b") }, &(2));
        },
    );
    {}
}
