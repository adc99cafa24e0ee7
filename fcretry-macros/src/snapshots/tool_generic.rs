#[automatically_derived]
impl<T: Clone, U, const N: usize> ::fcretry::ToolCall for Page<T, U, N>
where
    U: Copy,
    Self: ::fcretry::__private::DeserializeOwned + ::fcretry::__private::JsonSchema
        + 'static,
    T: ::fcretry::__private::JsonSchema,
    U: ::fcretry::__private::JsonSchema,
{
    fn name() -> ::fcretry::__private::Cow<'static, str> {
        ::fcretry::__private::generic_name(
            "page",
            &[
                <T as ::fcretry::__private::JsonSchema>::schema_name(),
                <U as ::fcretry::__private::JsonSchema>::schema_name(),
                ::fcretry::__private::Cow::Owned(
                    ::fcretry::__private::ToString::to_string(&N),
                ),
            ],
        )
    }
}
