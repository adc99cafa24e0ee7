//! Inputs that grow: each is read in time and memory in proportion to its length, or refused.

use serde_json::{Value, json};

use crate::{Input, invariants::Target};

/// How often an opener is repeated.
const MANY: usize = 1_000_000;

/// How long the bombs are that are built of pieces, in bytes.
const LONG: usize = 60_000;

/// What opens something.
const OPENERS: &[&str] = &[
    "[", "{", "(", "\"", "'", "`", "\u{201c}", "\u{ab}", "<", "/", "#", "\\", "-", "0", "_", ",",
    ":", "a", " ", "\n", "\0", "\u{feff}", "}", "]", ")", "*", "$", ".",
];

/// Pieces that a reader may come back to.
const PIECES: &[&str] = &[
    "{\"a\":",
    "{a:",
    "[{",
    "{{",
    "({",
    "/*",
    "//",
    "# ",
    "/**/",
    "```",
    "```\n",
    "```{",
    "```[1]",
    "```\n[1]\n```\n",
    "<a>",
    "<a>{",
    "<a>[1]",
    "<think>",
    "</think>",
    "{x} ",
    "[1] ",
    "{\"a\":1}",
    "{\"a\":1} or ",
    "[],",
    "[1,",
    "'',",
    "\"\"\"",
    "'''",
    "\"a\" ",
    "\"\\",
    "\\u",
    "\"\\u",
    "r\"",
    "1_",
    "0x",
    "1e",
    "--",
    "${",
    "True ",
    "\"a\":1,",
    "(1,",
    "(),",
    "\u{e9}",
    "name: ",
    "\r\n\t",
];

pub(crate) fn bombs(target: Target) -> Vec<(String, Input)> {
    let mut bombs = Vec::new();
    let mut add = |name: String, text: String, schema: Value| {
        bombs.push((name, Input { text, schema }));
    };
    let object = json!({"type": "object"});
    let key = "k".repeat(LONG / 2);
    if target == Target::Reading {
        for opener in OPENERS {
            add(format!("{opener:?} x {MANY}"), opener.repeat(MANY), Value::Null);
        }
        for piece in PIECES {
            for (before, after) in [("", ""), ("[", "]"), ("{\"a\": \"", "\"}"), ("so: ", "{")] {
                let text = format!("{before}{}{after}", piece.repeat(LONG / piece.len()));
                add(format!("{before}{piece:?}..{after}"), text, Value::Null);
            }
        }
        let twice = "\"a\": 1, ".repeat(LONG / 16);
        add("duplicates".into(), format!("{{{twice}}}"), Value::Null);
        add("deep duplicates".into(), format!("{{\"{key}\": {{{twice}}}}}"), Value::Null);
        add("tolerant duplicates".into(), format!("{{'{key}': {{{twice}}}}}"), Value::Null);
        let objects = "{'a':1,'a':1},".repeat(LONG / 28);
        add("objects with duplicates".into(), format!("{{'{key}': [{objects}]}}"), Value::Null);
        let blank = " ".repeat(LONG / 2);
        for piece in ["1,", "<tool_call>", "```\n"] {
            let text = format!("[{}{blank}", piece.repeat(LONG / 2 / piece.len()));
            add(format!("{piece:?}.. and white space"), text, Value::Null);
        }
        let runs: String = (3..350).rev().map(|marks| "`".repeat(marks) + " x\n").collect();
        add("fences that none closes".into(), runs, Value::Null);
    }
    if target == Target::Coercing {
        let lists = json!({"type": "array", "items": {"$ref": "#"}});
        add("encoded twice, and deep".into(), encoded("[", "]", 100, 2), lists.clone());
        add("encoded often, and deep".into(), encoded("[", "]", 100, 9), lists);
        let spelled = json!({"type": "object", "properties": {"a": {}}, "required": ["b"]});
        add("spellings of one key".into(), spellings(LONG), spelled);
        let closed = json!({"type": "object", "additionalProperties": false});
        add("keys too many".into(), spellings(LONG), closed);
        let numbers = json!({"type": "array", "items": {"type": "integer"}});
        add("numbers in strings".into(), format!("[{}1]", "\"1\",".repeat(LONG / 4)), numbers);
        let either = json!({"anyOf": [{"type": "object", "properties": {"a": {"$ref": "#"}},
            "required": ["a"]}, {"type": "object", "properties": {"b": {"$ref": "#"}}}]});
        let tower = format!("{}1{}", "{\"a\":".repeat(120), "}".repeat(120));
        add("a union of unions".into(), tower, either);
        let part = json!({"anyOf": [{"$ref": "#"}, {"type": "integer"}]});
        let twice = json!({"type": "object", "properties": {"a": part},
            "allOf": [{"properties": {"a": part}}, {"properties": {"a": part}}]});
        let tower = format!("{}\"1\"{}", "{\"a\":".repeat(120), "}".repeat(120));
        add("parts about parts".into(), tower, twice);
        let strings = json!({"additionalProperties": {"items": {"type": "integer"}}});
        let items = "\"1\",".repeat(LONG / 8);
        add("pointers of a log".into(), format!("{{\"{key}\": [{items}1]}}"), strings);
        for opener in OPENERS {
            add(format!("{opener:?}"), opener.repeat(LONG), object.clone());
            let held = Value::String(opener.repeat(LONG)).to_string();
            add(format!("a string of {opener:?}"), held, object.clone());
        }
    }
    if target == Target::Checking {
        let unique = json!({"type": "array", "uniqueItems": true});
        let items: Vec<_> = (0..LONG / 8).map(|n| json!({"n": n})).collect();
        add("items that differ".into(), Value::Array(items).to_string(), unique.clone());
        let items = format!("[{}0]", "[0],".repeat(LONG / 4));
        add("items that are the same".into(), items, unique);
        let pattern = json!({"type": "string", "pattern": "^(a+)+$"});
        add("a pattern".into(), format!("\"{}!\"", "a".repeat(LONG)), pattern);
        let nothing = json!({"additionalProperties": {"type": "null"}});
        add("violations".into(), spellings(LONG), nothing);
        let deep = json!({"additionalProperties": {"items": {"type": "null"}}});
        add("pointers".into(), format!("{{\"{key}\": [{}1]}}", "1,".repeat(LONG / 4)), deep);
    }
    bombs
}

/// `depth` containers around a string that holds the same, `layers` times.
fn encoded(open: &str, close: &str, depth: usize, layers: usize) -> String {
    let mut text = String::new();
    for layer in 0..layers {
        let held = if layer == 0 { String::new() } else { Value::String(text).to_string() };
        text = format!("{}{held}{}", open.repeat(depth), close.repeat(depth));
    }
    text
}

/// An object whose keys are all one key, but for separators.
fn spellings(length: usize) -> String {
    let mut text = String::from("{");
    for n in 0_u64.. {
        if text.len() >= length {
            break;
        }
        let separators: String = format!("{n:b}").replace('1', "-").replace('0', "_");
        text.extend(["\"a", &separators, "\": 1, "]);
    }
    text + "\"z\": 1}"
}
