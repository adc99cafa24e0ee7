//! The methods that change how a [`Reply`] is played.

use std::time::SystemTime;

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::{
    Delay, Reply,
    completion::{Completion, Patch, TokenCounts},
    misuse,
    reply::{Kind, Plain},
    stream::{StreamEnd, StreamFault},
};

/// Time.
impl Reply {
    /// Waits this long before it answers, hangs or drops the connection.
    ///
    /// # Panics
    ///
    /// If the text is not a duration; see [`Delay`].
    #[track_caller]
    pub fn delay(mut self, delay: impl Into<Delay>) -> Self {
        self.delay = delay.into().duration();
        self
    }

    /// Waits this long between any two events of a stream, the closing `[DONE]` included. A plain answer
    /// has no chunks and is not delayed.
    ///
    /// # Panics
    ///
    /// If the text is not a duration; see [`Delay`].
    #[track_caller]
    pub fn chunk_delay(mut self, delay: impl Into<Delay>) -> Self {
        self.chunk_delay = delay.into().duration();
        self
    }
}

/// Status, headers and body.
impl Reply {
    /// Sets a header, over one that the answer has by itself.
    ///
    /// # Panics
    ///
    /// If name or value may not stand in a header.
    #[track_caller]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let Ok(header) = name.parse::<HeaderName>() else {
            misuse(format_args!("`{name}` is not the name of a header"))
        };
        let Ok(value) = value.parse::<HeaderValue>() else {
            misuse(format_args!("`{value:?}` may not be the value of the header `{name}`"))
        };
        self.headers.push((header, value));
        self
    }

    /// Sets the request id, the header `x-request-id`. It is `req_<n>` by itself, for the n-th request.
    ///
    /// # Panics
    ///
    /// If the id may not stand in a header.
    #[track_caller]
    pub fn id(self, request_id: &str) -> Self {
        self.header("x-request-id", request_id)
    }

    /// Asks the client to wait: `retry-after` in seconds if they are whole, else `retry-after-ms`, rounded
    /// up to a millisecond.
    ///
    /// # Panics
    ///
    /// If the text is not a duration; see [`Delay`].
    #[track_caller]
    pub fn retry_after(self, delay: impl Into<Delay>) -> Self {
        let delay = delay.into().duration();
        if delay.subsec_nanos() == 0 {
            self.header("retry-after", &delay.as_secs().to_string())
        } else {
            self.header("retry-after-ms", &delay.as_nanos().div_ceil(1_000_000).to_string())
        }
    }

    /// Asks the client to wait until a point in time: `retry-after` as an HTTP date, which has whole
    /// seconds. It is wall-clock time, and a paused clock does not hold it.
    ///
    /// # Panics
    ///
    /// If the year is not in 1970..=9999.
    #[track_caller]
    pub fn retry_after_date(self, at: SystemTime) -> Self {
        self.header("retry-after", &httpdate::fmt_http_date(at))
    }

    /// Replaces the body of a [`status`](Self::status), whole, by this JSON.
    ///
    /// ```
    /// # use fcretry::testing::Reply;
    /// # use serde_json::json;
    /// Reply::status(401).error_body(json!({"error": {"code": 401, "message": "no key"}}));
    /// ```
    ///
    /// # Panics
    ///
    /// If the reply is not a status.
    #[track_caller]
    #[allow(clippy::needless_pass_by_value, reason = "scripts write `json!({..})` in place")]
    pub fn error_body(mut self, body: Value) -> Self {
        let plain = self.plain_mut("error_body");
        *plain = Plain::json(plain.status, &body);
        self
    }

    /// Replaces the body of a [`status`](Self::status) by this text.
    ///
    /// ```
    /// # use fcretry::testing::Reply;
    /// Reply::status(502).body("<h1>Bad Gateway</h1>", "text/html");
    /// ```
    ///
    /// # Panics
    ///
    /// If the reply is not a status, or `content_type` may not stand in a header.
    #[track_caller]
    pub fn body(mut self, body: impl Into<String>, content_type: &str) -> Self {
        let Ok(content_type) = content_type.parse() else {
            misuse(format_args!(
                "`{content_type:?}` may not be the value of the header `content-type`"
            ))
        };
        let plain = self.plain_mut("body");
        plain.content_type = content_type;
        plain.body = body.into().into();
        self
    }

    #[track_caller]
    fn plain_mut(&mut self, modifier: &str) -> &mut Plain {
        match &mut self.kind {
            Kind::Plain(plain) if plain.status != StatusCode::NO_CONTENT => plain,
            Kind::Plain(_) => misuse(format_args!("`{modifier}`: a 204 has no body")),
            _ => misuse(format_args!(
                "`{modifier}` is for `Reply::status(..)`; a completion's body is changed by `patch`"
            )),
        }
    }
}

/// The completion. Each of these panics on a reply that is none.
impl Reply {
    /// The model that the answer names, instead of the one that was asked for.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn model(mut self, name: impl Into<String>) -> Self {
        self.completion_mut("model").model = Some(name.into());
        self
    }

    /// The tokens used. Without it they follow from the texts' lengths, at four characters a token.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn usage(mut self, prompt_tokens: u64, completion_tokens: u64) -> Self {
        let usage = &mut self.completion_mut("usage").usage;
        usage.counts = TokenCounts::Given { prompt: prompt_tokens, completion: completion_tokens };
        self
    }

    /// How many of the prompt's tokens came from the provider's cache.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn cached(mut self, tokens: u64) -> Self {
        self.completion_mut("cached").usage.cached = Some(tokens);
        self
    }

    /// How many of the completion's tokens were spent on reasoning.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn reasoning(mut self, tokens: u64) -> Self {
        self.completion_mut("reasoning").usage.reasoning = Some(tokens);
        self
    }

    /// Leaves `usage` out, as some servers do.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn no_usage(mut self) -> Self {
        self.completion_mut("no_usage").usage.counts = TokenCounts::Withheld;
        self
    }

    /// Why the model stopped: `stop`, `length`, `tool_calls`, `content_filter`, or what a server made up.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn finish_reason(mut self, reason: impl Into<String>) -> Self {
        self.completion_mut("finish_reason").finish_reason = reason.into();
        self
    }

    /// Sets the content, also beside tool calls.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn with_content(mut self, content: impl Into<String>) -> Self {
        self.completion_mut("with_content").content = Some(content.into());
        self
    }

    /// Changes the body of the completion, to play what is off the specification. Patches are applied in
    /// the order they were given, and a stream is cut from the patched body.
    ///
    /// ```
    /// # use fcretry::testing::Reply;
    /// # use serde_json::json;
    /// Reply::tool_call("place_order", json!({"total": 3})).patch(|body| {
    ///     let call = &mut body["choices"][0]["message"]["tool_calls"][0];
    ///     call["function"]["arguments"] = json!({"total": 3}); // an object, not its text
    ///     body["choices"][0]["finish_reason"] = json!("eos");
    /// });
    /// ```
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn patch(mut self, patch: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        self.completion_mut("patch").patches.push(Patch::new(patch));
        self
    }

    #[track_caller]
    fn completion_mut(&mut self, modifier: &str) -> &mut Completion {
        match &mut self.kind {
            Kind::Completion(completion) => completion,
            _ => misuse(format_args!(
                "`{modifier}` is for a completion, such as `Reply::text(..)` or `Reply::tool_call(..)`"
            )),
        }
    }
}

/// Answers that break off. Those of a stream leave a request alone that did not ask for one.
impl Reply {
    /// Breaks the connection after `bytes` of the body, be it plain or a stream. A body that is no longer
    /// than that arrives whole.
    ///
    /// # Panics
    ///
    /// If the reply has no body.
    #[track_caller]
    pub fn cut_body_after(mut self, bytes: usize) -> Self {
        if matches!(self.kind, Kind::Hang | Kind::DropConnection) {
            misuse("`cut_body_after` is for a reply that has a body");
        }
        self.cut_body_after = Some(bytes);
        self
    }

    /// Breaks the connection after `chunks` chunks of the stream; at the latest before the one that has the
    /// finish reason. For plain answers there is [`cut_body_after`](Self::cut_body_after).
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn stream_cut_after(self, chunks: usize) -> Self {
        self.stream_fault("stream_cut_after", chunks, StreamEnd::Cut)
    }

    /// Ends the stream in good order after `chunks` chunks, without its finish reason and `[DONE]`: what a
    /// proxy in between makes of a lost connection.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn stream_end_after(self, chunks: usize) -> Self {
        self.stream_fault("stream_end_after", chunks, StreamEnd::Early)
    }

    /// Sends nothing more after `chunks` chunks of the stream, and keeps the connection open.
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn stream_hang_after(self, chunks: usize) -> Self {
        self.stream_fault("stream_hang_after", chunks, StreamEnd::Hang)
    }

    /// Sends `event` after `chunks` chunks of the stream, as it is, and ends the stream without `[DONE]`.
    ///
    /// ```
    /// # use fcretry::testing::Reply;
    /// # use serde_json::json;
    /// Reply::text("a long story")
    ///     .stream_error_after(2, json!({"error": {"message": "overloaded", "code": "server_error"}}));
    /// ```
    ///
    /// # Panics
    ///
    /// If the reply is not a completion.
    #[track_caller]
    pub fn stream_error_after(self, chunks: usize, event: Value) -> Self {
        self.stream_fault("stream_error_after", chunks, StreamEnd::Error(event))
    }

    #[track_caller]
    fn stream_fault(mut self, modifier: &str, after: usize, end: StreamEnd) -> Self {
        self.completion_mut(modifier);
        self.stream_fault = Some(StreamFault { after, end });
        self
    }
}
