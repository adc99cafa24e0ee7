use std::collections::{HashMap, HashSet};

use regex::Regex;
use serde_json::{Map, Value};

use super::{
    Schema,
    keywords::{count, numbers, texts, words},
    kind::{Kind, Kinds},
    node::{Array, Condition, Id, MAX_PLACES, Node, Object, Size, Text},
    reference,
    routes::routes,
};
use crate::parse::pointer::{Located, below};

/// A chain of references longer than this is a circle.
const MAX_REFERENCES: usize = 16;

/// Keywords that demand nothing.
pub(super) const NOTES: &[&str] = &[
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

/// Keywords that demand something which is not enforced here.
const UNKNOWN: &[&str] = &["$dynamicRef", "$recursiveRef", "unevaluatedItems"];

pub(super) type Entries = Map<String, Value>;

/// The nodes of `schema`, and which is the whole.
pub(super) fn compile(schema: &Value) -> Result<(Vec<Node>, Id), String> {
    let mut compiler =
        Compiler { root: schema, nodes: Vec::new(), known: HashMap::new(), pointer: String::new() };
    let root = compiler.node(schema)?;
    let mut nodes = compiler.nodes;
    admit(&mut nodes);
    let is_one_of_several = nodes.iter().any(Node::comes_in_several_ways);
    let unions: Vec<_> = nodes.iter().map(|node| routes(Schema { nodes: &nodes, node })).collect();
    let nodes = nodes.into_iter().zip(unions).map(|(node, routes)| Node {
        is_one_of_several,
        routes,
        ..node
    });
    Ok((nodes.collect(), root))
}

/// Says of each node which types it admits; of a union, those of its branches. In a circle of unions everything is.
fn admit(nodes: &mut [Node]) {
    for node in nodes.iter_mut() {
        node.admitted = node.own_kinds().unwrap_or(u8::MAX);
    }
    // Each round takes something away, or is the last.
    loop {
        let rounds: Vec<u8> = nodes.iter().map(|node| node.admitted_by(nodes)).collect();
        let mut has_changed = false;
        for (node, admitted) in nodes.iter_mut().zip(rounds) {
            has_changed |= node.admitted != admitted;
            node.admitted = admitted;
        }
        if !has_changed {
            return;
        }
    }
}

struct Compiler<'v> {
    root: &'v Value,
    nodes: Vec<Node>,
    /// Each part is compiled once, however many references lead to it.
    known: HashMap<usize, Id>,
    pointer: String,
}

impl<'v> Compiler<'v> {
    fn fault<T>(&self, keyword: &str, what: &str) -> Result<T, String> {
        Err(format!("{}/{keyword}: {what}", self.pointer))
    }

    fn node(&mut self, schema: &'v Value) -> Result<Id, String> {
        let (pointer, schema) = self.resolved(schema)?;
        match pointer {
            Some(pointer) => self.at(pointer, |compiler| compiler.part(schema)),
            None => self.part(schema),
        }
    }

    /// Compiles a part that stands elsewhere: what is wrong with it is wrong there.
    fn at<R>(&mut self, pointer: String, compile: impl FnOnce(&mut Self) -> R) -> R {
        let here = std::mem::replace(&mut self.pointer, pointer);
        let compiled = compile(self);
        self.pointer = here;
        compiled
    }

    fn part(&mut self, schema: &'v Value) -> Result<Id, String> {
        let address = std::ptr::from_ref(schema).addr();
        if let Some(id) = self.known.get(&address) {
            return Ok(*id);
        }
        let id = Id(self.nodes.len());
        self.nodes.push(Node::default());
        self.known.insert(address, id);
        let node = match schema {
            Value::Bool(admits) => Node { is_never: !admits, ..Node::default() },
            Value::Object(entries) => self.entries(entries)?,
            _ => return Err(format!("{}: a schema is an object or a boolean", self.pointer)),
        };
        if let Some(place) = self.nodes.get_mut(id.0) {
            *place = node.finished();
        }
        Ok(id)
    }

    /// Where a reference leads, and what is there.
    fn target(&self, name: &str) -> Result<(String, &'v Value), String> {
        match reference::target(self.root, name) {
            Some((pointer, found)) => Ok((pointer.into_owned(), found)),
            None => self.fault("$ref", &format!("`{name}` leads nowhere")),
        }
    }

    /// What the reference leads to that this part is, and where that stands. One that says more beside it stays.
    fn resolved(&self, schema: &'v Value) -> Result<(Option<String>, &'v Value), String> {
        let (mut pointer, mut schema) = (None, schema);
        for _ in 0..MAX_REFERENCES {
            let Some(entries) = schema.as_object() else { break };
            let Some(name) = entries.get("$ref").and_then(Value::as_str) else { break };
            if entries.keys().any(|key| key != "$ref" && !NOTES.contains(&key.as_str())) {
                break;
            }
            let (place, target) = self.target(name)?;
            (pointer, schema) = (Some(place), target);
        }
        Ok((pointer, schema))
    }

    fn entries(&mut self, entries: &'v Entries) -> Result<Node, String> {
        if let Some(keyword) = UNKNOWN.iter().find(|keyword| entries.contains_key(**keyword)) {
            return self.fault(keyword, "this keyword is not enforced");
        }
        let refers = match entries.get("$ref").and_then(Value::as_str) {
            Some(name) => {
                let (pointer, target) = self.target(name)?;
                // What only leads back to itself demands nothing.
                Some(self.at(pointer, |compiler| compiler.node(target))?)
            }
            None => None,
        };
        let kinds = self.kinds(entries)?;
        let mut options = entries.get("enum").and_then(Value::as_array).cloned();
        let mut one = self.listed(entries, "oneOf")?;
        // How an enum is written whose variants are described.
        if options.is_none()
            && let Some(words) = words(entries.get("oneOf"))
        {
            (options, one) = (Some(words), None);
        }
        Ok(Node {
            is_never: false,
            constant: entries.get("const").cloned(),
            options,
            numbers: numbers(entries),
            text: self.text(entries)?,
            object: self.object(entries)?,
            array: self.array(entries)?,
            refers,
            all: self.listed(entries, "allOf")?.unwrap_or_default(),
            any: self.listed(entries, "anyOf")?,
            one,
            not: self.under(entries, "not")?,
            condition: match self.under(entries, "if")? {
                Some(holds) => Some(Condition {
                    holds,
                    then: self.under(entries, "then")?,
                    otherwise: self.under(entries, "else")?,
                }),
                None => None,
            },
            kinds,
            ..Node::default()
        })
    }

    fn kinds(&self, entries: &Entries) -> Result<Option<Kinds>, String> {
        let names = match entries.get("type") {
            None => return Ok(None),
            Some(Value::Array(names)) => names.as_slice(),
            Some(one) => std::slice::from_ref(one),
        };
        let mut kinds = Kinds::default();
        for name in names {
            match name.as_str().map(|name| (name, Kind::named(name))) {
                Some((_, Some(kind))) => kinds.add(kind),
                // Any value, as some tool lists say it.
                Some(("any", None)) => return Ok(None),
                _ => return self.fault("type", &format!("{name} is no JSON type")),
            }
        }
        // OpenAPI's way to admit `null`.
        if entries.get("nullable") == Some(&Value::Bool(true)) && !kinds.has(Kind::Null) {
            kinds.add(Kind::Null);
        }
        Ok(Some(kinds))
    }

    fn pattern(&self, keyword: &str, text: &str) -> Result<Regex, String> {
        Regex::new(text).or_else(|_| {
            let what = format!("`{text}` is no pattern of a linear engine (no look-around)");
            self.fault(keyword, &what)
        })
    }

    fn size(&self, entries: &Entries, least: &str, most: &str) -> Result<Size, String> {
        let limit = |keyword: &str| match entries.get(keyword) {
            None => Ok(None),
            Some(limit) => match count(limit) {
                Some(count) => Ok(Some(count)),
                None => self.fault(keyword, &format!("{limit} is no count")),
            },
        };
        Ok(Size { least: limit(least)?, most: limit(most)? })
    }

    fn text(&self, entries: &Entries) -> Result<Text, String> {
        let pattern = match entries.get("pattern").and_then(Value::as_str) {
            Some(text) => Some(self.pattern("pattern", text)?),
            None => None,
        };
        let format = entries.get("format").and_then(Value::as_str);
        Ok(Text {
            length: self.size(entries, "minLength", "maxLength")?,
            pattern,
            format: format.map(str::to_owned),
        })
    }

    fn object(&mut self, entries: &'v Entries) -> Result<Object, String> {
        let properties = self.named(entries, "properties")?;
        let places = properties.iter().enumerate().map(|(at, (name, _))| (name.clone(), at));
        let places: HashMap<_, _> = places.collect();
        let mut required = texts(entries.get("required"));
        let mut seen = HashSet::new();
        required.retain(|name| seen.insert(name.clone()));
        let mut patterns = Vec::new();
        for (text, id) in self.named(entries, "patternProperties")? {
            patterns.push((self.pattern("patternProperties", &text)?, id));
        }
        let also = entries.get("dependentRequired").and_then(Value::as_object);
        Ok(Object {
            properties,
            required_places: required
                .iter()
                .filter_map(|name| places.get(name).filter(|place| **place < MAX_PLACES))
                .fold(0, |bits, place| bits | 1 << place),
            required,
            places,
            patterns,
            rest: self.under(entries, "additionalProperties")?,
            names: self.under(entries, "propertyNames")?,
            is_closed_as_a_whole: match entries.get("unevaluatedProperties") {
                None | Some(Value::Bool(true)) => false,
                Some(Value::Bool(false)) => true,
                Some(_) => {
                    return self.fault("unevaluatedProperties", "only a boolean is enforced");
                }
            },
            size: self.size(entries, "minProperties", "maxProperties")?,
            also_required: also
                .into_iter()
                .flatten()
                .map(|(key, names)| (key.clone(), texts(Some(names))))
                .collect(),
            dependent: self.named(entries, "dependentSchemas")?,
        })
    }

    fn array(&mut self, entries: &'v Entries) -> Result<Array, String> {
        // Before 2020-12 a tuple was a list of `items`.
        let is_old = entries.get("items").is_some_and(Value::is_array);
        let [fixed, rest] =
            if is_old { ["items", "additionalItems"] } else { ["prefixItems", "items"] };
        Ok(Array {
            fixed: self.listed(entries, fixed)?.unwrap_or_default(),
            rest: self.under(entries, rest)?,
            contains: match self.under(entries, "contains")? {
                Some(id) => Some((id, self.size(entries, "minContains", "maxContains")?)),
                None => None,
            },
            is_unique: entries.get("uniqueItems") == Some(&Value::Bool(true)),
            size: self.size(entries, "minItems", "maxItems")?,
        })
    }

    /// The schema under `keyword`, if there is one.
    fn under(&mut self, entries: &'v Entries, keyword: &str) -> Result<Option<Id>, String> {
        let Some(schema) = entries.get(keyword) else { return Ok(None) };
        below(self, keyword, |compiler| compiler.node(schema)).map(Some)
    }

    /// The schemas listed under `keyword`.
    fn listed(&mut self, entries: &'v Entries, keyword: &str) -> Result<Option<Vec<Id>>, String> {
        let Some(schemas) = entries.get(keyword).and_then(Value::as_array) else { return Ok(None) };
        let all = below(self, keyword, |compiler| {
            let each = |(at, schema): (usize, &'v Value)| {
                below(compiler, &at.to_string(), |compiler| compiler.node(schema))
            };
            schemas.iter().enumerate().map(each).collect::<Result<_, String>>()
        })?;
        Ok(Some(all))
    }

    /// The schemas under the names under `keyword`.
    fn named(&mut self, entries: &'v Entries, keyword: &str) -> Result<Vec<(String, Id)>, String> {
        let schemas = entries.get(keyword).and_then(Value::as_object);
        below(self, keyword, |compiler| {
            let each = |(name, schema): (&String, &'v Value)| {
                let id = below(compiler, name, |compiler| compiler.node(schema))?;
                Ok((name.clone(), id))
            };
            schemas.into_iter().flatten().map(each).collect()
        })
    }
}

impl Located for Compiler<'_> {
    fn pointer(&mut self) -> &mut String {
        &mut self.pointer
    }
}
