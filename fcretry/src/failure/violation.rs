use std::{borrow::Cow, fmt};

use serde_json::Value;

/// One thing wrong with the arguments of a call: where, what was expected, what was got.
///
/// `Debug` and `Display` show the pointer, what the schema expected and the *type* of what was got.
/// What the model wrote, and a validation hook's message (which usually quotes it), are behind
/// [`expected`](Self::expected) and [`got`](Self::got), so that they reach a log only when asked for.
#[derive(Clone, PartialEq)]
pub struct Violation {
    pointer: String,
    expected: Cow<'static, str>,
    got: Option<Value>,
    /// What `expected` is, and so who may see it.
    said_by: Voice,
}

/// Who words what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    /// The schema: the developer's words.
    Schema,
    /// A type's own `Deserialize`, whose message may quote what the model wrote.
    Type,
    /// A validation rule of the application, whose message usually does.
    Rule,
}

impl Violation {
    /// A violation at `pointer`, a JSON pointer (RFC 6901; `""` is the whole value), of which
    /// `expected` says what is right: "a number", "one of `a`, `b`".
    pub(crate) fn schema(
        pointer: impl Into<String>,
        expected: impl Into<Cow<'static, str>>,
        got: Option<Value>,
    ) -> Self {
        Self { pointer: pointer.into(), expected: expected.into(), got, said_by: Voice::Schema }
    }

    /// A violation of what a type demands beyond its schema, in the words of its `Deserialize`.
    pub(crate) fn decode(pointer: impl Into<String>, message: String, got: Option<Value>) -> Self {
        Self { pointer: pointer.into(), expected: message.into(), got, said_by: Voice::Type }
    }

    /// A violation of a rule of the application: `message` says what is wrong, in words that help the
    /// model to do better.
    pub fn new(pointer: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            pointer: pointer.into(),
            expected: Cow::Owned(message.into()),
            got: None,
            said_by: Voice::Rule,
        }
    }

    /// Where: a JSON pointer (RFC 6901) into the arguments. `""` is the whole value.
    pub fn pointer(&self) -> &str {
        &self.pointer
    }

    /// What was expected there, or the message of the validation hook or of the type.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// What was there; of a large value the start. `None` where nothing was, or where a hook did not say.
    pub fn got(&self) -> Option<&Value> {
        self.got.as_ref()
    }

    /// The JSON type of what was there: `"string"`, `"nothing"` for an absent value.
    pub fn got_type(&self) -> &'static str {
        match &self.got {
            None => "nothing",
            Some(Value::Null) => "null",
            Some(Value::Bool(_)) => "boolean",
            Some(Value::Number(n)) if n.is_f64() => "number",
            Some(Value::Number(_)) => "integer",
            Some(Value::String(_)) => "string",
            Some(Value::Array(_)) => "array",
            Some(Value::Object(_)) => "object",
        }
    }

    /// Whether a validation rule of the application was broken, not the schema.
    pub fn is_semantic(&self) -> bool {
        self.said_by == Voice::Rule
    }

    /// Whether [`expected`](Self::expected) is a message in words, and not what the schema says.
    pub(crate) fn is_in_words(&self) -> bool {
        self.said_by != Voice::Schema
    }

    fn place(&self) -> &str {
        if self.pointer.is_empty() { "(the whole value)" } else { &self.pointer }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (place, got) = (self.place(), self.got_type());
        match self.said_by {
            Voice::Schema => write!(f, "{place}: expected {}, got {got}", self.expected),
            Voice::Type => write!(f, "{place}: the type does not take this {got}"),
            Voice::Rule => write!(f, "{place}: a validation rule is broken"),
        }
    }
}

impl fmt::Debug for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Violation({self})")
    }
}

/// Collects what validation hooks find, all of it, not the first.
///
/// ```
/// use fcretry::Violations;
///
/// struct Transfer { amount: i64, from: String, to: String }
///
/// fn plausible(transfer: &Transfer, found: &mut Violations) {
///     found.ensure(transfer.amount > 0, "/amount", || {
///         format!("the amount must be positive, not {}", transfer.amount)
///     });
///     found.ensure(transfer.from != transfer.to, "/to", || "must differ from /from");
/// }
///
/// let mut found = Violations::new();
/// plausible(&Transfer { amount: 0, from: "a".into(), to: "a".into() }, &mut found);
/// assert_eq!(found.len(), 2);
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Violations {
    found: Vec<Violation>,
    /// Where the hook that runs now looks from: a field's hook gives pointers below its field.
    base: String,
}

impl Violations {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Objects at `pointer`, relative to what the hook was given; `""` is all of it.
    /// The message is what the model is told.
    pub fn push(&mut self, pointer: impl AsRef<str>, message: impl Into<String>) {
        let pointer = format!("{}{}", self.base, pointer.as_ref());
        self.found.push(Violation::new(pointer, message));
    }

    /// Objects at `pointer` unless `holds`. The message is made only then.
    pub fn ensure<M: Into<String>>(
        &mut self,
        holds: bool,
        pointer: impl AsRef<str>,
        message: impl FnOnce() -> M,
    ) {
        if !holds {
            self.push(pointer, message());
        }
    }

    /// Runs `hook` with pointers relative to `pointer`: how a hook of a part is used on the whole.
    ///
    /// ```
    /// # use fcretry::Violations;
    /// # let names = ["", "b"];
    /// # let mut found = Violations::new();
    /// for (i, name) in names.iter().enumerate() {
    ///     found.at(format!("/names/{i}"), |found| {
    ///         found.ensure(!name.is_empty(), "", || "must not be empty");
    ///     });
    /// }
    /// assert_eq!(found.iter().next().map(|v| v.pointer()), Some("/names/0"));
    /// ```
    pub fn at<R>(&mut self, pointer: impl AsRef<str>, hook: impl FnOnce(&mut Self) -> R) -> R {
        let outer = self.base.len();
        self.base.push_str(pointer.as_ref());
        let result = hook(self);
        self.base.truncate(outer);
        result
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many were found.
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// What was found, in order.
    pub fn iter(&self) -> std::slice::Iter<'_, Violation> {
        self.found.iter()
    }

    /// What was found, in order.
    pub fn into_vec(self) -> Vec<Violation> {
        self.found
    }
}

impl<'a> IntoIterator for &'a Violations {
    type Item = &'a Violation;
    type IntoIter = std::slice::Iter<'a, Violation>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl From<Violation> for Violations {
    fn from(violation: Violation) -> Self {
        Self { found: vec![violation], base: String::new() }
    }
}

impl FromIterator<Violation> for Violations {
    fn from_iter<I: IntoIterator<Item = Violation>>(iter: I) -> Self {
        Self { found: iter.into_iter().collect(), base: String::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_of_the_model_is_shown_unless_asked_for() {
        let schema = Violation::schema("/age", "an integer", Some(json!("CANARY")));
        let hook = Violation::new("/age", "CANARY is no age");
        for shown in [format!("{schema} {schema:?}"), format!("{hook} {hook:?}")] {
            assert!(!shown.contains("CANARY"), "{shown}");
            assert!(shown.contains("/age"), "{shown}");
        }
        assert_eq!(schema.to_string(), "/age: expected an integer, got string");
        assert_eq!(schema.got(), Some(&json!("CANARY")));
    }

    #[test]
    fn a_part_s_hook_points_below_the_part() {
        let mut found = Violations::new();
        found.at("/items/1", |found| {
            found.push("/price", "must be positive");
            found.at("/tags", |found| found.push("", "too many"));
        });
        found.push("/total", "wrong");
        let pointers: Vec<_> = found.iter().map(Violation::pointer).collect();
        assert_eq!(pointers, ["/items/1/price", "/items/1/tags", "/total"]);
    }
}
