use serde_json::{Map, Value};

use super::{
    Walk,
    found::Found,
    scalars::{are_unique, wrong_size},
};
use crate::parse::{
    expected::{describe, keys},
    pointer::below,
    schema::{Array, Object, Schema, Size},
};

impl Walk {
    pub(super) fn object(
        &self,
        schema: Schema<'_>,
        value: &Value,
        entries: &Map<String, Value>,
        pointer: &mut String,
        found: &mut Found,
        hops: usize,
    ) -> bool {
        // Without `..`, so that no demand is forgotten here.
        let Object {
            properties: _,
            places: _,
            required,
            required_places: _,
            patterns,
            rest,
            names,
            is_closed_as_a_whole,
            size,
            also_required,
            dependent,
        } = &schema.node.object;
        let mut right = true;
        let also = also_required.iter().filter(|(key, _)| entries.contains_key(key));
        for name in required.iter().chain(also.flat_map(|(_, names)| names)) {
            if !entries.contains_key(name) {
                right = false;
                let kind = || match schema.property(name) {
                    Some(part) => format!("{}; it is required", describe(part)),
                    None => "a value; it is required".to_owned(),
                };
                below(pointer, name, |pointer| found.add(pointer, kind, None));
            }
        }
        for (_, part) in dependent.iter().filter(|(key, _)| entries.contains_key(key)) {
            right &= self.check(schema.at(*part), value, pointer, found, hops + 1);
        }
        for (key, part) in entries {
            let by_name = schema.property(key);
            let by_pattern = patterns.iter().filter(|(pattern, _)| pattern.is_match(key));
            let by_pattern = by_pattern.map(|(_, id)| schema.at(*id));
            let mut is_known = false;
            for known in by_name.into_iter().chain(by_pattern) {
                is_known = true;
                right &= below(pointer, key, |p| self.check(known, part, p, found, 0));
            }
            if !is_known && let Some(rest) = rest.map(|id| schema.at(id)) {
                if rest.node.is_never {
                    right = false;
                    below(pointer, key, |p| found.add(p, || no_such_key(schema), Some(part)));
                } else {
                    right &= below(pointer, key, |p| self.check(rest, part, p, found, 0));
                }
            }
            if let Some(names) = names.map(|id| schema.at(id)) {
                let name = Value::String(key.clone());
                // The next name may have the address of this one: nothing of it is to be remembered.
                let walk = Self::default();
                right &= below(pointer, key, |p| walk.check(names, &name, p, found, hops + 1));
            }
            if !right && found.is_quiet() {
                return false;
            }
        }
        if *is_closed_as_a_whole {
            let evaluated = self.evaluated(schema, value, hops);
            for (key, part) in entries.iter().filter(|(key, _)| !evaluated.contains(key.as_str())) {
                right = false;
                below(pointer, key, |p| found.add(p, || no_such_key(schema), Some(part)));
            }
        }
        if let Some(fault) = wrong_size(*size, entries.len(), "entries") {
            right = false;
            found.add(pointer, || fault.expected(), Some(value));
        }
        right
    }

    pub(super) fn array(
        &self,
        schema: Schema<'_>,
        value: &Value,
        items: &[Value],
        pointer: &mut String,
        found: &mut Found,
    ) -> bool {
        let Array { fixed, rest, contains, is_unique, size } = &schema.node.array;
        let mut right = true;
        for (i, item) in items.iter().enumerate() {
            if let Some(part) = fixed.get(i).or(rest.as_ref()) {
                let part = schema.at(*part);
                right &= below(pointer, &i.to_string(), |p| self.check(part, item, p, found, 0));
            }
            if !right && found.is_quiet() {
                return false;
            }
        }
        if let Some((wanted, Size { least, most })) = contains {
            let wanted = schema.at(*wanted);
            let count = items.iter().filter(|item| self.fits(wanted, item, 0)).count() as u64;
            let least = least.unwrap_or(1);
            if count < least || most.is_some_and(|most| count > most) {
                right = false;
                let kind = || match most {
                    Some(most) if count > *most => {
                        format!("items of which at most {most} are {}", describe(wanted))
                    }
                    _ => format!("items of which at least {least} are {}", describe(wanted)),
                };
                found.add(pointer, kind, Some(value));
            }
        }
        if *is_unique && !are_unique(items) {
            right = false;
            found.add(pointer, || "items that differ from each other".to_owned(), Some(value));
        }
        if let Some(fault) = wrong_size(*size, items.len(), "items") {
            right = false;
            found.add(pointer, || fault.expected(), Some(value));
        }
        right
    }
}

fn no_such_key(schema: Schema<'_>) -> String {
    match keys(schema.property_names().cloned()) {
        names if names.is_empty() => "no such key".to_owned(),
        names => format!("no such key; the keys are {names}"),
    }
}
