#[automatically_derived]
impl ::biztrace::__private::BizValue for Method {
    const VALUES: &'static [&'static ::core::primitive::str] = &[
        "alipay",
        "bank_transfer",
        "cash",
        "async",
    ];
    fn as_str(&self) -> &'static ::core::primitive::str {
        match self {
            Self::Alipay => "alipay",
            Self::BankTransfer => "bank_transfer",
            Self::OnDelivery => "cash",
            Self::r#Async => "async",
        }
    }
}
#[automatically_derived]
impl ::biztrace::__private::Value for Method {
    fn encode(&self, __encoder: ::biztrace::__private::Encoder<'_>) {
        __encoder.string(::biztrace::__private::BizValue::as_str(self));
    }
}
