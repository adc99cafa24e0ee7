//! A schema as reading walks it.

use serde_json::Value;

/// A chain of references longer than this is a circle.
const MAX_REFERENCES: usize = 16;

/// Keywords that demand nothing.
const NOTES: &[&str] = &[
    "$comment",
    "$defs",
    "$id",
    "$schema",
    "default",
    "deprecated",
    "description",
    "examples",
    "readOnly",
    "title",
    "writeOnly",
];

/// A part of a schema, and the whole that its references lead into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Schema<'s> {
    pub(super) node: &'s Value,
    pub(super) root: &'s Value,
}

impl<'s> Schema<'s> {
    /// The whole schema.
    pub(super) fn new(root: &'s Value) -> Self {
        Self { node: root, root }.resolved()
    }

    pub(super) fn part(self, node: &'s Value) -> Self {
        Self { node, ..self }.resolved()
    }

    /// What the references of this node lead to. A node that says more beside its reference stays.
    fn resolved(self) -> Self {
        let mut node = self.node;
        for _ in 0..MAX_REFERENCES {
            let says_more = node.as_object().is_some_and(|entries| {
                entries.keys().any(|key| key != "$ref" && !NOTES.contains(&key.as_str()))
            });
            if says_more {
                break;
            }
            let Some(target) = node.get("$ref").and_then(Value::as_str) else { break };
            let Some(found) = target.strip_prefix('#').and_then(|p| self.root.pointer(p)) else {
                break;
            };
            node = found;
        }
        Self { node, ..self }
    }

    /// What the reference of this node leads to, where the node says more beside it; alone, a reference is resolved
    /// already.
    pub(super) fn referred(self) -> Option<Self> {
        let target = self.get("$ref")?.as_str()?.strip_prefix('#')?;
        self.root.pointer(target).map(|node| self.part(node))
    }

    pub(super) fn get(self, keyword: &str) -> Option<&'s Value> {
        self.node.get(keyword)
    }

    /// The schema under `keyword`, if it is one.
    pub(super) fn under(self, keyword: &str) -> Option<Self> {
        self.get(keyword).map(|node| self.part(node))
    }

    /// The schemas listed under `keyword`.
    pub(super) fn listed(self, keyword: &str) -> impl Iterator<Item = Self> {
        let nodes = self.get(keyword).and_then(Value::as_array).map(Vec::as_slice);
        nodes.unwrap_or_default().iter().map(move |node| self.part(node))
    }

    /// The branches of a union; empty if this is none.
    pub(super) fn branches(self) -> Vec<Self> {
        self.listed("anyOf").chain(self.listed("oneOf")).collect()
    }

    /// The schema of the property `key`, by name.
    pub(super) fn property(self, key: &str) -> Option<Self> {
        self.get("properties")?.get(key).map(|node| self.part(node))
    }

    /// The names of the properties.
    pub(super) fn property_names(self) -> impl Iterator<Item = &'s String> {
        self.get("properties").and_then(Value::as_object).into_iter().flat_map(|p| p.keys())
    }

    /// Whether the object must have `key`.
    pub(super) fn requires(self, key: &str) -> bool {
        let required = self.get("required").and_then(Value::as_array);
        required.is_some_and(|names| names.iter().any(|name| name == key))
    }

    /// Whether values of the JSON type `name` are admitted, as far as the node itself says. An integer is a
    /// number.
    pub(super) fn admits(self, name: &str) -> bool {
        if let Some(value) = self.get("const") {
            return type_of(value) == name || (name == "number" && value.is_number());
        }
        if let Some(options) = self.get("enum").and_then(Value::as_array) {
            return options.iter().any(|option| type_of(option) == name);
        }
        let is = |admitted: &Value| admitted == name || (admitted == "number" && name == "integer");
        match self.get("type") {
            Some(Value::Array(names)) => names.iter().any(is),
            Some(one) => is(one),
            None => {
                let branches = self.branches();
                branches.is_empty() || branches.into_iter().any(|branch| branch.admits(name))
            }
        }
    }
}

/// The JSON type of a value, an integer apart from other numbers.
pub(super) fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
