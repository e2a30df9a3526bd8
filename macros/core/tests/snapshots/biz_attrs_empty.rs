fn f() {
    ::biztrace::__private::annotate(::biztrace::__private::NoRequest, |_, _| {});
    {}
}
