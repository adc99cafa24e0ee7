#[automatically_derived]
impl ::fcretry::ToolCall for PlaceOrder {
    const NAME: ::core::option::Option<&'static str> = ::core::option::Option::Some(
        "place_order",
    );
    fn name() -> ::fcretry::__private::Cow<'static, str> {
        ::fcretry::__private::Cow::Borrowed("place_order")
    }
    fn description() -> ::core::option::Option<&'static str> {
        ::core::option::Option::Some("Place an order\nfor a customer.\n\n    Indented.")
    }
    fn spec_cell() -> ::core::option::Option<&'static ::fcretry::__private::SpecCell> {
        static CELL: ::fcretry::__private::SpecCell = ::fcretry::__private::SpecCell::new();
        ::core::option::Option::Some(&CELL)
    }
    fn validate(&self, __found: &mut ::fcretry::Violations) {
        let __this = self;
        let (): () = totals_add_up(__this, __found);
        let (): () = __found
            .at("/customerName", |__found| checks::name(&__this.customer_name, __found));
        let (): () = __found
            .at(
                "/customerName",
                |__found| checks::length(&__this.customer_name, __found),
            );
        let (): () = __found
            .at("/a~1b~0c", |__found| checks::items(&__this.items, __found));
        let (): () = checks::extra(&__this.extra, __found);
        let (): () = __found
            .at("/type", |__found| checks::kind(&__this.r#type, __found));
    }
}
