use super::*;
use serde_json::json;

fn value(text: &str) -> Value {
    match read(text, 0) {
        Ok(read) if read.end == text.len() => read.value,
        other => panic!("{text}: {other:?}"),
    }
}

fn refused(text: &str) -> Refusal {
    match read(text, 0) {
        Err(refusal) => refusal,
        Ok(read) if read.end < text.trim_end().len() => {
            Refusal { at: read.end, reason: "text after the value", cut: false }
        }
        Ok(read) => panic!("{text}: {:?}", read.value),
    }
}

fn kinds(text: &str) -> Vec<RecoveryKind> {
    let log = read(text, 0).unwrap().log.into_vec();
    log.into_iter().map(|entry| entry.kind).collect()
}

#[test]
fn json_is_read_as_it_is_and_nothing_is_logged() {
    for text in [
        r#"{"a": [1, -2.5e3, 0, "x\n\u00e9\ud83d\ude00\/", true, null], "": {}}"#,
        "[]",
        "\"C:\\\\x\"",
        "18446744073709551615",
        "-9223372036854775808",
        "-0",
        "1e5",
    ] {
        assert_eq!(value(text), serde_json::from_str::<Value>(text).unwrap(), "{text}");
        assert!(kinds(text).is_empty(), "{text}");
    }
}

#[test]
fn javascript_and_python_are_read() {
    use RecoveryKind as K;
    for (text, expected, kind) in [
        ("{'a': 'b'}", json!({"a": "b"}), K::SingleQuotes),
        ("{a: 1, $b_2: 2}", json!({"a": 1, "$b_2": 2}), K::UnquotedKey),
        ("[True, False, None]", json!([true, false, null]), K::PythonLiteral),
        ("(1, 'a')", json!([1, "a"]), K::Parentheses),
        ("(1,)", json!([1]), K::Parentheses),
        ("(1)", json!(1), K::Parentheses),
        ("()", json!([]), K::Parentheses),
        ("[1, 2,]", json!([1, 2]), K::TrailingComma),
        ("{\"a\": 1,}", json!({"a": 1}), K::TrailingComma),
        ("[1\n2\n\"a\"\n\"b\"]", json!([1, 2, "a", "b"]), K::MissingComma),
        ("[{\"a\":1}{\"a\":2}]", json!([{"a": 1}, {"a": 2}]), K::MissingComma),
        ("{\"a\": 1\n\"b\": 2}", json!({"a": 1, "b": 2}), K::MissingComma),
        ("{\"a\": \"x\"\n\"b\": 2}", json!({"a": "x", "b": 2}), K::MissingComma),
        ("[1, // one\n 2, /* two */ 3 # three\n]", json!([1, 2, 3]), K::Comment),
        ("`it's \"quoted\"`", json!("it's \"quoted\""), K::BacktickQuotes),
        ("\u{201c}it\u{201d}", json!("it"), K::TypographicQuotes),
        ("\u{201e}it\u{201c}", json!("it"), K::TypographicQuotes),
        ("\u{201c}it\u{2019}s\u{201d}", json!("it\u{2019}s"), K::TypographicQuotes),
        ("'''a 'b' \"c\"\nd'''", json!("a 'b' \"c\"\nd"), K::TripleQuotes),
        ("\"a\nb\tc\"", json!("a\nb\tc"), K::ControlCharacter),
        ("+1", json!(1), K::NumberForm),
        ("[.5, 5., -.5]", json!([0.5, 5.0, -0.5]), K::NumberForm),
        ("0xFF", json!(255), K::NumberForm),
        ("[0b101, 0o17, -0x1]", json!([5, 15, -1]), K::NumberForm),
        ("[u'a', r'C:\\new']", json!(["a", r"C:\new"]), K::PythonLiteral),
        ("1_000", json!(1000), K::NumberForm),
        (r"'it\'s'", json!("it's"), K::Escape),
        (r#""\d+\.\w""#, json!(r"\d+\.\w"), K::Escape),
        (r#""C:\Users\Ann""#, json!(r"C:\Users\Ann"), K::Escape),
        (r#""\alpha + \gamma""#, json!(r"\alpha + \gamma"), K::Escape),
        (r#""\x41""#, json!("A"), K::Escape),
        (r"'\U0001F600'", json!("\u{1f600}"), K::Escape),
        (r"'\u{1F600}'", json!("\u{1f600}"), K::Escape),
        (r#""D:\2024\q.txt""#, json!(r"D:\2024\q.txt"), K::Escape),
        (r#""It\'s""#, json!("It's"), K::Escape),
        (r#"{'a': "it's \'so\'"}"#, json!({"a": "it's 'so'"}), K::Escape),
        (r#""100\% of \alpha""#, json!(r"100\% of \alpha"), K::Escape),
        ("{1: 'a', 20: 'b'}", json!({"1": "a", "20": "b"}), K::UnquotedKey),
        ("{{'a': 1}}", json!({"a": 1}), K::Wrapper),
        ("{{\"a\": {{\"b\": 1}}}}", json!({"a": {"b": 1}}), K::Wrapper),
        ("{\"a\": {{{\"b\": [1]}}}}", json!({"a": {"b": [1]}}), K::Wrapper),
        (
            r#"{"a": "{"b": 1, "c": "x"}", "d": 2}"#,
            json!({"a": r#"{"b": 1, "c": "x"}"#, "d": 2}),
            K::DoubleEncoding,
        ),
    ] {
        assert_eq!(value(text), expected, "{text}");
        assert!(kinds(text).contains(&kind), "{text}: {:?}", kinds(text));
    }
}

#[test]
fn what_cannot_be_known_is_refused() {
    for text in [
        "1/6",
        "6*12+2",
        "1 + 2",
        "[1 - 2]",
        "2024-01-01",
        "30px",
        "30%",
        "1,234",
        "007",
        "1__0",
        ".",
        "NaN",
        "[Infinity]",
        "123456789012345678901234567890",
        "{a}",
        "{\"x\"}",
        "{\"a\", \"b\"}",
        "{\"a\": }",
        "{\"a\": name}",
        "{\"a\": <year>}",
        "{\"a\": ...}",
        "{\"a\": data[\"x\"]}",
        "{\"a\": f(1)}",
        "{\"a\": f\"x\"}",
        "{\"a\": b'x'}",
        "{\"a\": r'x\\'}",
        "{\"a\": \"x\" + \"y\"}",
        "{\"a\": \"x\" \"y\"}",
        "{\"a\": \"say \"hi\" now\"}",
        "[\"a\"\"b\"]",
        "[\"a\" \"b\"]",
        "['a'\n 'b']",
        "[1 500, 2 300]",
        "[12\", 16\"]",
        "[[1] -2]",
        "[[1, 2][0]]",
        "{\"a\": 7//2,\n\"b\": 3}",
        "{\"a\": \"C\" # minor\", \"b\": 2\n}",
        "\"a \\\n b\"",
        "\"\\`date\\`\"",
        "{\"user\\_id\": 1}",
        "['it's']",
        "[1,,2]",
        "[,1]",
        "{,}",
        "[1}",
        "{\"a\": 1]",
        "(1 2)",
        "`${a}`",
        "\u{201c}a\": 1, \u{201c}b\u{201d}",
        r#""C:\Users\new""#,
        r#""\d\n""#,
        r#""\a""#,
        r#""\ud83d x""#,
        "undefined",
        "#fff",
        "dict(a=1)",
        "{\"a\": -}",
        r#""git commit -m 'don'\''t'""#,
        r#"{"sql": "VALUES ('it\'s')"}"#,
        r#""src/my\_module.py""#,
        r#""\$5""#,
        "{01: 2}",
        "{1.5: 2}",
        "{\"a\": \"x,\" \"b\": 1}",
        "[\"x,\"\n\"y\"]",
        "['x', \"a \"\n\"b\"]",
        "[\"a \"\n\"b\", True]",
        "{{\"a\": 1}, \"b\": 2}",
        "{{\"a\": 1}, {\"a\": 2}}",
        "{{year}}",
        "[1, // ... more of them\n]",
        "{\"a\": 1 /* \u{2026} */}",
        "{\"a\": \"x\" // placeholder\n}",
        "{\"a\": 1, // or 2\n}",
        "[1, 2 // more items\n]",
        "[1, 2 # and so on\n]",
        "{\"a\": 1,\n // other fields\n}",
        "{\"a\": \"x\", // the name \"b\": 3\n}",
        "{True: 1}",
        "[1,\n/* lost */ # quote\"\n]",
        r#"{"a": "{"b": 1}" and more", "c": 2}"#,
    ] {
        refused(text);
    }
}

#[test]
fn what_ends_midway_is_cut() {
    for text in [
        "",
        "{",
        "[",
        "(",
        "{\"a",
        "{\"a\"",
        "{\"a\":",
        "{\"a\": 1",
        "{\"a\": 1,",
        "[1, 2",
        "[tru",
        "[1.",
        "\"x",
        "\"x\\",
        "\"x\\u00",
        "{a",
        "/* x",
        "[{}",
        "'''x''",
    ] {
        assert!(refused(text).cut, "{text}: {:?}", refused(text));
    }
    for text in ["{]", "[}", "{a b}", "hello"] {
        assert!(!refused(text).cut, "{text}");
    }
}

#[test]
fn a_number_at_the_end_of_a_cut_list_may_have_more_digits() {
    assert!(refused("[1, 23").cut);
    assert_eq!(value("23"), json!(23));
}

#[test]
fn a_key_given_twice_keeps_the_first_and_is_a_violation() {
    let read = read("{'a': [{'b': 1, 'b': 2}]}", 0).unwrap();
    assert_eq!(read.value, json!({"a": [{"b": 1}]}));
    assert_eq!(read.duplicates.found[0].pointer(), "/a/0/b");
}

#[test]
fn hostile_input_costs_its_own_length() {
    assert_eq!(refused(&"[".repeat(1_000_000)).reason, "nested too deep");
    assert_eq!(refused(&"{a:".repeat(1_000_000)).reason, "nested too deep");
    let at_the_limit = "[".repeat(127) + &"]".repeat(127);
    value(&at_the_limit);
    assert!(refused(&"#\n".repeat(100_000)).cut);
    assert!(refused(&"\"".repeat(999_999)).at > 0);
}

// What costs the square of its length would not end.
#[test]
fn white_space_at_the_end_is_not_read_again_for_each_number() {
    let text = format!("[{}{}", "1,".repeat(200_000), " ".repeat(1_000_000));
    assert!(refused(&text).cut);
}

#[test]
fn a_pointer_to_keys_given_twice_is_made_only_while_there_is_room() {
    let twice = "{'a': 1, 'a': 2},".repeat(100_000);
    let text = format!("{{'{}': [{twice}]}}", "k".repeat(1_000_000));
    let found = read(&text, 0).unwrap().duplicates.found;
    assert_eq!(found.len(), 1);
}

fn lenient(text: &str) -> Option<Value> {
    let read = read_as(text, 0, true).ok()?;
    let kinds: Vec<_> = read.log.into_vec().into_iter().map(|entry| entry.kind).collect();
    let is_flagged =
        kinds.contains(&RecoveryKind::ClosingBracket) || kinds.contains(&RecoveryKind::InnerQuote);
    assert!(is_flagged, "{text}: {kinds:?}");
    Some(read.value)
}

#[test]
fn only_leniently_are_brackets_closed_and_quotes_taken_in() {
    for (text, expected) in [
        ("{\"a\": \"x\"", json!({"a": "x"})),
        ("[[1, 2], {\"a\": true", json!([[1, 2], {"a": true}])),
        ("{\"a\": [1, 2}", json!({"a": [1, 2]})),
        ("{\"a\": \"say \"hi\" now\"}", json!({"a": "say \"hi\" now"})),
        ("{\"code\": \"print(\"hi\")\"}", json!({"code": "print(\"hi\")"})),
    ] {
        assert!(read(text, 0).is_err(), "{text}");
        assert_eq!(lenient(text), Some(expected), "{text}");
    }
}

#[test]
fn even_leniently_nothing_is_completed_by_guess() {
    for text in [
        "{\"a\": \"x",
        "{\"a\": 12",
        "{\"a\": 1,",
        "{\"a\":",
        "{\"a\"",
        "{\"a\": tru",
        "{\"a\": \"say \"yes\", please\"}",
        "{\"a\": \"x \"y\": 1}",
        "[\"a\" \"b\" c\"]",
    ] {
        assert!(read_as(text, 0, true).is_err(), "{text}");
    }
}
