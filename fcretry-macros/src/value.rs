//! Values out of literals: integers, numbers, strings, names and durations, each with the message
//! that shows the line that would be right.

use std::fmt::Display;
use std::ops::RangeInclusive;
use std::time::Duration;

use proc_macro2::{Group, Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::{Lit, LitInt, LitStr};

use crate::diag::{self, Diag};
use crate::duration::{self, Fault};
use crate::meta::{Form, Item, Value};

/// A value with the literal it was written as.
pub(crate) struct Written<T> {
    pub(crate) value: T,
    pub(crate) literal: Lit,
}

impl<T> Written<T> {
    /// The literal as it stands in the source.
    pub(crate) fn text(&self) -> String {
        self.literal.to_token_stream().to_string()
    }
}

/// A type whose values are named in the attribute and are variants in the runtime.
macro_rules! names {
    ($(#[$doc:meta])* $type:ident { $($name:literal => $variant:ident,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub(crate) enum $type {
            $($variant,)*
        }

        impl $type {
            /// Each name with its value.
            pub(crate) const NAMES: &[(&'static str, Self)] = &[$(($name, Self::$variant),)*];

            /// The variant of the runtime's type of the same name.
            pub(crate) fn variant(self) -> &'static str {
                match self {
                    $(Self::$variant => stringify!($variant),)*
                }
            }
        }
    };
}
pub(crate) use names;

names! {
    /// How much is mended in the text of an answer.
    Recovery {
        "off" => Off,
        "lossless" => Lossless,
        "lenient" => Lenient,
    }
}

/// The literal of `key = literal`; `example` is a whole line that would be right.
fn literal<'i>(item: &'i Item, example: &str, diag: &mut Diag) -> Option<&'i Lit> {
    let key = &item.key;
    match &item.form {
        Form::Word => diag.error(key, format!("`{key}` has no value; write `{example}`")),
        Form::Value(Value::Missing) => {
            diag.error(key, format!("`{key} =` has no value; write `{example}`"));
        }
        Form::List(group) => {
            diag.error(group, format!("`{key}` takes one value; write `{example}`"));
        }
        Form::Value(Value::Literal(literal)) => return Some(literal),
        Form::Value(Value::Negative(tokens)) => {
            diag.error(tokens, format!("`{key}` cannot be negative; write `{example}`"));
        }
        Form::Value(Value::Other(tokens)) => {
            diag.error(tokens, format!("`{key}` takes a literal; write `{example}`"));
        }
    }
    None
}

/// The group of `key(..)`.
pub(crate) fn list<'i>(item: &'i Item, example: &str, diag: &mut Diag) -> Option<&'i Group> {
    let key = &item.key;
    match &item.form {
        Form::List(group) => return Some(group),
        Form::Word => diag.error(key, format!("`{key}` takes a list; write `{example}`")),
        Form::Value(_) => {
            diag.error(key, format!("`{key}` takes a list, not a value; write `{example}`"));
        }
    }
    None
}

/// Whether nothing follows the key, reporting what does.
pub(crate) fn bare(item: &Item, diag: &mut Diag) -> bool {
    let key = &item.key;
    let is_bare = matches!(item.form, Form::Word);
    if !is_bare {
        diag.error(key, format!("`{key}` takes no value; write `{key}`"));
    }
    is_bare
}

/// An integer within `range`. `zero` says, if 0 is too low, why it makes no sense.
pub(crate) fn integer(
    item: &Item,
    range: &RangeInclusive<u32>,
    zero: &str,
    example: &str,
    diag: &mut Diag,
) -> Option<Written<u32>> {
    let literal = literal(item, example, diag)?;
    let key = &item.key;
    let text = literal.to_token_stream();
    let Lit::Int(int) = literal else {
        let line = match literal {
            // `max_attempts = "6"`: the quotes are all that is wrong.
            Lit::Str(string) if string.value().parse::<u32>().is_ok_and(|n| range.contains(&n)) => {
                format!("{key} = {}", string.value())
            }
            _ => example.to_owned(),
        };
        diag.error(literal, format!("`{key} = {text}` is not an integer; write `{line}`"));
        return None;
    };
    if !matches!(int.suffix(), "" | "u8" | "u16" | "u32" | "u64" | "usize") {
        suffixed(key, int, diag);
        return None;
    }
    // What does not fit an u32 is above every range here.
    let value = int.base10_parse().unwrap_or(u32::MAX);
    if value == 0 && *range.start() > 0 {
        let least = range.start();
        diag.error(int, format!("`{key} = {text}` {zero}; write `{key} = {least}` or more"));
        return None;
    }
    within(key, literal, value, range, diag)
}

fn suffixed(key: &Ident, int: &LitInt, diag: &mut Diag) {
    let (suffix, digits) = (int.suffix(), int.base10_digits());
    let message = format!(
        "`{key} = {int}` has the suffix `{suffix}`, which is not taken; write `{key} = {digits}`"
    );
    diag.error(int, message);
}

/// A number within `range`; `2` is read as `2.0`.
pub(crate) fn number(
    item: &Item,
    range: &RangeInclusive<f64>,
    example: &str,
    diag: &mut Diag,
) -> Option<Written<f64>> {
    let literal = literal(item, example, diag)?;
    let value = match literal {
        Lit::Int(int) if !int.suffix().is_empty() => {
            suffixed(&item.key, int, diag);
            return None;
        }
        Lit::Int(int) => int.base10_digits().parse::<f64>().ok(),
        Lit::Float(float) if matches!(float.suffix(), "" | "f32" | "f64") => {
            float.base10_digits().parse::<f64>().ok()
        }
        _ => None,
    };
    let Some(value) = value else {
        let (key, text) = (&item.key, literal.to_token_stream());
        diag.error(literal, format!("`{key} = {text}` is not a number; write `{example}`"));
        return None;
    };
    within(&item.key, literal, value, range, diag)
}

fn within<T: PartialOrd + Display>(
    key: &Ident,
    literal: &Lit,
    value: T,
    range: &RangeInclusive<T>,
    diag: &mut Diag,
) -> Option<Written<T>> {
    if range.contains(&value) {
        return Some(Written { value, literal: literal.clone() });
    }
    let (low, high) = (range.start(), range.end());
    let text = literal.to_token_stream();
    let line = if value < *low {
        format!("`{key} = {low}` or more")
    } else {
        format!("`{key} = {high}` or less")
    };
    diag.error(
        literal,
        format!("`{key} = {text}` is not in the range {low} to {high}; write {line}"),
    );
    None
}

/// A string.
pub(crate) fn text(item: &Item, example: &str, diag: &mut Diag) -> Option<LitStr> {
    if let Form::Value(Value::Other(tokens)) = &item.form
        && let Some(word) = single_word(tokens)
    {
        // `jitter = full`: the quotes are all that is missing.
        let key = &item.key;
        diag.error(&word, format!("`{key} = {word}` takes a string; write `{key} = \"{word}\"`"));
        return None;
    }
    let literal = literal(item, example, diag)?;
    let Lit::Str(string) = literal else {
        let (key, text) = (&item.key, literal.to_token_stream());
        diag.error(literal, format!("`{key} = {text}` is not a string; write `{example}`"));
        return None;
    };
    Some(string.clone())
}

fn single_word(tokens: &TokenStream) -> Option<Ident> {
    let mut tokens = tokens.clone().into_iter();
    match (tokens.next(), tokens.next()) {
        (Some(TokenTree::Ident(word)), None) => Some(word),
        _ => None,
    }
}

/// A string that names one of `table`.
pub(crate) fn one_of<T: Copy>(
    item: &Item,
    table: &[(&'static str, T)],
    example: &str,
    diag: &mut Diag,
) -> Option<T> {
    let string = text(item, example, diag)?;
    let found = string.value();
    if let Some((_, value)) = table.iter().find(|(name, _)| *name == found) {
        return Some(*value);
    }
    let key = &item.key;
    let names: Vec<&str> = table.iter().map(|(name, _)| *name).collect();
    let line = if let Some(meant) = diag::closest(&found, &names) {
        format!("did you mean `{key} = \"{meant}\"`?")
    } else {
        let names: Vec<_> = names.iter().map(|name| format!("`\"{name}\"`")).collect();
        format!("write `{key} = ..` with one of {}", names.join(", "))
    };
    let text = string.to_token_stream();
    diag.error(&string, format!("`{key} = {text}` is unknown; {line}"));
    None
}

/// How far reading goes.
pub(crate) fn recovery(item: &Item, diag: &mut Diag) -> Option<Recovery> {
    one_of(item, Recovery::NAMES, r#"recovery = "lossless""#, diag)
}

/// A path in a string, as in `crate = "::fcretry"`. Its tokens have the span of the string.
pub(crate) fn path(item: &Item, example: &str, diag: &mut Diag) -> Option<syn::Path> {
    let string = text(item, example, diag)?;
    let path = string.parse_with(syn::Path::parse_mod_style);
    if path.is_err() {
        let (key, text) = (&item.key, string.to_token_stream());
        diag.error(&string, format!("`{key} = {text}` is not a path; write `{example}`"));
    }
    path.ok()
}

/// A duration as a string, longer than zero.
pub(crate) fn duration(item: &Item, example: &str, diag: &mut Diag) -> Option<Written<Duration>> {
    let literal = literal(item, example, diag)?;
    let key = &item.key;
    let text = literal.to_token_stream();
    let fault = match literal {
        Lit::Str(string) => match duration::parse(&string.value()) {
            Ok(value) => return Some(Written { value, literal: literal.clone() }),
            Err(fault) => fault,
        },
        Lit::Int(int) if int.suffix().is_empty() => unitless(int.base10_digits()),
        Lit::Float(float) if float.suffix().is_empty() => unitless(float.base10_digits()),
        // `30s` is one literal to the lexer: an integer with a suffix.
        Lit::Int(_) | Lit::Float(_) if duration::parse(&text.to_string()).is_ok() => {
            let line = format!("{key} = \"{text}\"");
            diag.error(literal, format!("`{key} = {text}` is not a string; write `{line}`"));
            return None;
        }
        _ => Fault::Malformed,
    };
    let rest = match fault {
        Fault::NoUnit(number) => {
            format!("has no unit; write `{key} = \"{number}s\"` if seconds are meant")
        }
        Fault::UnknownUnit(unit) => format!(
            "has the unknown unit `{unit}`; the units are `ms`, `s`, `m` and `h`, e.g. `{example}`"
        ),
        Fault::Zero => format!("is no time at all; write e.g. `{example}`"),
        Fault::TooLong => {
            format!("is longer than 30 days; write `{key} = \"720h\"` or less")
        }
        Fault::Malformed => format!(
            "is not a duration; write e.g. `{example}` (also `\"250ms\"`, `\"1.5s\"`, `\"1m30s\"`)"
        ),
    };
    diag.error(literal, format!("`{key} = {text}` {rest}"));
    None
}

/// What is wrong with a number without a unit, beside that.
fn unitless(number: &str) -> Fault {
    match duration::parse(&format!("{number}s")) {
        Ok(_) => Fault::NoUnit(number.to_owned()),
        Err(fault) => fault,
    }
}
