#[automatically_derived]
impl ::fcretry::ToolCall for Empty {
    fn name() -> ::fcretry::__private::Cow<'static, str> {
        ::fcretry::__private::Cow::Borrowed("")
    }
}
::core::compile_error! {
    "unknown key `nam`; did you mean `name`?"
}
