//! The events of a body, as WHATWG HTML has them ("Server-sent events"), and as servers stray from it.

/// One event.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Event {
    /// Its data; several lines are joined by line breaks.
    pub(super) data: String,
    /// The event says that it is an error.
    pub(super) is_error: bool,
}

/// Takes a body in pieces of any size, and gives its events. Holds one event at most; whoever reads the body
/// bounds it.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// What has come and is not read.
    bytes: Vec<u8>,
    /// How much of it is read.
    at: usize,
    /// How much behind that was searched for the end of a line.
    searched: usize,
    data: Option<String>,
    is_error: bool,
}

impl Events {
    /// Takes the next piece.
    pub(super) fn push(&mut self, piece: &[u8]) {
        // What was read goes once it is most of what is held, so that each byte is moved a few times at most.
        if self.at > self.bytes.len() / 2 {
            self.bytes.drain(..self.at);
            self.at = 0;
        }
        self.bytes.extend_from_slice(piece);
    }

    /// The next event that is whole.
    pub(super) fn next(&mut self) -> Option<Event> {
        while let Some(line) = self.line(false) {
            if let Some(event) = self.take(&line) {
                return Some(event);
            }
        }
        None
    }

    /// The event that the end of the body cut off before its empty line. Some servers end so.
    pub(super) fn last(&mut self) -> Option<Event> {
        while let Some(line) = self.line(true) {
            if let Some(event) = self.take(&line) {
                return Some(event);
            }
        }
        self.take("")
    }

    /// The next line; at the end of the body, also one that does not end.
    fn line(&mut self, is_end: bool) -> Option<String> {
        let unread = self.bytes.get(self.at..).unwrap_or_default();
        let unseen = unread.get(self.searched..).unwrap_or_default();
        let (line, length) = match unseen.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            Some(end) => {
                let end = self.searched + end;
                let is_return = unread.get(end) == Some(&b'\r');
                match unread.get(end + 1) {
                    // Whether a line feed belongs to it, the next piece tells.
                    None if is_return && !is_end => {
                        self.searched = end;
                        return None;
                    }
                    Some(b'\n') if is_return => (end, end + 2),
                    _ => (end, end + 1),
                }
            }
            None if is_end && !unread.is_empty() => (unread.len(), unread.len()),
            None => {
                self.searched = unread.len();
                return None;
            }
        };
        let line = String::from_utf8_lossy(unread.get(..line).unwrap_or_default());
        let line = line.strip_prefix('\u{feff}').unwrap_or(&line).to_owned();
        self.at += length;
        self.searched = 0;
        Some(line)
    }

    /// Takes a line into the event; an empty one ends it.
    fn take(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let is_error = std::mem::take(&mut self.is_error);
            // One without data keeps the connection alive.
            let data = self.data.take().filter(|data| !data.trim().is_empty())?;
            return Some(Event { data, is_error });
        }
        // An error that a proxy wrote where an event was due.
        let (field, value) = match line.split_once(':') {
            _ if line.starts_with('{') => ("data", line),
            Some((field, value)) => (field, value.strip_prefix(' ').unwrap_or(value)),
            None => (line, ""),
        };
        match field {
            "data" => match &mut self.data {
                Some(data) => {
                    data.push('\n');
                    data.push_str(value);
                }
                None => self.data = Some(value.to_owned()),
            },
            "event" => self.is_error = value == "error",
            // Comments keep the connection alive; ids and retries are for browsers.
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str, piece: usize) -> Vec<String> {
        let mut events = Events::default();
        let mut read = Vec::new();
        for piece in body.as_bytes().chunks(piece) {
            events.push(piece);
            read.extend(std::iter::from_fn(|| events.next()).map(|event| event.data));
        }
        read.extend(events.last().map(|event| event.data));
        read
    }

    #[test]
    fn events_are_the_same_however_they_are_cut() {
        let body = "\u{feff}: ping\n\ndata: {\"a\": \"ø\"}\n\ndata:two\r\ndata: lines\r\n\r\nid: 7\rdata: x\r\r\
                    event: message\ndata: [DONE]\n\n";
        for piece in [1, 2, 3, 7, 1000] {
            assert_eq!(
                read(body, piece),
                ["{\"a\": \"ø\"}", "two\nlines", "x", "[DONE]"],
                "{piece}"
            );
        }
    }

    #[test]
    fn an_event_without_its_empty_line_is_the_last_one() {
        assert_eq!(read("data: a\n\ndata: [DONE]", 4), ["a", "[DONE]"]);
        assert_eq!(read("data: a\n\ndata:\n\ndata: \n\n", 4), ["a"]);
        assert!(read("", 4).is_empty());
    }

    #[test]
    fn errors_are_told_by_name_or_stand_bare() {
        let mut events = Events::default();
        events.push(b"event: error\ndata: {}\n\n{\"error\": 1}\n\ndata: x\n\n");
        let read: Vec<_> = std::iter::from_fn(|| events.next()).collect();
        assert_eq!(read.iter().map(|e| e.is_error).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(read[1].data, "{\"error\": 1}");
    }

    #[test]
    fn a_long_event_in_small_pieces_is_searched_once() {
        // Linear, or this takes minutes.
        let body = format!("data: {}\n\n", "x".repeat(2 << 20));
        assert_eq!(read(&body, 8)[0].len(), 2 << 20);
    }
}
