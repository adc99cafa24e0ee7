use serde_json::{Number, Value};

use super::{Reader, Step};
use crate::parse::recovered::RecoveryKind;

impl Reader<'_> {
    /// The number at the cursor: JSON's own, or one of JSON5 or Python that is the same number in JSON.
    pub(super) fn number(&mut self) -> Step<Value> {
        let token = self.number_token();
        let end = self.at + token.len();
        let is_open = !self.stack.is_empty() || token.ends_with('.');
        let is_last = self.text.get(end..).is_some_and(|rest| rest.trim_start().is_empty());
        if is_open && is_last {
            return self.cut("the text ends in a number");
        }
        let Some((value, is_json)) = number_of(token) else {
            return self.refuse("no number that JSON can hold, or an expression");
        };
        if !is_json {
            self.note(RecoveryKind::NumberForm);
        }
        self.at = end;
        Ok(Value::Number(value))
    }

    /// All that looks like part of the number, so that `30px`, `1/6` and `2024-01-01` are refused as a whole.
    fn number_token(&self) -> &str {
        let rest = self.rest();
        let is_part =
            |c: char| c.is_alphanumeric() || matches!(c, '+' | '-' | '.' | '_' | '%' | '*');
        let mut end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        // A division, and not a comment.
        let tail = rest.get(end..).unwrap_or_default();
        if tail.starts_with('/') && !tail.starts_with("//") && !tail.starts_with("/*") {
            end += 1;
        }
        rest.get(..end).unwrap_or_default()
    }
}

/// The number that `token` is, and whether it is written as JSON writes it.
fn number_of(token: &str) -> Option<(Number, bool)> {
    if let Some(number) = exact(token) {
        return Some((number, true));
    }
    let (negative, digits) = match token.as_bytes().first()? {
        b'-' => (true, token.get(1..)?),
        b'+' => (false, token.get(1..)?),
        _ => (false, token),
    };
    let radix = match digits.get(..2) {
        Some("0x" | "0X") => Some(16),
        Some("0o" | "0O") => Some(8),
        Some("0b" | "0B") => Some(2),
        _ => None,
    };
    if let Some(radix) = radix {
        let digits = digits.get(2..).filter(|d| d.bytes().all(|b| b.is_ascii_alphanumeric()))?;
        let value = i128::from(u64::from_str_radix(digits, radix).ok()?);
        let value = if negative { -value } else { value };
        return exact(&value.to_string()).map(|number| (number, false));
    }
    let plain = without_underscores(digits)?;
    let mut json = if negative { "-".to_owned() } else { String::new() };
    // `.5` and `5.`
    if plain.starts_with('.') {
        json.push('0');
    }
    match plain.split_once('.') {
        Some((whole, rest)) if !rest.starts_with(|c: char| c.is_ascii_digit()) => {
            // `5.` and `5.e3`, but not `.` alone.
            if whole.is_empty() {
                return None;
            }
            json.push_str(whole);
            json.push_str(".0");
            json.push_str(rest);
        }
        _ => json.push_str(&plain),
    }
    exact(&json).map(|number| (number, false))
}

/// Python's `1_000`: an underscore between two digits.
fn without_underscores(digits: &str) -> Option<String> {
    let bytes = digits.as_bytes();
    for (i, byte) in bytes.iter().enumerate() {
        let is_digit =
            |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
        if *byte == b'_' && !(is_digit(i.checked_sub(1)) && is_digit(Some(i + 1))) {
            return None;
        }
    }
    Some(digits.replace('_', ""))
}

/// A number in JSON's form that JSON's usual types hold without loss of its whole part.
pub(in crate::parse) fn exact(token: &str) -> Option<Number> {
    if !token.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let number: Number = serde_json::from_str(token).ok()?;
    let is_whole = token.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    // An integer that became a float has lost digits.
    if is_whole && number.is_f64() && token != "-0" { None } else { Some(number) }
}
