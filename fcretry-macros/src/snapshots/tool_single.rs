#[automatically_derived]
impl ::fcretry::ToolCall for Shape {
    const NAME: ::core::option::Option<&'static str> = ::core::option::Option::Some(
        "shape",
    );
    fn name() -> ::fcretry::__private::Cow<'static, str> {
        ::fcretry::__private::Cow::Borrowed("shape")
    }
}
