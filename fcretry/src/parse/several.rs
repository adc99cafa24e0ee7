//! Calls that stand in a text, as servers of small models leave them in the content of a message: one, or several.

use serde_json::Value;

use super::{
    Log, Target, duplicates,
    extract::{self, Found},
    fit::{Draft, drafted},
    pointer::push,
    refused::doubted,
    unwrap,
};
use crate::failure::Violation;

/// A call that stands in a text, as far as it is read without knowing whose it is.
#[derive(Clone, Debug)]
pub(crate) struct CallInText {
    draft: Draft,
    /// The tool that what stands around it names.
    called: Option<String>,
}

impl CallInText {
    pub(super) fn of(text: &str, found: Found<'_>) -> Self {
        Self { called: found.called.map(str::to_owned), draft: drafted(text, found) }
    }

    /// One of many in `text`, of which the lines are not counted for each.
    fn among(text: &str, mut found: Found<'_>) -> Self {
        let doubt = found.doubt.take().map(|doubt| doubted(text, doubt));
        let mut written = Self::of(text, found);
        written.draft.doubt = doubt;
        written
    }

    /// What stands there.
    pub(crate) fn value(&self) -> &Value {
        &self.draft.value
    }

    /// Whether it is that call over again.
    pub(crate) fn repeats(&self, other: &Self) -> bool {
        // What is wrong with it is to be told.
        self.draft.found.is_empty() && self.is_same(other)
    }

    /// Whether both are calls of one tool with the same arguments, right or wrong.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.draft.value == other.draft.value && self.called == other.called
    }

    /// The arguments, if this is a call of the target's tool: it names the tool, or it `may_be_unnamed` and is in a
    /// wrapper, or all that the schema demands.
    pub(super) fn call_of(&self, target: Target<'_>, may_be_unnamed: bool) -> Option<Draft> {
        let named = self
            .called
            .as_deref()
            .zip(target.name)
            .map(|(called, name)| unwrap::is_name(called, Some(name)));
        if named == Some(false) {
            return None;
        }
        let (mut value, mut notes) = (self.draft.value.clone(), Log::default());
        let gives_name =
            unwrap::unwrap(&mut value, target.checker.schema(), target.name, &mut notes);
        let is_unnamed_call =
            || !notes.is_empty() || target.checker.check(&self.draft.value).is_empty();
        if !gives_name && named.is_none() && !(may_be_unnamed && is_unnamed_call()) {
            return None;
        }
        let Draft { value: _, found, log, doubt } = &self.draft;
        let mut draft =
            Draft { value, found: found.clone(), log: log.clone(), doubt: doubt.clone() };
        draft.log.append(notes);
        Some(draft)
    }
}

/// The calls that `text` is: one, or several in a list, or each in its tag or fence.
pub(crate) fn calls_in(text: &str) -> Vec<CallInText> {
    let Ok(found) = extract::find(text, false) else {
        let marked = extract::marked(text).unwrap_or_default();
        return marked.into_iter().flat_map(|found| repeated(text, found)).collect();
    };
    match unwrap::calls(&found.value) {
        Some((key, calls)) if calls.len() > 1 => {
            let (key, calls) = (key.map(str::to_owned), calls.to_vec());
            listed(CallInText::of(text, found), key.as_deref(), calls)
        }
        _ => repeated(text, found),
    }
}

/// Two calls that are equal may both be meant.
fn repeated(text: &str, found: Found<'_>) -> Vec<CallInText> {
    let times = if found.is_in_prose { 1 } else { found.times };
    let first = CallInText::among(text, found);
    // What was put right, and what is wrong, is told once.
    let again = || {
        let (value, doubt) = (first.draft.value.clone(), first.draft.doubt.clone());
        let draft = Draft { value, found: Vec::new(), log: Log::default(), doubt };
        CallInText { draft, called: first.called.clone() }
    };
    let others: Vec<_> = (1..times).map(|_| again()).collect();
    std::iter::once(first).chain(others).collect()
}

/// Each call of a list, with what is wrong with it. What was put right in the list is told with the first.
fn listed(list: CallInText, key: Option<&str>, calls: Vec<Value>) -> Vec<CallInText> {
    let CallInText { draft: Draft { value: _, found, mut log, doubt }, called } = list;
    let mut written: Vec<_> = calls
        .into_iter()
        .map(|value| {
            let log = std::mem::take(&mut log);
            let draft = Draft { value, found: Vec::new(), log, doubt: doubt.clone() };
            CallInText { draft, called: called.clone() }
        })
        .collect();
    let mut above = String::new();
    if let Some(key) = key {
        push(&mut above, key);
    }
    for violation in found {
        let (at, pointer) = below(&violation, &above).unwrap_or((0, violation.pointer()));
        let own = Violation::schema(pointer, duplicates::ONCE, violation.got().cloned());
        if let Some(call) = written.get_mut(at) {
            call.draft.found.push(own);
        }
    }
    written
}

/// Which item of the list at `above` the violation is in, and where in it.
fn below<'v>(violation: &'v Violation, above: &str) -> Option<(usize, &'v str)> {
    let inside = violation.pointer().strip_prefix(above)?.strip_prefix('/')?;
    let end = inside.find('/').unwrap_or(inside.len());
    let (at, pointer) = inside.split_at(end);
    Some((at.parse().ok()?, pointer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn calls(text: &str) -> Vec<(Option<String>, Value)> {
        calls_in(text).into_iter().map(|call| (call.called, call.draft.value)).collect()
    }

    #[test]
    fn each_call_is_a_value_of_its_own() {
        let one = r#"{"name":"f","arguments":{"a":1}}"#;
        let two = r#"{"name":"g","arguments":{}}"#;
        let both: Vec<(_, Value)> = [one, two]
            .into_iter()
            .map(|text| (None, serde_json::from_str(text).unwrap()))
            .collect();
        for text in [
            format!("[{one}, {two}]"),
            format!("{{\"tool_calls\": [{one}, {two}]}}"),
            format!("<tool_call>{one}</tool_call>\n<tool_call>{two}</tool_call>"),
            format!("Two calls:\n```json\n{one}\n```\nand\n```json\n{two}\n```"),
        ] {
            assert_eq!(calls(&text), both, "{text}");
        }
        assert_eq!(
            calls("<function=f>{'a': 1}</function><function=g>{}</function>"),
            [(Some("f".to_owned()), json!({"a": 1})), (Some("g".to_owned()), json!({}))]
        );
        let twice = format!("<tool_call>{one}</tool_call><tool_call>{one}</tool_call>");
        assert_eq!(calls(&twice), [both[0].clone(), both[0].clone()]);
    }

    #[test]
    fn what_is_one_call_or_none_or_cut_is_not_several() {
        for text in
            ["", "hello", "{'a': 1} or {'a': 2}", "<tool_call>{'a': 1}</tool_call><tool_call>{'a'"]
        {
            assert!(calls(text).is_empty(), "{text}");
        }
        assert_eq!(calls("{'a': 1}").len(), 1);
        assert_eq!(calls("Here: {'a': 1}, and again {'a': 1}").len(), 1);
        assert_eq!(calls("{'calls': [{}, {}], 'x': 1}").len(), 1);
    }

    #[test]
    fn a_key_given_twice_is_told_of_the_call_that_has_it() {
        for text in
            ["[{'a': 1}, {'b': {'c': 1, 'c': 2}}]", "{'calls': [{}, {'b': {'c': 1, 'c': 2}}]}"]
        {
            let found: Vec<Vec<_>> = calls_in(text)
                .into_iter()
                .map(|call| call.draft.found.iter().map(|v| v.pointer().to_owned()).collect())
                .collect();
            assert_eq!(found, [vec![], vec!["/b/c".to_owned()]]);
        }
    }
}
