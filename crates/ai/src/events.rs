//! A model's stream on its way to the client: every event looked at, one of them taken out.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use http::StatusCode;
use llm::{
    Answer, AnswerReader, BinaryStream, DEFAULT_MAX_EVENT_BYTES, Event, EventKind, EventStream,
    Format,
};
use pipeline::{Background, Follow, Pass};
use tokio::runtime::Handle;
use transport::BodyError;

use crate::answer::{Answered, Ending, Listener};

/// An answer that comes as one JSON text while it is passed on is read up to this length.
const MAX_GATHERED_BYTES: usize = 4 << 20;

/// A JSON text that is longer is read beside the worker, if it may be.
const MAX_BYTES_HERE: usize = 64 << 10;

/// Who hears of a stream.
pub(crate) struct Audience {
    listeners: Vec<Arc<dyn Listener>>,
    status: StatusCode,
}

impl Audience {
    pub(crate) fn new(listeners: Vec<Arc<dyn Listener>>, status: StatusCode) -> Audience {
        Audience { listeners, status }
    }

    fn text(&self) {
        for listener in &self.listeners {
            listener.text();
        }
    }

    fn over(&mut self, answer: Answer, ending: Ending) {
        let answered = Arc::new(Answered { status: self.status, answer, ending });
        for listener in std::mem::take(&mut self.listeners) {
            listener.streamed(&answered);
        }
    }
}

fn ending(error: Option<&BodyError>) -> Ending {
    if error.is_some() { Ending::BrokenOff } else { Ending::GivenUp }
}

/// Whether every completion says why it ended, beside the usage: a stream without an event for its
/// end has no more to tell.
fn has_finished(answer: &Answer) -> bool {
    let all = &answer.completions;
    answer.usage.is_some() && !all.is_empty() && all.iter().all(|it| it.finish_reason.is_some())
}

/// Follows an event stream.
pub(crate) struct Events {
    stream: EventStream,
    reader: AnswerReader,
    audience: Audience,
    /// The event that tells the usage was not asked for by the client.
    hides_usage: bool,
    /// Text came with the data that is looked at.
    has_text: bool,
    /// The answer is complete, whatever the client does: some stop reading there.
    is_over: bool,
}

impl Events {
    pub(crate) fn new(format: Format, audience: Audience, hides_usage: bool) -> Events {
        Events {
            stream: EventStream::new(DEFAULT_MAX_EVENT_BYTES),
            reader: AnswerReader::new(format),
            audience,
            hides_usage,
            has_text: false,
            is_over: false,
        }
    }

    /// Reads an event; gives whether the client gets it.
    fn read(&mut self, event: &Event) -> bool {
        let kind = self.reader.event(event);
        self.has_text |= kind == EventKind::Text;
        self.is_over |= matches!(kind, EventKind::Usage | EventKind::End);
        !(self.hides_usage && kind == EventKind::Usage)
    }

    /// Everything goes on as it came.
    fn look(&mut self, data: &Bytes) {
        self.stream.push(data.clone());
        while let Some(next) = self.stream.next() {
            // What is beyond the bound is passed on unread.
            if let Ok(event) = next {
                self.read(&event);
            }
        }
    }

    /// Whole events go on, the part of one waits. Nothing is copied unless an event came in parts or
    /// is taken out.
    fn filter(&mut self, data: &Bytes) -> Bytes {
        let begins_here = self.stream.n_held() == 0;
        let (mut kept, mut n_kept, mut is_whole) = (Vec::new(), 0, begins_here);
        self.stream.push(data.clone());
        while let Some(next) = self.stream.next() {
            let (raw, goes_on) = match next {
                Ok(event) => (event.raw().clone(), self.read(&event)),
                Err(oversized) => (oversized.raw, true),
            };
            if goes_on {
                n_kept += raw.len();
                kept.push(raw);
            } else {
                is_whole = false;
            }
        }
        match <[Bytes; 1]>::try_from(kept) {
            Ok([one]) => one,
            Err(_) if is_whole => data.slice(..n_kept.min(data.len())),
            Err(kept) => {
                let mut all = BytesMut::with_capacity(n_kept);
                kept.iter().for_each(|it| all.extend_from_slice(it));
                all.freeze()
            }
        }
    }
}

impl Follow for Events {
    fn data(&mut self, data: Bytes) -> Pass {
        let passed = match self.hides_usage {
            true => self.filter(&data),
            false => {
                self.look(&data);
                data
            }
        };
        if std::mem::take(&mut self.has_text) {
            self.audience.text();
        }
        Pass::On(passed)
    }

    fn end(&mut self) -> Option<Bytes> {
        // An event without its blank line is no event to the letter, but its tokens are used.
        let rest = self.stream.finish();
        let goes_on = rest.as_ref().is_some_and(|it| self.read(it));
        let answer = self.reader.clone().into_answer();
        self.audience.over(answer, Ending::Whole);
        rest.filter(|_| self.hides_usage && goes_on).map(|it| it.raw().clone())
    }

    fn broken(&mut self, error: Option<&BodyError>) {
        let answer = self.reader.answer();
        let ending = match self.is_over || has_finished(answer) {
            true => Ending::Whole,
            false => ending(error),
        };
        self.audience.over(answer.clone(), ending);
    }

    fn changes_length(&self) -> bool {
        self.hides_usage
    }
}

/// Follows a binary event stream (Bedrock).
pub(crate) struct Messages {
    stream: BinaryStream,
    reader: AnswerReader,
    audience: Audience,
}

impl Messages {
    pub(crate) fn new(format: Format, audience: Audience) -> Messages {
        let stream = BinaryStream::new(DEFAULT_MAX_EVENT_BYTES);
        Messages { stream, reader: AnswerReader::new(format), audience }
    }
}

impl Follow for Messages {
    fn data(&mut self, data: Bytes) -> Pass {
        self.stream.push(&data);
        let mut has_text = false;
        while let Some(Ok(message)) = self.stream.next() {
            has_text |= self.reader.message(&message) == EventKind::Text;
        }
        if has_text {
            self.audience.text();
        }
        Pass::On(data)
    }

    fn end(&mut self) -> Option<Bytes> {
        self.audience.over(self.reader.answer().clone(), Ending::Whole);
        None
    }

    fn broken(&mut self, error: Option<&BodyError>) {
        self.audience.over(self.reader.answer().clone(), ending(error));
    }
}

/// Follows a JSON text that must not be waited for: what came of it is read at its end.
pub(crate) struct Text {
    reader: AnswerReader,
    gathered: BytesMut,
    audience: Audience,
    /// Where a long text is read, if nobody has to hear of it at once.
    beside: Option<Arc<Background>>,
}

impl Text {
    pub(crate) fn new(format: Format, audience: Audience, beside: Option<Arc<Background>>) -> Text {
        let (reader, gathered) = (AnswerReader::new(format), BytesMut::new());
        Text { reader, gathered, audience, beside }
    }

    fn over(&mut self, ending: Ending) {
        let listeners = std::mem::take(&mut self.audience.listeners);
        let mut audience = Audience { listeners, status: self.audience.status };
        let (mut reader, gathered) = (self.reader.clone(), std::mem::take(&mut self.gathered));
        let is_long = gathered.len() > MAX_BYTES_HERE;
        let read = move || {
            reader.whole(&gathered);
            audience.over(reader.into_answer(), ending);
        };
        match &self.beside {
            Some(background) if is_long && Handle::try_current().is_ok() => {
                background.spawn(async move {
                    // It does not panic; a runtime that is shutting down drops it.
                    let _ = tokio::task::spawn_blocking(read).await;
                });
            }
            _ => read(),
        }
    }
}

impl Follow for Text {
    fn data(&mut self, data: Bytes) -> Pass {
        let room = MAX_GATHERED_BYTES.saturating_sub(self.gathered.len());
        self.gathered.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
        Pass::On(data)
    }

    fn end(&mut self) -> Option<Bytes> {
        self.over(Ending::Whole);
        None
    }

    fn broken(&mut self, error: Option<&BodyError>) {
        self.over(ending(error));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[derive(Debug, Default)]
    struct Heard(Mutex<String>);

    impl Listener for Heard {
        fn text(&self) {
            self.0.lock().unwrap().push('t');
        }

        fn streamed(&self, answered: &Arc<Answered>) {
            let total = answered.answer.usage.map(|it| it.total_tokens);
            let text = format!(" {} {total:?} {:?}", answered.answer.text(), answered.ending);
            self.0.lock().unwrap().push_str(&text);
        }
    }

    const STREAM: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\r\n\r\n\
        : ping\n\n\
        data: {\"choices\":[],\"usage\":{\"total_tokens\":9}}\n\n\
        data: [DONE]\n\n";
    const WITHOUT_USAGE: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"Hi\"}}]}\r\n\r\n\
        : ping\n\n\
        data: [DONE]\n\n";

    fn audience(heard: &Arc<Heard>) -> Audience {
        Audience::new(vec![Arc::<Heard>::clone(heard)], StatusCode::OK)
    }

    /// What comes out of a stream in such pieces, and what is heard.
    fn ran(
        mut follower: impl Follow,
        heard: &Heard,
        pieces: &[&[u8]],
        ends: bool,
    ) -> (String, String) {
        let mut out = Vec::new();
        for piece in pieces.iter().filter(|it| !it.is_empty()) {
            let Pass::On(data) = follower.data(Bytes::copy_from_slice(piece)) else { panic!() };
            out.extend_from_slice(&data);
        }
        if ends {
            out.extend(follower.end().unwrap_or_default());
        } else {
            follower.broken(None);
        }
        (String::from_utf8(out).unwrap(), heard.0.lock().unwrap().clone())
    }

    fn events(pieces: &[&[u8]], hides_usage: bool, ends: bool) -> (String, String) {
        let heard = Arc::new(Heard::default());
        let follower = Events::new(Format::ChatCompletions, audience(&heard), hides_usage);
        ran(follower, &heard, pieces, ends)
    }

    #[test]
    fn the_usage_that_the_client_did_not_ask_for_is_taken_out_wherever_the_stream_is_cut() {
        let expected = (WITHOUT_USAGE.to_owned(), " Hi Some(9) Whole".to_owned());
        for at in 0..=STREAM.len() {
            let (one, two) = STREAM.as_bytes().split_at(at);
            let (out, heard) = events(&[one, two], true, true);
            assert_eq!(out, expected.0, "cut at {at}");
            assert!(heard.ends_with(&expected.1), "{heard}");
            assert_eq!(events(&[one, two], false, true).0, STREAM);
        }
        let single: Vec<&[u8]> = STREAM.as_bytes().chunks(1).collect();
        assert_eq!(events(&single, true, true).0, WITHOUT_USAGE);
    }

    #[test]
    fn an_event_that_is_whole_goes_on_without_a_copy() {
        let heard = Arc::new(Heard::default());
        let mut follower = Events::new(Format::ChatCompletions, audience(&heard), true);
        let data = Bytes::from("data: {}\n\ndata: {}\n\ndata: {");
        let Pass::On(passed) = follower.data(data.clone()) else { panic!() };
        assert_eq!(passed.as_ptr(), data.as_ptr());
        assert_eq!(passed.len(), 20);
    }

    #[test]
    fn a_stream_that_is_given_up_tells_what_came_so_far() {
        let (_, heard) = events(&[&STREAM.as_bytes()[..60]], true, false);
        assert_eq!(heard, "t Hi None GivenUp");
        let n = STREAM.len() - 5;
        let (_, heard) = events(&[&STREAM.as_bytes()[..n]], true, false);
        assert_eq!(heard, "t Hi Some(9) Whole", "a client that stops reading at the end");
        let (out, heard) =
            events(&[b"data: {\"choices\":[],\"usage\":{\"total_tokens\":9}}"], true, true);
        assert_eq!((out.as_str(), heard.as_str()), ("", "  Some(9) Whole"));
    }

    #[test]
    fn a_json_text_is_read_at_its_end() {
        let heard = Arc::new(Heard::default());
        let follower = Text::new(Format::GenerateContent, audience(&heard), None);
        let text = br#"[{"candidates":[{"content":{"parts":[{"text":"Hi"}]}}]},
            {"usageMetadata":{"totalTokenCount":4}}]"#;
        let (one, two) = text.split_at(30);
        let (out, heard) = ran(follower, &heard, &[one, two], true);
        assert_eq!((out.as_bytes(), heard.as_str()), (&text[..], " Hi Some(4) Whole"));
    }
}
