//! Reads a stream of server-sent events (HTML standard, section 9.2.6), as far as our own server writes it.

use anyhow::{Result, bail};

/// The longest event that is taken.
const LONGEST: usize = 16 << 20;

/// An event, or only how far the stream has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// Its number, if it has one: a client that connects again goes on behind it.
    pub id: Option<i64>,
    /// Its name.
    pub name: String,
    /// What it carries; lines are joined by newlines. Empty where the stream only tells how far it has come.
    pub data: String,
}

/// Puts events together from what comes in pieces.
#[derive(Default)]
pub struct Parser {
    rest: Vec<u8>,
    next: Event,
}

impl Parser {
    /// Takes a piece and returns the events that are whole now.
    ///
    /// # Errors
    /// For an event that does not end.
    pub fn feed(&mut self, piece: &[u8]) -> Result<Vec<Event>> {
        self.rest.extend_from_slice(piece);
        let mut events = Vec::new();
        let mut start = 0;
        while let Some(length) = self.rest[start..].iter().position(|byte| *byte == b'\n') {
            let line = String::from_utf8_lossy(&self.rest[start..start + length]).into_owned();
            start += length + 1;
            if let Some(event) = take(&mut self.next, line.trim_end_matches('\r')) {
                events.push(event);
            }
        }
        self.rest.drain(..start);
        if self.rest.len() + self.next.data.len() > LONGEST {
            bail!("the server sent an event of more than {} MiB", LONGEST >> 20);
        }
        Ok(events)
    }
}

/// Takes a line; an empty one ends the event.
fn take(next: &mut Event, line: &str) -> Option<Event> {
    if line.is_empty() {
        let event = std::mem::take(next);
        return (!event.data.is_empty() || event.id.is_some()).then_some(event);
    }
    let (field, value) = line.split_once(':').unwrap_or((line, ""));
    let value = value.strip_prefix(' ').unwrap_or(value);
    match field {
        "id" => next.id = value.parse().ok(),
        "event" => value.clone_into(&mut next.name),
        "data" => {
            if !next.data.is_empty() {
                next.data.push('\n');
            }
            next.data.push_str(value);
        }
        // Comments, and fields of later versions.
        _ => {}
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_come_whole_however_they_are_cut() {
        let text = "retry: 1000\nid: 6\n\n: still here\n\nid: 7\nevent: call.ended\ndata: {\"a\":\ndata: \"é\"}\n\nid:8\r\ndata:x\r\n\r\n";
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let mut events = Vec::new();
            for piece in text.as_bytes().chunks(size) {
                events.extend(parser.feed(piece).unwrap());
            }
            assert_eq!(events.len(), 3, "in pieces of {size}");
            let start = events.remove(0);
            assert_eq!((start.id, start.data.as_str()), (Some(6), ""));
            assert_eq!((events[0].id, events[0].name.as_str()), (Some(7), "call.ended"));
            assert_eq!(events[0].data, "{\"a\":\n\"é\"}");
            assert_eq!((events[1].id, events[1].data.as_str()), (Some(8), "x"));
        }
    }

    #[test]
    fn an_event_without_an_end_is_refused() {
        let mut parser = Parser::default();
        let piece = vec![b'x'; 9 << 20];
        assert!(parser.feed(&piece).is_ok());
        assert!(parser.feed(&piece).is_err());
    }
}
