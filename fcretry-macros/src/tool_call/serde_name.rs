//! The name that serde reads a field under: a violation's pointer names what the model wrote.
//!
//! What serde itself refuses is left to it; here it is passed over in silence.

use syn::meta::ParseNestedMeta;
use syn::{Attribute, LitStr, Token};

/// What `#[serde(..)]` says of one item that matters here.
#[derive(Default)]
pub(crate) struct SerdeAttrs {
    rename: Option<String>,
    rename_all: Option<String>,
    pub(crate) is_skipped: bool,
    pub(crate) is_flattened: bool,
    /// The type is read as its one field is.
    pub(crate) is_transparent: bool,
    /// The type that this one is read from, and then made of.
    pub(crate) from: Option<String>,
}

/// Reads the `#[serde(..)]` of a type or of a field.
pub(crate) fn read(attrs: &[Attribute]) -> SerdeAttrs {
    let mut found = SerdeAttrs::default();
    for attr in attrs.iter().filter(|attr| attr.path().is_ident("serde")) {
        // An attribute that does not parse is serde's to report.
        let _ = attr.parse_nested_meta(|meta| found.read(&meta));
    }
    found
}

impl SerdeAttrs {
    fn read(&mut self, meta: &ParseNestedMeta<'_>) -> syn::Result<()> {
        if meta.path.is_ident("rename") {
            if let Some(name) = deserialized(meta)? {
                self.rename = Some(name);
            }
        } else if meta.path.is_ident("rename_all") {
            if let Some(rule) = deserialized(meta)? {
                self.rename_all = Some(rule);
            }
        } else if meta.path.is_ident("skip") || meta.path.is_ident("skip_deserializing") {
            self.is_skipped = true;
        } else if meta.path.is_ident("flatten") {
            self.is_flattened = true;
        } else if meta.path.is_ident("transparent") {
            self.is_transparent = true;
        } else if meta.path.is_ident("from") || meta.path.is_ident("try_from") {
            self.from = Some(meta.value()?.parse::<LitStr>()?.value());
        } else if meta.input.peek(Token![=]) {
            meta.value()?.parse::<syn::Expr>()?;
        } else if meta.input.peek(syn::token::Paren) {
            meta.input.parse::<proc_macro2::TokenTree>()?;
        }
        Ok(())
    }

    /// The name of the field `ident` in a type with these attributes.
    pub(crate) fn name_of(&self, ident: &str, field: &Self) -> String {
        match (&field.rename, &self.rename_all) {
            (Some(name), _) => name.clone(),
            (None, Some(rule)) => renamed(ident, rule),
            (None, None) => ident.to_owned(),
        }
    }
}

/// The string of `key = ".."` or of `key(deserialize = "..")`.
fn deserialized(meta: &ParseNestedMeta<'_>) -> syn::Result<Option<String>> {
    if meta.input.peek(Token![=]) {
        return Ok(Some(meta.value()?.parse::<LitStr>()?.value()));
    }
    let mut found = None;
    meta.parse_nested_meta(|nested| {
        let value = nested.value()?.parse::<LitStr>()?.value();
        if nested.path.is_ident("deserialize") {
            found = Some(value);
        }
        Ok(())
    })?;
    Ok(found)
}

/// A field's name by one of serde's rules; by an unknown rule it stays as it is.
fn renamed(field: &str, rule: &str) -> String {
    match rule {
        "UPPERCASE" | "SCREAMING_SNAKE_CASE" => field.to_ascii_uppercase(),
        "PascalCase" => pascal(field),
        "camelCase" => {
            let pascal = pascal(field);
            let mut letters = pascal.chars();
            let first = letters.next().map(|c| c.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        }
        "kebab-case" => field.replace('_', "-"),
        "SCREAMING-KEBAB-CASE" => field.to_ascii_uppercase().replace('_', "-"),
        // `lowercase` and `snake_case` leave a field alone.
        _ => field.to_owned(),
    }
}

fn pascal(field: &str) -> String {
    let mut pascal = String::with_capacity(field.len());
    let mut starts_word = true;
    for letter in field.chars() {
        if letter == '_' {
            starts_word = true;
        } else if starts_word {
            pascal.push(letter.to_ascii_uppercase());
            starts_word = false;
        } else {
            pascal.push(letter);
        }
    }
    pascal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(on_type: &str, on_field: &str) -> String {
        let attrs = |text: &str| -> Vec<Attribute> {
            syn::parse::Parser::parse_str(Attribute::parse_outer, text).expect("attributes")
        };
        read(&attrs(on_type)).name_of("unit_price_1", &read(&attrs(on_field)))
    }

    #[test]
    fn every_rule_of_serde_is_followed() {
        for (rule, named) in [
            ("lowercase", "unit_price_1"),
            ("UPPERCASE", "UNIT_PRICE_1"),
            ("PascalCase", "UnitPrice1"),
            ("camelCase", "unitPrice1"),
            ("snake_case", "unit_price_1"),
            ("SCREAMING_SNAKE_CASE", "UNIT_PRICE_1"),
            ("kebab-case", "unit-price-1"),
            ("SCREAMING-KEBAB-CASE", "UNIT-PRICE-1"),
            ("no such rule", "unit_price_1"),
        ] {
            assert_eq!(name(&format!("#[serde(rename_all = {rule:?})]"), ""), named);
        }
    }

    #[test]
    fn what_is_read_counts_and_not_what_is_written() {
        assert_eq!(name("", r#"#[serde(rename = "price")]"#), "price");
        assert_eq!(name("", r#"#[serde(rename(deserialize = "in", serialize = "out"))]"#), "in");
        assert_eq!(name("", r#"#[serde(rename(serialize = "out"))]"#), "unit_price_1");
        assert_eq!(
            name(r#"#[serde(rename_all(serialize = "UPPERCASE", deserialize = "camelCase"))]"#, ""),
            "unitPrice1"
        );
        assert_eq!(name(r#"#[serde(rename_all = "camelCase")]"#, r#"#[serde(rename = "p")]"#), "p");
    }

    #[test]
    fn what_a_type_is_read_as_is_known() {
        let of = |attr: &str| {
            let attrs = syn::parse::Parser::parse_str(Attribute::parse_outer, attr);
            read(&attrs.expect("attributes"))
        };
        assert!(of("#[serde(deny_unknown_fields, transparent)]").is_transparent);
        assert!(!of("#[serde(default)]").is_transparent);
        assert_eq!(of(r#"#[serde(from = "Raw<T>", default)]"#).from.as_deref(), Some("Raw<T>"));
        assert_eq!(of(r#"#[serde(try_from = "Raw")]"#).from.as_deref(), Some("Raw"));
        assert_eq!(of(r#"#[serde(into = "Raw")]"#).from, None);
    }

    #[test]
    fn other_attributes_are_passed_over() {
        assert_eq!(
            name(
                r#"#[serde(deny_unknown_fields, bound(deserialize = "T: X"), rename_all = "camelCase")]"#,
                r#"#[serde(default = "path", with = "module", alias = "a")]"#
            ),
            "unitPrice1"
        );
    }
}
