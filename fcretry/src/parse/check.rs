use jsonschema::{
    Draft, PatternOptions, ValidationError, Validator, error::TypeKind,
    error::ValidationErrorKind as Kind,
};
use serde_json::Value;

use super::{
    expected::{describe, keys, one_of, with_article},
    strict::push,
};
use crate::failure::Violation;

/// A schema, compiled once: says everything that is wrong with a value.
#[derive(Debug)]
pub(crate) struct Checker {
    schema: Value,
    validator: Validator,
}

impl Checker {
    /// Compiles `schema` (JSON Schema 2020-12, formats asserted).
    ///
    /// Patterns run on an engine that is linear in the input; one that needs look-around falls back to a
    /// backtracking engine with a limit.
    pub(crate) fn new(schema: Value) -> Result<Self, String> {
        let options =
            || jsonschema::options().with_draft(Draft::Draft202012).should_validate_formats(true);
        let validator = options()
            .with_pattern_options(PatternOptions::regex())
            .build(&schema)
            .or_else(|_| options().build(&schema))
            .map_err(|error| format!("{}: {error}", error.instance_path()))?;
        Ok(Self { schema, validator })
    }

    pub(crate) fn schema(&self) -> &Value {
        &self.schema
    }

    /// All violations, in the order of the schema.
    pub(crate) fn check(&self, value: &Value) -> Vec<Violation> {
        let mut found = Vec::new();
        for error in self.validator.iter_errors(value) {
            self.add(&error, &mut found);
        }
        found
    }

    fn add(&self, error: &ValidationError<'_>, found: &mut Vec<Violation>) {
        let at = error.instance_path().as_str().to_owned();
        let got = error.instance().as_ref();
        let mut say = |expected: String| {
            found.push(Violation::schema(at.clone(), expected, Some(got.clone())));
        };
        match error.kind() {
            Kind::Required { property } => {
                let name = property.as_str().unwrap_or_default();
                let schema = self.sibling(error, "properties").and_then(|p| p.get(name));
                let kind = schema.map_or("a value".to_owned(), |s| describe(s, &self.schema));
                found.push(Violation::schema(
                    below(&at, name),
                    format!("{kind}; it is required"),
                    None,
                ));
            }
            Kind::AdditionalProperties { unexpected }
            | Kind::UnevaluatedProperties { unexpected } => {
                let allowed = self
                    .sibling(error, "properties")
                    .and_then(Value::as_object)
                    .map(|known| keys(known.keys().cloned()))
                    .filter(|known| !known.is_empty());
                for name in unexpected {
                    let expected = match &allowed {
                        Some(allowed) => format!("no such key; the keys are {allowed}"),
                        None => "no such key".to_owned(),
                    };
                    found.push(Violation::schema(
                        below(&at, name),
                        expected,
                        got.get(name).cloned(),
                    ));
                }
            }
            Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
                self.add_union(error, context, found);
            }
            Kind::OneOfMultipleValid { .. } => say("a value of exactly one of the shapes".into()),
            Kind::Type { kind } => say(types(kind)),
            Kind::Enum { options } => {
                say(options.as_array().map_or_else(String::new, |options| one_of(options)));
            }
            Kind::Constant { expected_value } => say(expected_value.to_string()),
            Kind::Minimum { limit } => say(format!("at least {limit}")),
            Kind::Maximum { limit } => say(format!("at most {limit}")),
            Kind::ExclusiveMinimum { limit } => say(format!("more than {limit}")),
            Kind::ExclusiveMaximum { limit } => say(format!("less than {limit}")),
            Kind::MultipleOf { multiple_of } => say(format!("a multiple of {multiple_of}")),
            Kind::MinLength { limit } => say(format!("at least {limit} characters")),
            Kind::MaxLength { limit } => say(format!("at most {limit} characters")),
            Kind::MinItems { limit } => say(format!("at least {limit} items")),
            Kind::MaxItems { limit } => say(format!("at most {limit} items")),
            Kind::AdditionalItems { limit } => say(format!("at most {limit} items")),
            Kind::MinProperties { limit } => say(format!("at least {limit} entries")),
            Kind::MaxProperties { limit } => say(format!("at most {limit} entries")),
            Kind::UniqueItems => say("items that differ from each other".into()),
            Kind::Pattern { pattern } => say(format!("text that matches `{pattern}`")),
            Kind::Format { format } => say(format!("text of the format `{format}`")),
            Kind::FalseSchema => say("nothing here".into()),
            other => say(format!("a value that fits the schema's `{}`", other.keyword())),
        }
    }

    /// The keyword beside the one that `error` is about.
    fn sibling(&self, error: &ValidationError<'_>, keyword: &str) -> Option<&Value> {
        let (parent, _) = error.schema_path().as_str().rsplit_once('/')?;
        self.schema.pointer(parent)?.get(keyword)
    }

    /// Of a union, the violations of the variant that was meant: the one whose tag or shape matches best.
    /// Where none is closer than the others, the choice itself.
    fn add_union(
        &self,
        error: &ValidationError<'_>,
        branches: &[Vec<ValidationError<'static>>],
        found: &mut Vec<Violation>,
    ) {
        let root = error.instance_path().as_str();
        let mismatch = |e: &ValidationError<'_>| {
            let depth = e
                .instance_path()
                .as_str()
                .strip_prefix(root)
                .map_or(0, |rest| rest.bytes().filter(|b| *b == b'/').count());
            match e.kind() {
                // The value as a whole is of another type or another constant.
                Kind::Type { .. } | Kind::Constant { .. } | Kind::Enum { .. } if depth == 0 => 3,
                // A tag names another variant.
                Kind::Constant { .. } if depth == 1 => 2,
                // A key that every value of the variant has, or one that none has.
                Kind::Required { .. } | Kind::AdditionalProperties { .. } if depth == 0 => 1,
                _ => 0,
            }
        };
        let distance = |errors: &[ValidationError<'_>]| {
            (errors.iter().map(mismatch).max().unwrap_or_default(), errors.len())
        };
        let meant = branches.iter().min_by_key(|errors| distance(errors));
        let Some(meant) = meant else { return };
        let (worst, _) = distance(meant);
        if worst == 3 {
            let keyword = error.schema_path().as_str();
            let expected = self.schema.pointer(keyword).and_then(Value::as_array).map(|schemas| {
                let mut named: Vec<_> = schemas.iter().map(|s| describe(s, &self.schema)).collect();
                named.dedup();
                named.join(" or ")
            });
            found.push(Violation::schema(
                root,
                expected.unwrap_or_else(|| "one of the shapes of the schema".to_owned()),
                Some(error.instance().as_ref().clone()),
            ));
            return;
        }
        for inner in meant {
            self.add(inner, found);
        }
    }
}

fn below(pointer: &str, key: &str) -> String {
    let mut pointer = pointer.to_owned();
    push(&mut pointer, key);
    pointer
}

fn types(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(one) => with_article(one.as_str()),
        TypeKind::Multiple(several) => {
            let names: Vec<_> = several.iter().map(|one| with_article(one.as_str())).collect();
            names.join(" or ")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(schema: Value, value: &Value) -> Vec<String> {
        let checker = Checker::new(schema).unwrap();
        checker.check(value).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_violation_is_found_and_worded() {
        let schema = json!({
            "type": "object",
            "properties": {
                "name": {"type": "string", "minLength": 2},
                "size": {"$ref": "#/$defs/Size"},
                "items": {"type": "array", "minItems": 1, "items": {"type": "integer", "minimum": 1}},
            },
            "required": ["name", "size", "items"],
            "additionalProperties": false,
            "$defs": {"Size": {"enum": ["s", "m"]}},
        });
        let mut all = found(schema, &json!({"name": "x", "items": [0, "2"], "extra": true}));
        all.sort();
        assert_eq!(
            all,
            [
                "/extra: expected no such key; the keys are `name`, `size`, `items`, got boolean",
                "/items/0: expected at least 1, got integer",
                "/items/1: expected an integer, got string",
                "/name: expected at least 2 characters, got string",
                "/size: expected one of \"s\", \"m\"; it is required, got nothing",
            ]
        );
    }

    #[test]
    fn of_a_union_the_variant_that_was_meant_is_judged() {
        let schema = json!({"oneOf": [
            {"type": "object", "properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["kind", "r"]},
            {"type": "object", "properties": {"kind": {"const": "box"}, "w": {"type": "number"}, "h": {"type": "number"}}, "required": ["kind", "w", "h"]},
        ]});
        assert_eq!(
            found(schema.clone(), &json!({"kind": "box", "w": "3"})),
            [
                "/h: expected a number; it is required, got nothing",
                "/w: expected a number, got string"
            ]
        );
        assert_eq!(
            found(schema, &json!(7)),
            ["(the whole value): expected an object, got integer"]
        );
    }

    #[test]
    fn an_option_of_the_wrong_type_names_both() {
        let schema =
            json!({"properties": {"note": {"anyOf": [{"type": "string"}, {"type": "null"}]}}});
        assert_eq!(
            found(schema, &json!({"note": 3})),
            ["/note: expected a string or null, got integer"]
        );
    }

    #[test]
    fn a_pattern_with_look_around_still_compiles() {
        let schema = json!({"type": "string", "pattern": "^(?!x)"});
        assert!(found(schema.clone(), &json!("y")).is_empty());
        assert_eq!(found(schema, &json!("x")).len(), 1);
    }
}
