//! About how many tokens a request takes.

use std::io;

use async_openai::types::chat::CreateChatCompletionRequest;
use serde::Serialize;
use serde_json::ser::{Formatter, Serializer};

use crate::guard::Estimate;

/// A token for every four bytes of text, and for the answer the limit that the request sets.
pub(super) fn of(request: &CreateChatCompletionRequest) -> Estimate {
    let mut text = Text::default();
    let CreateChatCompletionRequest { messages, tools, response_format, .. } = request;
    let said = (messages, tools, response_format);
    // What cannot be written is not sent either.
    let _ = said.serialize(&mut Serializer::with_formatter(io::sink(), &mut text));
    let limit = request.max_completion_tokens.unwrap_or_default();
    Estimate::new(text.bytes.div_ceil(4), limit.into())
}

/// Counts the text in what is written.
#[derive(Default)]
struct Text {
    bytes: u64,
}

impl Formatter for &mut Text {
    fn write_string_fragment<W: io::Write + ?Sized>(
        &mut self,
        _: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // A picture in a message is no text: models count it by its size.
        let is_data = |head: &str| head.starts_with("data:") && head.contains(";base64,");
        let head = fragment.char_indices().nth(100).map_or(fragment.len(), |(at, _)| at);
        if !fragment.get(..head).is_some_and(is_data) {
            self.bytes = self.bytes.saturating_add(fragment.len() as u64);
        }
        Ok(())
    }
}
