use super::*;
use serde_json::json;

fn value(text: &str) -> Value {
    find(text, false).unwrap_or_else(|refusal| panic!("{text}: {refusal:?}")).value
}

fn reason(text: &str) -> Refusal {
    find(text, false).map(|found| panic!("{text}: {:?}", found.value)).unwrap_err()
}

#[test]
fn a_value_is_found_in_what_models_put_around_it() {
    let expected = json!({"a": 1});
    for text in [
        "{\"a\": 1}",
        "  {'a': 1,} \n",
        "```json\n{\"a\": 1}\n```",
        "Here you are:\n```\n{\"a\": 1}\n```\nAnything else?",
        "``` {\"a\": 1}",
        "<tool_call>\n{\"a\": 1}\n</tool_call>",
        "<|python_tag|>{\"a\": 1}",
        "<function=order>{\"a\": 1}</function>",
        "Sure! {\"a\": 1} is what you want.",
        "Fill in {name} like [1] says: {\"a\": 1}",
        "place_order\n{\"a\": 1}",
        "{{\"a\": 1}}",
        "{{{ {\"a\": 1} }}}",
        "{\"a\": 1}}",
        "{\"a\": 1} // done",
        "first {\"a\": 1}, and again {\"a\": 1}",
        "```json\n{\"a\": 1}\n```\nwas made with ```js\nmain()\n```",
        "{\"a\": 1} Hope this helps!",
        "{\"a\": 1}<|im_end|>",
        "<think>Maybe {\"a\": 2}?</think>\n{\"a\": 1}",
        "Maybe {\"a\": 2}?</think>\n{\"a\": 1}",
        "`{\"a\": 1}`",
        "I read {\"b\": 2} as an example.\n```json\n{\"a\": 1}\n```",
        "**Arguments:** {\"a\": 1}",
        "* {\"a\": 1}",
        "{\"a\": 1}\n\n**Note:** the \"a\" is required.",
        "{\"a\": 1}\n- a is the amount\n- it is in USD",
        "Sure,\n{\"a\": 1}",
        "Sure:\n{{\"a\": 1}}",
        "```json\n{{\"a\": 1}}\n```",
        "````json\n{\"a\": 1}\n````",
        "``` json\n{\"a\": 1}\n```",
        "```xml\n<tool_call>{\"a\": 1}</tool_call>\n```",
        "<tool_call>{\"a\": 1}}}</tool_call>",
        "<arguments>{\"a\": 1}</arguments>",
        "<function=order{\"a\": 1}</function>",
        "<tool_call><name>order</name><arguments>{\"a\": 1}</arguments></tool_call>",
        "[TOOL_CALLS]order[ARGS]{\"a\": 1}",
        "place_order{\"a\": 1}",
        "``{\"a\": 1}``",
        "{\\\"a\\\": 1}",
        "<|channel|>analysis<|message|>Maybe {\"a\": 2}.<|end|><|channel|>commentary to=functions.order <|message|>{\"a\": 1}<|call|>",
        "[THINK]{\"a\": 2}?[/THINK]{\"a\": 1}",
        "Thought: go\nAction: order\nAction Input: {\"a\": 1}\nObservation:",
        "Arguments: '{\"a\": 1}'",
        "I can't be sure about the amount, so: {\"a\": 1}",
        "As a model I cannot call tools, but here is the call: {\"a\": 1}",
        "I won't add explanations:\n{\"a\": 1}",
        "The answer would be:\n{\"a\": 1}",
        "This is what the call looks like:\n\n{\"a\": 1}",
        "User: one, please\nAssistant: {\"a\": 1}",
        "Order it (one of them) {\"a\": 1}",
        "```json\n{\"a\": 1}\n```\n\nWait for the result, then answer.",
        "```json\n{\"a\": 1}\n```\nNo, thanks are needed.",
        "Tool: order\nInput: {\"a\": 1}",
        "1. Call it:\n\n{\"a\": 1}\n\n2. Show the result.",
        "{\"a\": 1}\n\nWould you like anything else?",
        "{\"a\": 1}\n```",
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn what_stands_in_a_string_of_the_value_is_part_of_it() {
    for (text, expected) in [
        ("{\"t\": \"use ```{'a': 1}``` here\"} Done.", json!({"t": "use ```{'a': 1}``` here"})),
        ("Call: {\"x\": \"<td>[1, 2]</td>\"}", json!({"x": "<td>[1, 2]</td>"})),
        ("```json\n{\"c\": \"```py\\nx\\n```\"}\n```", json!({"c": "```py\nx\n```"})),
    ] {
        assert_eq!(value(text), expected, "{text}");
    }
}

#[test]
fn what_is_ambiguous_is_refused() {
    for text in [
        "{\"a\": 1} or {\"a\": 2}",
        "{\"a\": 1}{\"a\": 2}",
        "```\n{\"a\": 1}\n```\n```\n{\"a\": 2}\n```",
        "<tool_call>{\"a\": 1}</tool_call><tool_call>{\"a\": 2}</tool_call>",
        "[{\"a\": 1}] then {\"a\": 1}",
        "```\n{\"a\": 1}\n``` or rather {\"a\": 2}",
        "[1, 2, 3] or rather [\"x\"]",
        "{\"a\": 1}{}",
        "Option 1: {\"a\": 1}\nOption 2:\n```json\n{\"a\": 2}\n```",
        "{\"b\": 1}\n```json\n{\"a\": 2}\n```",
    ] {
        assert!(!reason(text).cut, "{text}");
    }
}

#[test]
fn a_part_of_what_cannot_be_read_is_not_the_value() {
    for text in [
        "{\"a\": 1/6, \"b\": {\"a\": 1}}",
        "so: {\"a\": some(), \"b\": {\"a\": 1}}",
        "```\n{\"a\": x, \"b\": {\"a\": 1}}\n``` {\"a\": 1}",
        "{\"a\": 1{\"a\": 2",
        "order({\"a\": 1})",
        "args = {\"a\": 1}",
        "call(**{'a': 1})",
        "const x = {a: 1};",
        "\"x\":[1, 2]}",
        "[]]",
        "{\"a\": 1}]",
        "[/* } */[1]",
        "\"x\": {\"a\": 1}",
        "so: {\"t\": \"<b>[1]\", \"u\": 1/6}",
        "so: {\"t\": \"```\\n{}\\n```\", \"u\": 1/6}",
        "``",
        "[[]],[null]]",
        "{\"a\": 1}, null]",
        "\"city\": \"Oslo\", \"opts\": {\"x\": 1}}",
        "city: \"Oslo\", opts: {\"x\": 1}",
        "a: {\"x\": 1}, b: 7",
        "- {\"a\": 1}\n- 5",
        "<parameter=loc>{\"x\": 1}</parameter><parameter=n>3</parameter>",
        "The value is data[\"x\"]",
        "order(\"pizza\", {\"size\": 1})",
        "{\"a\": 1} | base",
        "{\"a\": \"{}\"}.format(x)",
        "{\"a\": 1} if x else None",
        "f(arguments='{\"t\": \"a\\\\nb\"}', name='f')",
        "city: Oslo\nopts: {\"x\": 1}",
        "opts: {\"x\": 1}\ndays: 3",
        "{\"x\": 1}\ndays: 3",
        "city: Oslo, opts: {\"x\": 1}",
        "{\"p\": \"a\", \"t\": \"x\"}\n```\nmore\", \"m\": \"w\"}",
        "It is in the documents [1, 2].",
        "`\"a\": 1}`",
        "{\"a\": 1}\nOh wait, not that.",
        "<f><city>Oslo</city><opts>{\"x\": 1}</opts></f>",
        "tool --opts '{\"x\": 1}' --days 3",
        "{'a': 1} 'b': 2}",
        "{a: 1} b: 2}",
        "<tool_call>{'a': 1}'b': 2}</tool_call>",
        "[1, 2] 3]",
        "{'a': ''}'}",
        "return {\"a\": 1};",
        "() => {a: 1}",
        "if (x) {a: 1}",
        "map{\"a\": 1}",
        "json.loads('{\"a\": 1}')",
        "{\"a\": 1} as Args",
        "{\"a\": 1} = 5",
        "{\"a\": 1} -> \"x\"",
    ] {
        reason(text);
    }
}

#[test]
fn a_sample_is_no_answer() {
    for text in [
        "For example, you could send {\"a\": 1}.",
        "e.g. {\"a\": 1}",
        "Example:\n```json\n{\"a\": 1}\n```",
        "The format is {\"a\": 1}. What is the amount?",
        "An order looks like {\"a\": 1}.",
        "Do not send {\"a\": 1}.",
        "The previous call {\"a\": 1} failed.",
        "{\"a\": 1} is wrong.",
        "{\"a\": 1}\nWait, that is not it.",
        "Observation: {\"a\": 1}",
        "Error: {\"a\": 1}",
        "<tool_response>{\"a\": 1}</tool_response>",
        "<example>{\"a\": 1}</example>",
        "<scratchpad>{\"a\": 1}</scratchpad>",
        "<!-- {\"a\": 1} -->",
        "<|channel|>analysis<|message|>{\"a\": 1}<|end|>",
    ] {
        assert!(!reason(text).cut, "{text}");
    }
}

#[test]
fn a_brace_too_many_may_have_stood_too_early() {
    let found = find("{\"a\": {\"b\": 1}, \"c\": 2}}", false).unwrap();
    assert!(found.doubt.is_some());
    for certain in
        ["{\"a\": {\"b\": 1}}}", "{\"a\": [{\"b\": 1}, 2]}}", "{\"a\": {\"b\": 1}, \"c\": 2}"]
    {
        assert!(find(certain, false).unwrap().doubt.is_none(), "{certain}");
    }
}

#[test]
fn the_tool_that_a_text_calls_is_known() {
    for (text, called) in [
        ("<function=place_order>{\"a\": 1}</function>", Some("place_order")),
        ("<invoke name=\"order\">{\"a\": 1}</invoke>", Some("order")),
        ("<place_order>{\"a\": 1}</place_order>", Some("place_order")),
        ("to=functions.order {\"a\": 1}", Some("order")),
        ("[TOOL_CALLS]order[CALL_ID]x1[ARGS]{\"a\": 1}", Some("order")),
        ("place_order\n{\"a\": 1}", Some("place_order")),
        ("Action: order\nAction Input: {\"a\": 1}", Some("order")),
        ("place_order\n```json\n{\"a\": 1}\n```", Some("place_order")),
        ("Order\n{\"a\": 1}", None),
        ("Sure:\n{\"a\": 1}", None),
        ("Arguments:\n{\"a\": 1}", None),
    ] {
        assert_eq!(find(text, false).unwrap().called, called, "{text}");
    }
    assert!(find("f_a\n{\"a\": 1}\nf_b\n{\"a\": 1}", false).is_err());
}

#[test]
fn what_is_cut_is_never_completed() {
    for text in [
        "{\"a\": 1",
        "{\"a\": \"x",
        "```json\n{\"a\": [1, 2",
        "Sure: {\"a\": 1, \"b\"",
        "<tool_call>{\"a\": {\"b\": 1}",
        "<think>so {\"a\": 1}",
        "{\"a\": 1},",
        "<tool_call>{\"a\": 1},",
        "{\"a\": 1}\n```json\n",
        "<tool_call>{\"a\": 1}</tool_call>\n<tool_call>",
        "Option 1: {\"a\": 1}\nOption 2:",
        "1. {\"a\": 1}\n2.",
        "{{\"a\": 1}",
    ] {
        assert!(reason(text).cut, "{text}");
    }
}

#[test]
fn prose_alone_is_no_value() {
    for text in ["", "hello", "I would call {order} with [1].", "```rust\nfn main() {}\n```"] {
        assert!(!find(text, false).is_ok_and(|found| found.value.is_object()), "{text}");
    }
}

#[test]
fn the_end_of_a_fence_is_not_looked_for_again_and_again() {
    // Each opens a fence that no later one closes.
    let runs: String = (3..4000).rev().map(|marks| "`".repeat(marks) + " x\n").collect();
    for text in [runs.clone(), runs + "{\"a\": 1}"] {
        let _ = find(&text, false);
    }
    let closed = format!("{}```\n````\n{{\"a\": 1}}\n````", "`` x ".repeat(3));
    assert_eq!(value(&closed), json!({"a": 1}));
}

// What costs the square of its length would not end.
#[test]
fn white_space_behind_tags_and_fences_is_not_read_again_for_each() {
    let blank = " ".repeat(500_000);
    for piece in ["<tool_call>", "<tool_call>x ", "```\n", "``` x "] {
        let text = format!("{}{blank}", piece.repeat(50_000));
        let _ = find(&text, false);
    }
}

#[test]
fn the_place_of_a_doubt_is_one_of_the_whole_text() {
    let doubtful = "{\"a\": {\"b\": 1}, \"c\": 2}";
    let place = |text: &str| find(text, false).unwrap().doubt.unwrap().at;
    for before in ["", "<think>hm</think>", "`"] {
        let after = if before == "`" { "}`" } else { "}" };
        let text = format!("{before}{doubtful}{after}");
        assert_eq!(place(&text), before.len() + doubtful.len(), "{text}");
    }
    // What was in a string has the places of another text.
    assert_eq!(place("{\\\"a\\\": {\\\"b\\\": 1}, \\\"c\\\": 2}}"), 0);
}

#[test]
fn one_of_several_options_is_no_sample_of_the_one_in_a_fence() {
    let fenced = "```json\n{\"to\": 1}\n```";
    assert!(find(&format!("I saw {{\"b\": 2}} in the log. Here it is:\n{fenced}"), false).is_ok());
    for label in ["Option 1:", "- **Alternative A**:", "choice #2)"] {
        let text = format!("{label} {{\"b\": 2}}\nOption 2:\n{fenced}");
        assert!(find(&text, false).is_err(), "{text}");
    }
}
