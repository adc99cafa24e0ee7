#[automatically_derived]
impl ::fcretry::ToolCall for Shape {
    const NAME: ::core::option::Option<&'static str> = ::core::option::Option::Some(
        "shape",
    );
    fn name() -> ::fcretry::__private::Cow<'static, str> {
        ::fcretry::__private::Cow::Borrowed("shape")
    }
    fn spec_cell() -> ::core::option::Option<&'static ::fcretry::__private::SpecCell> {
        static CELL: ::fcretry::__private::SpecCell = ::fcretry::__private::SpecCell::new();
        ::core::option::Option::Some(&CELL)
    }
}
