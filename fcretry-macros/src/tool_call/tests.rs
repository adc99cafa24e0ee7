use proc_macro2::TokenStream;
use syn::Item;

use super::expand;
use crate::testing::{assert_snapshot, half_typed, items, mistakes, one_removed, tokens};

const EVERY_KEY: &str = r#"
    name = "place_order",
    description = "Place an order.",
    validate(totals_add_up, self::checks::dates, Order::<u8, u16>::check, <Order as Check>::check),
    crate = "::fcretry",
"#;

const ORDER: &str = r#"
    /// Place an order
    /// for a customer.
    ///
    ///     Indented.
    ///
    #[doc = include_str!("order.md")]
    #[tool(validate(totals_add_up))]
    #[serde(rename_all = "camelCase")]
    struct PlaceOrder {
        #[tool(validate(checks::name, checks::length))]
        customer_name: String,
        #[serde(rename = "a/b~c")]
        #[tool(validate(checks::items))]
        items: Vec<Item>,
        #[serde(flatten)]
        #[tool(validate(checks::extra))]
        extra: Extra,
        #[tool(validate(checks::kind))]
        r#type: Option<String>,
        total: f64,
    }
"#;

const GENERIC: &str = "
    struct Page<T: Clone, U = u8, const N: usize = 3>
    where
        U: Copy,
    {
        items: [T; N],
        of: U,
    }
";

fn with_attribute(attr: &TokenStream) -> TokenStream {
    quote::quote! {
        #[tool(#attr)]
        struct PlaceOrder {
            #[tool(validate(check))]
            name: String,
        }
    }
}

fn implements_tool_call(expansion: TokenStream) -> bool {
    items(expansion).iter().any(|item| {
        matches!(item, Item::Impl(item) if item.trait_.as_ref().is_some_and(|(path, _)| {
            path.segments.last().is_some_and(|segment| segment.ident == "ToolCall")
        }))
    })
}

#[test]
fn every_half_typed_attribute_keeps_the_impl() {
    let attr = tokens(EVERY_KEY);
    for state in half_typed(&attr).into_iter().chain(one_removed(&attr)) {
        let shown = state.to_string();
        let expansion = expand(with_attribute(&state));
        assert!(implements_tool_call(expansion), "#[tool({shown})] lost the impl");
    }
}

#[test]
fn every_half_typed_type_expands() {
    for item in [ORDER, GENERIC] {
        let item = tokens(item);
        for state in half_typed(&item).into_iter().chain(one_removed(&item)) {
            let _ = expand(state);
        }
    }
}

#[test]
fn a_right_attribute_has_no_mistakes() {
    assert_eq!(mistakes(expand(with_attribute(&tokens(EVERY_KEY)))), Vec::<String>::new());
}

#[test]
fn an_enum_of_tools_is_expanded_into_a_set() {
    assert_snapshot(
        "tool_set",
        expand(tokens("enum Desk { Place(PlaceOrder), Cancel(orders::Cancel) }")),
    );
    assert_snapshot(
        "tool_single",
        expand(tokens("#[tool(single)] enum Shape { Circle { r: f64 }, None }")),
    );
}

#[test]
fn a_struct_is_expanded_into_an_impl() {
    assert_snapshot("tool", expand(tokens(ORDER)));
    assert_snapshot("tool_generic", expand(tokens(GENERIC)));
    assert_snapshot("tool_wrong", expand(tokens("#[tool(nam = \"a\")] struct Empty {}")));
}

#[test]
fn only_a_name_with_the_arguments_asks_for_the_schemas_of_them() {
    let bound = "T : :: fcretry :: __private :: JsonSchema";
    let header = |item: &str| expand(tokens(item)).to_string();
    assert!(header("struct Page<T> {}").contains(bound));
    assert!(!header("#[tool(name = \"page\")] struct Page<T> {}").contains(bound));
}

#[test]
fn a_transparent_type_is_its_field() {
    let expansion =
        expand(tokens("#[serde(transparent)] struct A { #[tool(validate(check))] inner: Inner }"));
    let expansion = expansion.to_string();
    assert!(expansion.contains("check (& __this . inner , __found)"), "{expansion}");
    assert!(!expansion.contains("\"/inner\""), "{expansion}");
}

#[test]
fn a_type_read_from_another_validates_as_a_whole() {
    for key in ["from", "try_from"] {
        let item = |on_type: &str, on_field: &str| {
            tokens(&format!("#[serde({key} = \"Raw\")] {on_type} struct A {{ {on_field} b: u8 }}"))
        };
        assert_eq!(
            mistakes(expand(item("", "#[tool(validate(check))]"))),
            ["`A` is read from `Raw`, whose fields have names of their own; \
              put `validate(..)` on the type"]
        );
        let on_type = expand(item("#[tool(validate(check))]", ""));
        assert_eq!(mistakes(on_type), Vec::<String>::new());
    }
}

#[test]
fn the_doc_comment_is_the_description() {
    let described = |doc: &str| -> Option<String> {
        let text = expand(tokens(&format!("{doc} struct Empty {{}}"))).to_string();
        let (_, rest) = text.split_once("fn description")?.1.split_once("Some (")?;
        let (literal, _) = rest.split_once(") }")?;
        Some(syn::parse_str::<syn::LitStr>(literal).expect("a string").value())
    };
    assert_eq!(described(""), None);
    assert_eq!(described("///\n///\n"), None);
    assert_eq!(
        described("/// One.\n/// Two.\n///\n/// Three.\n///\n"),
        Some("One.\nTwo.\n\nThree.".into())
    );
    assert_eq!(described("/** One.\n * Two.\n */"), Some("One.\nTwo.".into()));
    assert_eq!(described("#[doc = include_str!(\"a.md\")]"), None);
    assert_eq!(described("/// One.\n#[tool(description = \"Other.\")]\n"), Some("Other.".into()));
}

#[test]
fn types_that_cannot_be_arguments_are_refused() {
    for (item, message) in [
        ("struct A(u8);", "the arguments of a tool are named: use named fields"),
        (
            "enum A { B { c: u8 } }",
            "a variant holds the arguments of a tool; write `B(TheTool)`, or `#[tool(single)]` on an enum \
             that is the arguments of one tool",
        ),
        ("enum A {}", "an enum without variants offers no tool"),
        (
            "#[tool(name = \"a\")] enum A { B(C) }",
            "`name` belongs on the tools that the variants hold; for an enum that is the arguments of one \
             tool write `#[tool(single, ..)]`",
        ),
        (
            "#[tool(single)] struct A {}",
            "`single` is for an enum; a struct is the arguments of one tool",
        ),
        (
            "struct A;",
            "`A` is read from `null`, and the arguments of a call are an object; write `struct A {}`",
        ),
        (
            "struct A();",
            "`A` is read from `[]`, and the arguments of a call are an object; write `struct A {}`",
        ),
        ("union A { a: u8 }", "a union cannot be the arguments of a tool; write a struct"),
        (
            "struct A<'a> { a: &'a str }",
            "a tool's arguments own their data; write e.g. `String` for a borrowed `str`",
        ),
    ] {
        assert_eq!(mistakes(expand(tokens(item))), [message], "{item}");
    }
    for item in ["struct A {}", "struct A<T> {}"] {
        assert_eq!(mistakes(expand(tokens(item))), Vec::<String>::new(), "{item}");
    }
}
