//! New inputs from old ones.

use std::{fs, path::Path};

use fastrand::Rng;
use serde_json::Value;

use crate::{Input, invariants::Target, schemas};

/// What is put in: all that means something to the reader, and some that should not.
const TOKENS: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    "`",
    ",",
    ":",
    ";",
    "\\",
    "/",
    "*",
    "#",
    "<",
    ">",
    "//",
    "/*",
    "*/",
    "# ",
    "```",
    "```json\n",
    "\"\"\"",
    "'''",
    "{{",
    "}}",
    "\\u",
    "\\n",
    "\\\"",
    "true",
    "false",
    "null",
    "True",
    "None",
    "NaN",
    "undefined",
    "0",
    "-",
    "+",
    "1.5",
    "1e9",
    "0x",
    "_",
    "1/6",
    " ",
    "\n",
    "\t",
    "\0",
    "\u{feff}",
    "\u{a0}",
    "\u{201c}",
    "\u{201d}",
    "\u{2019}",
    "<tool_call>",
    "</tool_call>",
    "<think>",
    "</think>",
    "<b>",
    "customer",
    "count",
    "\"a\": 1",
    "Here: ",
    "${x}",
    "r\"",
    "u'",
    "\u{1f600}",
    "place_order",
    "\"name\": \"place_order\", ",
    "\"arguments\": ",
    "<|message|>",
    "[TOOL_CALLS]",
    "functions.place_order ",
    "for example ",
    "Observation:",
    "count: 3\n",
    "...",
    "\\U0001F600",
    "\\'",
    "\\_",
];

/// Longer texts are left to the bombs.
const LONGEST: usize = 20_000;

pub(crate) struct Mutator {
    rng: Rng,
    corpus: Vec<String>,
    orders: Vec<Value>,
}

impl Mutator {
    pub(crate) fn new(seed: u64) -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
        let mut files: Vec<_> =
            fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        let corpus = files.iter().map(|file| fs::read_to_string(file).unwrap()).collect();
        Self { rng: Rng::with_seed(seed), corpus, orders: schemas::orders() }
    }

    pub(crate) fn input(&mut self, target: Target) -> Input {
        let schema = match target {
            Target::Reading => Value::Null,
            Target::Coercing => self.orders[self.rng.usize(..self.orders.len())].clone(),
            Target::Checking if self.rng.u8(..4) == 0 => {
                self.orders[self.rng.usize(..self.orders.len())].clone()
            }
            Target::Checking => schemas::random(&mut self.rng),
        };
        let text = if target == Target::Checking && self.rng.u8(..4) > 0 {
            schemas::value(&mut self.rng, 3).to_string()
        } else {
            self.text()
        };
        Input { text, schema }
    }

    fn text(&mut self) -> String {
        let mut text = self.seed().into_bytes();
        for _ in 0..self.rng.usize(..6) {
            text = self.mutated(text);
            text.truncate(LONGEST);
        }
        String::from_utf8_lossy(&text).into_owned()
    }

    fn seed(&mut self) -> String {
        self.corpus[self.rng.usize(..self.corpus.len())].clone()
    }

    fn mutated(&mut self, mut text: Vec<u8>) -> Vec<u8> {
        let at = self.rng.usize(..=text.len());
        let end = (at + self.rng.usize(..12)).min(text.len());
        match self.rng.u8(0..12) {
            0 => {
                if let Some(byte) = text.get_mut(at) {
                    *byte ^= 1 << self.rng.u8(..8);
                }
            }
            1 => drop(text.drain(at..end)),
            2 => text.truncate(at),
            3 => {
                let piece = text[at..end].to_vec();
                text.splice(end..end, piece.repeat(1 + self.rng.usize(..40)));
            }
            // The front of one, the back of another.
            4 => {
                let other = self.seed().into_bytes();
                let from = self.rng.usize(..=other.len());
                text.truncate(at);
                text.extend_from_slice(&other[from..]);
            }
            5 => {
                let other = self.seed().into_bytes();
                text.splice(at..at, other);
            }
            // Too deep, or nearly.
            6 => {
                let depth = self.rng.usize(..300);
                let nest = [("[", "]"), ("{\"a\":", "}"), ("(", ",)"), ("{", "}")];
                let (open, close) = nest[self.rng.usize(..nest.len())];
                let mut nested = open.repeat(depth).into_bytes();
                nested.extend(text);
                nested.extend(close.repeat(depth).into_bytes());
                text = nested;
            }
            7 => {
                let token = self.token();
                text.splice(at..at, token.repeat(self.rng.usize(..600)).into_bytes());
            }
            // As a string that holds it.
            8 => {
                let held = Value::String(String::from_utf8_lossy(&text).into_owned());
                text = held.to_string().into_bytes();
            }
            _ => {
                let token = self.token();
                text.splice(at..end.min(at + 1), token.bytes());
            }
        }
        text
    }

    fn token(&mut self) -> &'static str {
        TOKENS[self.rng.usize(..TOKENS.len())]
    }
}
