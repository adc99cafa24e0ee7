//! Values out of nodes, each with the fault that shows what would be right.

use std::{fmt::Display, time::Duration};

use super::{meant::closest, node::Node};
use crate::duration;

/// What is wrong so far.
#[derive(Default)]
pub(super) struct Faults(Vec<String>);

impl Faults {
    pub(super) fn say(&mut self, fault: impl Into<String>) {
        self.0.push(fault.into());
    }

    pub(super) fn into_vec(self) -> Vec<String> {
        self.0
    }
}

/// A key and the tables it is in.
#[derive(Clone, Copy)]
pub(super) struct Key<'a> {
    /// The tables, each followed by a dot.
    pub(super) within: &'a str,
    pub(super) name: &'a str,
}

impl Display for Key<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}{}", self.within, self.name)
    }
}

impl Key<'_> {
    fn fault(self, node: &Node, fault: impl Display, faults: &mut Faults) {
        faults.say(format!("`{self} = {node}` {fault}"));
    }
}

pub(super) fn integer<T: TryFrom<i128>>(
    key: Key<'_>,
    node: &Node,
    faults: &mut Faults,
) -> Option<T> {
    match node {
        Node::Int(value) if *value < 0 => key.fault(node, "cannot be negative", faults),
        Node::Int(value) => match T::try_from(*value) {
            Ok(value) => return Some(value),
            Err(_) => key.fault(node, "is too large", faults),
        },
        Node::Text(text) if text.parse::<u32>().is_ok() => {
            key.fault(node, format!("is not an integer; write `{key} = {text}`"), faults);
        }
        _ => key.fault(node, "is not an integer", faults),
    }
    None
}

/// A number; `2` is read as `2.0`.
pub(super) fn number(key: Key<'_>, node: &Node, faults: &mut Faults) -> Option<f64> {
    match node {
        Node::Float(value) => return Some(*value),
        Node::Int(value) => match i32::try_from(*value) {
            Ok(value) => return Some(value.into()),
            Err(_) => key.fault(node, "is too large", faults),
        },
        _ => key.fault(node, "is not a number", faults),
    }
    None
}

pub(super) fn flag(key: Key<'_>, node: &Node, faults: &mut Faults) -> Option<bool> {
    match node {
        Node::Bool(value) => return Some(*value),
        _ => key.fault(node, "is not true or false", faults),
    }
    None
}

pub(super) fn text<'n>(key: Key<'_>, node: &'n Node, faults: &mut Faults) -> Option<&'n str> {
    match node {
        Node::Text(text) => return Some(text),
        _ => key.fault(node, "is not a string", faults),
    }
    None
}

pub(super) fn time(key: Key<'_>, node: &Node, faults: &mut Faults) -> Option<Duration> {
    let fault = match node {
        Node::Text(text) => match duration::parse(text) {
            Ok(time) => return Some(time),
            Err(fault) => fault,
        },
        Node::Int(_) | Node::Float(_) => match duration::parse(&format!("{node}s")) {
            Ok(_) => duration::Fault::NoUnit(node.to_string()),
            Err(fault) => fault,
        },
        _ => duration::Fault::Malformed,
    };
    key.fault(node, fault, faults);
    None
}

/// One of the values that have these names.
pub(super) fn one_of<T: Copy>(
    key: Key<'_>,
    node: &Node,
    all: &[T],
    name_of: fn(T) -> &'static str,
    faults: &mut Faults,
) -> Option<T> {
    let name = text(key, node, faults)?;
    if let Some(found) = all.iter().copied().find(|one| name_of(*one) == name) {
        return Some(found);
    }
    let names: Vec<_> = all.iter().map(|one| name_of(*one)).collect();
    let line = match closest(name, &names) {
        Some(meant) => format!("did you mean `{key} = {meant:?}`?"),
        None => format!("it is one of {}", listed(&names)),
    };
    key.fault(node, format!("is unknown; {line}"), faults);
    None
}

/// The entries of a table whose keys are among `known`, each once; the others are reported.
pub(super) fn entries<'n>(
    within: &str,
    node: &'n Node,
    known: &[&str],
    elsewhere: impl Fn(&str) -> Option<String>,
    faults: &mut Faults,
) -> Vec<(&'n str, &'n Node)> {
    let Node::Table(entries) = node else {
        let what = within.strip_suffix('.').unwrap_or("a policy");
        faults.say(format!("`{what}` is a table of keys, not `{node}`"));
        return Vec::new();
    };
    let mut found: Vec<(&str, &Node)> = Vec::new();
    for (name, node) in entries {
        let key = Key { within, name };
        if !known.contains(&name.as_str()) {
            let line = elsewhere(name)
                .or_else(|| closest(name, known).map(|meant| format!("did you mean `{meant}`?")))
                .unwrap_or_else(|| format!("the keys are {}", listed(known)));
            faults.say(format!("unknown key `{key}`; {line}"));
        } else if found.iter().any(|(earlier, _)| earlier == name) {
            faults.say(format!("`{key}` is given twice; keep one of them"));
        } else {
            found.push((name, node));
        }
    }
    found
}

/// The names in backticks, with commas between.
pub(super) fn listed(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}
