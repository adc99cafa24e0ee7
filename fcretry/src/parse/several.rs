//! Several calls in the content of one message, as servers of small models leave them there.

use serde_json::{Value, json};

use super::{extract, unwrap};

/// The calls that `content` is, each as a text of its own, if they are several: a list of them, or each in its tag or
/// fence.
pub(crate) fn calls_in(content: &str) -> Vec<String> {
    if let Ok(found) = extract::find(content, false) {
        let calls = match unwrap::calls(&found.value) {
            Some(calls) if calls.len() > 1 => calls,
            _ => return repeated(&found),
        };
        return calls.iter().map(Value::to_string).collect();
    }
    extract::marked(content).unwrap_or_default().iter().flat_map(repeated).collect()
}

/// Two calls that are equal may both be meant.
fn repeated(found: &extract::Found<'_>) -> Vec<String> {
    let call = match found.called {
        Some(called) => json!({"name": called, "arguments": found.value}),
        None => found.value.clone(),
    };
    vec![call.to_string(); if found.is_in_prose { 1 } else { found.times }]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_call_is_a_text_of_its_own() {
        let one = r#"{"name":"f","arguments":{"a":1}}"#;
        let two = r#"{"name":"g","arguments":{}}"#;
        for text in [
            format!("[{one}, {two}]"),
            format!("{{\"tool_calls\": [{one}, {two}]}}"),
            format!("<tool_call>{one}</tool_call>\n<tool_call>{two}</tool_call>"),
            format!("Two calls:\n```json\n{one}\n```\nand\n```json\n{two}\n```"),
            "<function=f>{'a': 1}</function><function=g>{}</function>".to_owned(),
        ] {
            assert_eq!(calls_in(&text), [one, two], "{text}");
        }
        let twice = format!("<tool_call>{one}</tool_call><tool_call>{one}</tool_call>");
        assert_eq!(calls_in(&twice), [one, one]);
    }

    #[test]
    fn what_is_one_call_or_none_or_cut_is_not_several() {
        for text in
            ["", "hello", "{'a': 1} or {'a': 2}", "<tool_call>{'a': 1}</tool_call><tool_call>{'a'"]
        {
            assert!(calls_in(text).is_empty(), "{text}");
        }
        assert_eq!(calls_in("{'a': 1}").len(), 1);
        assert_eq!(calls_in("Here: {'a': 1}, and again {'a': 1}").len(), 1);
    }
}
