#[automatically_derived]
impl ::biztrace::__private::BizValue for State {
    const VALUES: &'static [&'static ::core::primitive::str] = &[
        "NEW",
        "IN_TRANSIT",
        "HTTP_ERROR",
    ];
    fn as_str(&self) -> &'static ::core::primitive::str {
        match self {
            Self::New => "NEW",
            Self::InTransit => "IN_TRANSIT",
            Self::HTTPError => "HTTP_ERROR",
        }
    }
}
#[automatically_derived]
impl ::biztrace::__private::Value for State {
    fn encode(&self, __encoder: ::biztrace::__private::Encoder<'_>) {
        __encoder.string(::biztrace::__private::BizValue::as_str(self));
    }
}
