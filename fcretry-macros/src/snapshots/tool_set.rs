#[automatically_derived]
impl ::fcretry::ToolSet for Desk {
    fn specs() -> ::core::result::Result<
        ::fcretry::__private::Vec<&'static ::fcretry::ToolSpec>,
        ::fcretry::SpecError,
    > {
        let mut __specs = ::fcretry::__private::Vec::new();
        __specs.extend(<PlaceOrder as ::fcretry::ToolSet>::specs()?);
        __specs.extend(<orders::Cancel as ::fcretry::ToolSet>::specs()?);
        ::core::result::Result::Ok(__specs)
    }
    fn read_call(
        __call: &::fcretry::__private::RawCall<'_>,
    ) -> ::core::option::Option<
        ::core::result::Result<::fcretry::__private::Reading<Self>, ::fcretry::Failure>,
    > {
        if let ::core::option::Option::Some(__read) = <PlaceOrder as ::fcretry::ToolSet>::read_call(
            __call,
        ) {
            return ::core::option::Option::Some(
                __read.map(|__read| __read.map(Self::Place)),
            );
        }
        if let ::core::option::Option::Some(__read) = <orders::Cancel as ::fcretry::ToolSet>::read_call(
            __call,
        ) {
            return ::core::option::Option::Some(
                __read.map(|__read| __read.map(Self::Cancel)),
            );
        }
        ::core::option::Option::None
    }
}
const _: () = ::fcretry::__private::assert_distinct(
    &[
        <PlaceOrder as ::fcretry::ToolSet>::NAMES,
        <orders::Cancel as ::fcretry::ToolSet>::NAMES,
    ],
);
