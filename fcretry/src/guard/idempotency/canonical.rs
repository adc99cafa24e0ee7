//! One text for one value: JSON whose members are sorted by name. A `HashMap` gives its entries in another order every
//! time, and a field that moves in its struct is the same field.

use serde::Serialize;

/// The JSON of `value`, without white space and with the members of every object sorted.
pub(super) fn canonical(value: &(impl Serialize + ?Sized)) -> Result<Vec<u8>, serde_json::Error> {
    // From the text and not from a `serde_json::Value`, which would round integers of more than 64 bits.
    let text = serde_json::to_vec(value)?;
    let mut sorted = Vec::with_capacity(text.len());
    copy_value(&mut text.as_slice(), &mut sorted);
    Ok(sorted)
}

/// Copies the value that `text` begins with, and moves `text` behind it. The text is compact JSON as `serde_json` writes it.
fn copy_value(text: &mut &[u8], out: &mut Vec<u8>) {
    match text.first() {
        Some(b'{') => copy_object(text, out),
        Some(b'[') => copy_array(text, out),
        Some(b'"') => out.extend_from_slice(take_string(text)),
        _ => {
            let end = text.iter().position(|byte| b",]}".contains(byte)).unwrap_or(text.len());
            out.extend_from_slice(take(text, end));
        }
    }
}

fn copy_object(text: &mut &[u8], out: &mut Vec<u8>) {
    let mut members = Vec::new();
    take(text, 1);
    while let Some(&byte) = text.first() {
        match byte {
            b'}' => break,
            b',' => drop(take(text, 1)),
            _ => {
                let name = take_string(text);
                take(text, 1);
                let mut value = Vec::new();
                copy_value(text, &mut value);
                members.push((name, value));
            }
        }
    }
    take(text, 1);

    // Stable, so that members of one name keep their order.
    members.sort_by_key(|&(name, _)| name);
    out.push(b'{');
    for (i, (name, value)) in members.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(name);
        out.push(b':');
        out.extend_from_slice(value);
    }
    out.push(b'}');
}

fn copy_array(text: &mut &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(take(text, 1));
    while let Some(&byte) = text.first() {
        match byte {
            b']' => break,
            b',' => out.extend_from_slice(take(text, 1)),
            _ => copy_value(text, out),
        }
    }
    out.extend_from_slice(take(text, 1));
}

/// The string that `text` begins with, in its quotes.
fn take_string<'t>(text: &mut &'t [u8]) -> &'t [u8] {
    let mut escaped = false;
    let inside = text.iter().skip(1).position(|&byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    });
    take(text, inside.map_or(text.len(), |inside| inside + 2))
}

fn take<'t>(text: &mut &'t [u8], bytes: usize) -> &'t [u8] {
    let (taken, rest) = text.split_at_checked(bytes).unwrap_or((text, &[]));
    *text = rest;
    taken
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn text(value: &impl Serialize) -> String {
        String::from_utf8(canonical(value).unwrap()).unwrap()
    }

    #[test]
    fn members_are_sorted_at_every_depth() {
        let value: Value =
            serde_json::from_str(r#"{"b":[{"y":1,"x":{}}],"a":"}\\\",","B":null}"#).unwrap();
        assert_eq!(text(&value), r#"{"B":null,"a":"}\\\",","b":[{"x":{},"y":1}]}"#);
    }

    #[test]
    fn maps_of_the_same_entries_are_the_same_text() {
        let forward: HashMap<u32, u32> = (0..100).map(|n| (n, n)).collect();
        let backward: HashMap<u32, u32> = (0..100).rev().map(|n| (n, n)).collect();
        assert_eq!(text(&forward), text(&backward));
    }

    #[test]
    fn integers_of_128_bits_stay_apart() {
        assert_ne!(text(&u128::MAX), text(&(u128::MAX - 1)));
    }

    fn values() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,6}".prop_map(Value::from),
            r#"["\\{},\[\]:]{0,6}"#.prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                proptest::collection::vec((r#"["\\{},:a-c]{0,3}"#, inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    fn reversed(value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(reversed).collect(),
            Value::Object(members) => Value::Object(
                members.iter().rev().map(|(name, value)| (name.clone(), reversed(value))).collect(),
            ),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn the_text_is_the_value_in_whatever_order_it_is_written(value in values()) {
            let sorted = text(&value);
            prop_assert_eq!(&serde_json::from_str::<Value>(&sorted).unwrap(), &value);
            prop_assert_eq!(text(&reversed(&value)), sorted.clone());
            prop_assert_eq!(text(&serde_json::from_str::<Value>(&sorted).unwrap()), sorted);
        }
    }

    #[test]
    fn what_json_cannot_say_is_an_error() {
        assert!(canonical(&HashMap::from([((1, 2), 3)])).is_err());
        assert_eq!(text(&json!([])), "[]");
    }
}
