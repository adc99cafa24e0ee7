//! The error object of a body, whatever it is called there.

use serde_json::Value;

use super::{codes, is_html};
use crate::failure::FailureKind;

/// Errors are handed on inside errors: a gateway quotes what the server behind it said. Deeper than this nobody
/// looks.
const NESTED: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct ErrorBody {
    /// What its codes and types say, where they say something.
    known: Option<FailureKind>,
    pub(super) code: Option<String>,
    /// A code that is a number is a status: of an upstream server, or the same once more.
    number: Option<u16>,
    pub(super) param: Option<String>,
    pub(super) message: String,
    /// What the server behind a gateway said.
    inner: Option<Box<ErrorBody>>,
    /// How long to wait, where the body has a field for it.
    pub(super) wait: Option<Value>,
    /// What the model wrote, where the server took it for no call.
    pub(super) failed_call: Option<String>,
}

impl ErrorBody {
    pub(super) fn read(text: &str) -> Self {
        Self::read_nested(text, NESTED)
    }

    pub(super) fn of(body: &Value) -> Self {
        Self::of_nested(body, NESTED)
    }

    fn read_nested(text: &str, nested: u8) -> Self {
        match serde_json::from_str::<Value>(text) {
            Ok(body) => Self::of_nested(&body, nested),
            // The words of a web page are about anything.
            Err(_) if is_html(text) => Self::default(),
            Err(_) => Self { message: text.trim().to_owned(), ..Self::default() },
        }
    }

    fn of_nested(body: &Value, nested: u8) -> Self {
        // Google's servers put the object into a list.
        let body = body.get(0).unwrap_or(body);
        let error = ["/error", "/errors/0"]
            .iter()
            .find_map(|at| body.pointer(at).filter(|error| !error.is_null()))
            .unwrap_or(body);
        let fields = Fields { body, error };
        let message = fields.message();
        let inner = (nested > 0)
            .then(|| fields.quoted(&message))
            .flatten()
            .map(|text| Box::new(Self::read_nested(text, nested - 1)));
        let known = fields.known();
        Self {
            known: known.map(|(kind, _)| kind).or_else(|| fields.known_type()),
            code: known
                .map(|(_, code)| code.to_owned())
                .filter(|code| !code.is_empty())
                .or_else(|| fields.own_code()),
            number: fields.number(),
            param: fields
                .text("param")
                .map(str::to_owned)
                .or_else(|| inner.as_ref()?.param.clone()),
            message: match &inner {
                Some(inner) if message.trim_start().starts_with(['{', '[']) => {
                    inner.message.clone()
                }
                Some(inner) if !inner.message.is_empty() => format!("{message}: {}", inner.message),
                _ => message,
            },
            wait: fields.wait(),
            failed_call: fields.text("failed_generation").map(str::to_owned),
            inner,
        }
    }

    /// What kind of failure this is; `None` if nothing says so.
    pub(super) fn kind(&self, status: Option<u16>) -> Option<FailureKind> {
        if self.known.is_some() {
            return self.known;
        }
        let status = self.number.or(status);
        if self.code.is_some() {
            return Some(status.map_or(FailureKind::InvalidRequest, codes::kind_of_status));
        }
        codes::kind_of_words(status, &self.message)
            .or_else(|| self.inner.as_ref()?.kind(status))
            .or_else(|| status.map(codes::kind_of_status))
    }
}

/// An error object and the body around it: servers differ in where they put what.
#[derive(Clone, Copy)]
struct Fields<'a> {
    body: &'a Value,
    error: &'a Value,
}

impl<'a> Fields<'a> {
    fn text(self, key: &str) -> Option<&'a str> {
        // An error that is a sentence has its code beside it.
        let holder = if self.error.is_string() { self.body } else { self.error };
        holder.get(key).and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    fn at(self, pointer: &str) -> Option<&'a str> {
        self.error.pointer(pointer).and_then(Value::as_str)
    }

    /// The code that says more than the status does, with what it says: the innermost first. Empty where another
    /// field says it.
    fn known(self) -> Option<(FailureKind, &'a str)> {
        if self.is_moderation() {
            return Some((FailureKind::ContentFilter, ""));
        }
        let gateway = [self.at("/metadata/limit_source"), self.at("/metadata/error_type")];
        let gateway = gateway
            .into_iter()
            .flatten()
            .find_map(|code| Some((codes::kind_of_gateway_code(code)?, code)));
        let reasons = self.error.get("details").and_then(Value::as_array).into_iter().flatten();
        let reasons = reasons.filter_map(|detail| detail.get("reason")?.as_str());
        let own = [self.at("/innererror/code"), self.text("code"), self.text("status")];
        gateway.or_else(|| {
            own.into_iter()
                .flatten()
                .chain(reasons)
                .find_map(|code| Some((codes::kind_of_code(code)?, code)))
        })
    }

    /// `OpenRouter`'s word for an input that was flagged has no code, but a list of reasons.
    fn is_moderation(self) -> bool {
        self.error.pointer("/metadata/flagged_input").is_some()
            || self.error.pointer("/metadata/reasons").is_some_and(Value::is_array)
    }

    /// Types are coarser than codes, and come after them.
    fn known_type(self) -> Option<FailureKind> {
        let beside = self.body.get("error_type").and_then(Value::as_str);
        let types = [self.text("type"), self.text("error_type"), beside];
        types.into_iter().flatten().find_map(codes::kind_of_code)
    }

    /// A code that nobody here knows, but that is one: then words are not read.
    fn own_code(self) -> Option<String> {
        let is_code = |code: &&str| codes::is_specific(code);
        self.text("code")
            .filter(is_code)
            .or_else(|| self.text("status").filter(is_code))
            .map(str::to_owned)
    }

    fn number(self) -> Option<u16> {
        let numeric = |code: &Value| {
            let number = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
            u16::try_from(number).ok().filter(|n| (300..600).contains(n))
        };
        let keys = ["code", "status", "status_code", "statusCode"];
        let of = |object: &Value| keys.iter().find_map(|key| object.get(*key).and_then(numeric));
        of(self.error).or_else(|| of(self.body))
    }

    fn message(self) -> String {
        if let Some(text) = self.error.as_str() {
            return text.to_owned();
        }
        let keys = ["message", "detail", "msg", "Message"];
        let words = keys.iter().find_map(|key| self.text(key)).map(str::to_owned);
        // Some servers give the list of what is wrong instead of a sentence.
        words
            .or_else(|| {
                let found = ["message", "detail"].iter().find_map(|key| self.error.get(*key));
                found.filter(|message| !message.is_null()).map(Value::to_string)
            })
            .unwrap_or_default()
    }

    /// The error of another server that this one holds as text.
    fn quoted(self, message: &'a str) -> Option<&'a str> {
        let is_json = message.trim_start().starts_with(['{', '[']);
        self.at("/metadata/raw").or_else(|| is_json.then_some(message))
    }

    /// The field that says how long to wait: Google's `retryDelay` in a list of details, others' `retry_after`.
    fn wait(self) -> Option<Value> {
        let details = self.error.get("details").and_then(Value::as_array).into_iter().flatten();
        let mut details = details.filter_map(|detail| detail.get("retryDelay"));
        let keys = ["retry_after", "retry_after_seconds", "retryAfter"];
        let of = |object: &'a Value| keys.iter().find_map(|key| object.get(*key));
        let metadata = self.error.get("metadata").and_then(of);
        details.next().or(of(self.error)).or(metadata).or(of(self.body)).cloned()
    }
}
