use std::{
    any::{TypeId, type_name},
    borrow::Cow,
    collections::HashMap,
    fmt::{self, Write as _},
    sync::{OnceLock, PoisonError, RwLock},
};

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::ToolCall;
use crate::parse::{self, Checker, Recovery, Target};

/// The most characters a tool's name has with OpenAI-compatible providers.
const MAX_NAME: usize = 64;

/// What a provider is told of a tool.
#[derive(Debug)]
pub struct ToolSpec {
    name: Cow<'static, str>,
    description: Option<&'static str>,
    checker: Checker,
    /// The schema demands no more than the type does.
    is_plain: bool,
    /// How far reading goes, if the type says so.
    recovery: Option<Recovery>,
    type_name: &'static str,
}

impl ToolSpec {
    fn of<T: ToolCall>() -> Result<Self, SpecError> {
        let fault = |fault: String| SpecError { tool: type_name::<T>(), fault };
        let name = T::name();
        if !is_valid_name(&name) {
            return Err(fault(format!("the name `{name}` is not `[a-zA-Z0-9_-]{{1,64}}`")));
        }
        let mut schema =
            SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<T>();
        // The provider is told name and description beside the schema, and the draft is what all assume.
        for keyword in ["$schema", "title", "description"] {
            schema.remove(keyword);
        }
        let mut schema = schema.to_value();
        // An enum's schema is a choice of objects, and providers want to be told that it is one.
        if is_choice_of_objects(&schema)
            && let Some(entries) = schema.as_object_mut()
        {
            entries.insert("type".to_owned(), Value::String("object".to_owned()));
        }
        if schema.get("type").and_then(Value::as_str) != Some("object") {
            return Err(fault("the arguments of a tool are an object".to_owned()));
        }
        let checker =
            Checker::new(schema).map_err(|error| fault(format!("its schema: {error}")))?;
        Ok(Self {
            name,
            description: T::description(),
            is_plain: parse::is_plain::<T>(&checker),
            checker,
            recovery: T::recovery(),
            type_name: type_name::<T>(),
        })
    }

    /// The tool's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What the tool is for.
    pub fn description(&self) -> Option<&str> {
        self.description
    }

    /// The schema of the arguments: JSON Schema 2020-12, properties in the order of the fields.
    pub fn schema(&self) -> &Value {
        self.checker.json()
    }

    /// The form of the schema that OpenAI's `strict: true` takes: every property required, objects closed, only
    /// supported keywords. What may be left out may be `null` there, and is read as absent.
    ///
    /// # Errors
    ///
    /// The path of what that form cannot say: a map, a tuple, any value at all.
    pub fn strict_schema(&self) -> Result<Value, SpecError> {
        super::strict_schema::strict(self.schema()).map_err(|fault| self.fault(fault))
    }

    pub(super) fn recovery(&self) -> Option<Recovery> {
        self.recovery
    }

    pub(super) fn fault(&self, fault: String) -> SpecError {
        SpecError { tool: self.type_name, fault }
    }

    /// What the tool's arguments are read as.
    pub(super) fn target(&self, recovery: Recovery, keeps_json: bool) -> Target<'_> {
        Target {
            name: Some(&self.name),
            checker: &self.checker,
            is_plain: self.is_plain,
            recovery,
            keeps_json,
        }
    }
}

fn is_choice_of_objects(schema: &Value) -> bool {
    let branches = ["oneOf", "anyOf"].iter().find_map(|key| schema.get(*key)?.as_array());
    schema.get("type").is_none()
        && branches.is_some_and(|branches| {
            branches.iter().all(|b| b.get("type").is_some_and(|name| name == "object"))
        })
}

/// A tool that no provider would take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpecError {
    tool: &'static str,
    fault: String,
}

impl fmt::Display for SpecError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the tool `{}` cannot be offered: {}", self.tool, self.fault)
    }
}

impl std::error::Error for SpecError {}

fn is_valid_name(name: &str) -> bool {
    (1..=MAX_NAME).contains(&name.len())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
}

/// The name of a generic tool: that of the type and of each argument, so that two instances in one
/// request are told apart. Longer than a name may be, its end becomes a hash of the whole.
pub fn generic_name(base: &str, arguments: &[Cow<'_, str>]) -> Cow<'static, str> {
    let mut name = base.to_owned();
    for argument in arguments {
        name.push('_');
        let mut after_lower = false;
        for c in argument.chars() {
            if c.is_ascii_uppercase() && after_lower {
                name.push('_');
            }
            after_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
            name.push(if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
        }
    }
    if name.len() > MAX_NAME {
        // FNV-1a: small, and the same in every build, as a name that is logged should be.
        let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        name.truncate(MAX_NAME - 17);
        let _ = write!(name, "_{hash:016x}");
    }
    Cow::Owned(name)
}

/// Where the spec of one type is kept, once it is made.
pub struct SpecCell(OnceLock<Result<ToolSpec, SpecError>>);

impl SpecCell {
    /// An empty one.
    #[allow(clippy::new_without_default, reason = "made in a `static`, and nowhere else")]
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    fn spec<T: ToolCall>(&'static self) -> Result<&'static ToolSpec, SpecError> {
        self.0.get_or_init(ToolSpec::of::<T>).as_ref().map_err(Clone::clone)
    }
}

/// The spec of `T`: in its own cell, or by type, because a `static` in a generic item is shared by its instances. The
/// number of types is the program's, so what is leaked is bounded.
pub(super) fn cached<T: ToolCall>() -> Result<&'static ToolSpec, SpecError> {
    static CELLS: RwLock<Option<HashMap<TypeId, &'static SpecCell>>> = RwLock::new(None);
    if let Some(cell) = T::spec_cell() {
        return cell.spec::<T>();
    }
    let key = TypeId::of::<T>();
    let known = CELLS.read().unwrap_or_else(PoisonError::into_inner);
    let cell = known.as_ref().and_then(|cells| cells.get(&key).copied());
    drop(known);
    // Filled outside the lock: a schema may ask for another tool's spec.
    let cell = cell.unwrap_or_else(|| {
        let mut cells = CELLS.write().unwrap_or_else(PoisonError::into_inner);
        let made = || &*Box::leak(Box::new(SpecCell::new()));
        cells.get_or_insert_default().entry(key).or_insert_with(made)
    });
    cell.spec::<T>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instances_of_a_generic_tool_have_names_of_their_own() {
        assert_eq!(generic_name("page", &["PlaceOrder".into()]), "page_place_order");
        assert_eq!(generic_name("page", &["Vec<i32>".into()]), "page_vec_i32_");
        let long =
            |tail: &str| generic_name("page", &["X".repeat(80).into(), tail.to_owned().into()]);
        assert!(is_valid_name(&long("a")), "{}", long("a"));
        assert_ne!(long("a"), long("b"));
    }
}
