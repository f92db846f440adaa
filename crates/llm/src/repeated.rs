//! Events that are the one before with another text.
//!
//! ```text
//! data: {"choices":[{"delta":{"content":"Hello"},...}],...,"obfuscation":"x9"}
//! └────────── the same bytes ─────────┘  text  └── the same ──┘          └ not read
//! ```
//!
//! The events of a model's stream differ in their text, and perhaps in members that nobody reads
//! (`obfuscation`, `sequence_number`). Once an event was read that brought one text and nothing else,
//! another one with the same bytes around the same places needs no reading: it says the same with the
//! text that it has. Anything that differs elsewhere is read in full.

use std::borrow::Cow;

use smallvec::SmallVec;

use crate::answer::Stretch;
use crate::event_stream::Event;
use crate::json::Json;

/// Most events that are learned from in one stream: one whose events are always different is read in
/// full from then on.
const MAX_LESSONS: u8 = 32;
/// Most places in which events may differ.
const MAX_PLACES: usize = 12;

/// What an event said while it was read in full.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Said {
    /// How many texts it brought.
    pub(crate) n_texts: u8,
    /// It said something besides: usage, an end, an error.
    pub(crate) said_more: bool,
    /// The last text: its place in memory, with its quotes, and where it belongs.
    pub(crate) text: Option<SaidText>,
}

/// A text of an event.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SaidText {
    pub(crate) address: usize,
    pub(crate) n_bytes: usize,
    pub(crate) to: Target,
}

/// Where a text belongs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Target {
    pub(crate) index: u64,
    pub(crate) stretch: Stretch,
}

/// The event that others are compared with.
#[derive(Clone, Debug, Default)]
pub(crate) struct Repeated {
    raw: Vec<u8>,
    places: SmallVec<[Place; MAX_PLACES]>,
    target: Option<Target>,
    n_lessons: u8,
}

/// Where events may differ: in a string, between its quotes, or in the digits of a number.
#[derive(Clone, Copy, Debug)]
struct Place {
    start: usize,
    end: usize,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    UnreadString,
    UnreadDigits,
}

impl Repeated {
    /// The text of an event, if the event says nothing else than the one learned, and it is not empty.
    pub(crate) fn text<'e>(&self, event: &'e Event) -> Option<(Target, Cow<'e, str>)> {
        let target = self.target?;
        let raw = event.raw_without_bom()?;
        let (mut at_known, mut at, mut text) = (0, 0, None);
        for place in &self.places {
            let same = self.raw.get(at_known..place.start)?;
            at = behind(raw, at, same)?;
            let end = match place.kind {
                Kind::UnreadDigits => digits_end(raw, at)?,
                Kind::UnreadString => {
                    let string = Scanned::string(raw, at)?;
                    string.is_unicode(raw, at).then_some(string.end)?
                }
                Kind::Text => {
                    let string = Scanned::string(raw, at)?;
                    text = Some(string.text(raw, at)?);
                    string.end
                }
            };
            (at_known, at) = (place.end, end);
        }
        let same = self.raw.get(at_known..)?;
        let text = text.filter(|it| raw.get(at..) == Some(same) && !it.is_empty())?;
        Some((target, text))
    }

    /// Learns from an event that was read in full, if it brought one text and nothing else. `unread`
    /// tells which members of its object the format does not look at.
    pub(crate) fn learn(&mut self, event: &Event, said: &Said, unread: impl Fn(&str) -> bool) {
        let is_plain = said.n_texts == 1 && !said.said_more && self.n_lessons < MAX_LESSONS;
        let (Some(text), true, Some(raw)) = (said.text, is_plain, event.raw_without_bom()) else {
            return;
        };
        self.n_lessons += 1;
        self.target = None;
        self.places.clear();
        let Some(data) = event.data() else { return };
        let Some(json) = Json::of_bytes(&data) else { return };
        // Data of several lines was copied together, and nothing of it lies within the event.
        let within = |address: usize, n_bytes: usize| {
            let start = address.checked_sub(raw.as_ptr().addr())?;
            raw.get(start..start + n_bytes)?;
            Some((start, start + n_bytes))
        };
        let Some((start, end)) = within(text.address, text.n_bytes) else { return };
        self.places.push(Place { start: start + 1, end: end - 1, kind: Kind::Text });
        json.each_raw_member(|name, value| {
            let value = value.text();
            let Some((start, end)) = within(value.as_ptr().addr(), value.len()) else { return };
            let kind = match value.as_bytes() {
                _ if name.contains('\\') || !unread(name) => return,
                [b'"', ..] => Kind::UnreadString,
                digits if digits.iter().all(u8::is_ascii_digit) => Kind::UnreadDigits,
                _ => return,
            };
            let n_quotes = usize::from(kind == Kind::UnreadString);
            let place = Place { start: start + n_quotes, end: end - n_quotes, kind };
            if self.places.len() < MAX_PLACES {
                self.places.push(place);
            }
        });
        self.places.sort_by_key(|it| it.start);
        self.raw.clear();
        self.raw.extend_from_slice(raw);
        self.target = Some(text.to);
    }
}

/// Where bytes go on behind others that have to stand there.
fn behind(raw: &[u8], at: usize, same: &[u8]) -> Option<usize> {
    let end = at + same.len();
    (raw.get(at..end)? == same).then_some(end)
}

/// Where the digits at a place end; none if there are none.
fn digits_end(raw: &[u8], at: usize) -> Option<usize> {
    let n = raw.get(at..)?.iter().take_while(|it| it.is_ascii_digit()).count();
    (n > 0).then_some(at + n)
}

/// A string, from behind its first quote. Most are a word, so one pass looks for everything.
struct Scanned {
    /// Where its last quote stands.
    end: usize,
    has_escape: bool,
    is_ascii: bool,
}

impl Scanned {
    /// None if what stands there must be read in full.
    fn string(raw: &[u8], at: usize) -> Option<Scanned> {
        let mut bytes = raw.get(at..)?.iter().zip(at..);
        let (mut has_escape, mut all) = (false, 0);
        while let Some((byte, here)) = bytes.next() {
            match byte {
                b'"' => return Some(Scanned { end: here, has_escape, is_ascii: all < 0x80 }),
                b'\\' => {
                    has_escape = true;
                    // Whatever is escaped is one byte at least, and ASCII if it is right.
                    let (escaped, _) = bytes.next()?;
                    all |= escaped;
                    if *escaped < b' ' {
                        return None;
                    }
                }
                // A line's end would cut the event's data elsewhere.
                0..b' ' => return None,
                _ => all |= byte,
            }
        }
        None
    }

    fn is_unicode(&self, raw: &[u8], at: usize) -> bool {
        self.is_ascii || raw.get(at..self.end).is_some_and(|it| std::str::from_utf8(it).is_ok())
    }

    fn text<'r>(&self, raw: &'r [u8], at: usize) -> Option<Cow<'r, str>> {
        if self.has_escape {
            return Json::of_bytes(raw.get(at.checked_sub(1)?..=self.end)?)?.string();
        }
        std::str::from_utf8(raw.get(at..self.end)?).ok().map(Cow::Borrowed)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use crate::{AnswerReader, Event, EventKind, EventStream, Format};

    const CHAT: &str = r#"data: {"choices":[{"delta":{"content":"TEXT"},"finish_reason":null,"index":1}],"created":17,"id":"c","model":"m","usage":null,"obfuscation":"MORE"}"#;

    /// What a reader that learns makes of events, and what a fresh reader of each makes of them.
    fn both(format: Format, events: &[String]) -> [(Vec<EventKind>, Texts); 2] {
        let mut learning = AnswerReader::new(format);
        let mut kinds = (Vec::new(), Vec::new());
        let mut texts = Texts::new();
        for raw in events {
            let event = Event::from_raw(raw.clone());
            kinds.0.push(learning.event(&event));
            let mut fresh = AnswerReader::new(format);
            kinds.1.push(fresh.event(&event));
            add(&fresh, &mut texts);
        }
        let mut learned = Texts::new();
        add(&learning, &mut learned);
        [(kinds.0, learned), (kinds.1, texts)]
    }

    /// Texts by the completion and by what they are.
    type Texts = BTreeMap<(u64, u8), String>;

    fn add(reader: &AnswerReader, to: &mut Texts) {
        for it in &reader.answer().completions {
            for (of, text) in (0..).zip([&it.text, &it.reasoning, &it.tools]) {
                to.entry((it.index, of)).or_default().push_str(text);
            }
        }
    }

    fn all(of: &Texts) -> String {
        of.values().map(String::as_str).collect()
    }

    fn chat(text: &str, more: &str) -> String {
        format!("{}\n\n", CHAT.replace("TEXT", text).replace("MORE", more))
    }

    #[test]
    fn events_say_the_same_whether_they_are_read_in_full_or_not() {
        let events = [
            chat("Hel", "x"),
            chat("lo", "long and longer"),
            chat("", "x"),
            chat(r#" \"\u00e9\\"#, r#"\""#),
            chat("é😀", ""),
            chat("a\nb", ""),
            chat(r"\x", ""),
            chat("c", "").replace("17", "1234567"),
            chat("c", "").replace("17", "1.5"),
            chat("c", "").replace("17", "null"),
            chat("d", "").replace("null,\"index\"", "\"stop\",\"index\""),
            chat("e", "").replace("\"usage\":null", "\"usage\":{\"total_tokens\":3}"),
            chat("f", "").replace("}\n\n", ",\"error\":{\"code\":\"x\"}}\n\n"),
            chat("g", "").replace("obfuscation", "choices"),
            chat("h", "\",\"choices\":\"["),
            chat("i", "").replace("\n\n", "\r\n\r\n"),
            chat("j", "").replace("data: ", "data:"),
            "data: [DONE]\n\n".to_owned(),
        ];
        let [learned, fresh] = both(Format::ChatCompletions, &events);
        assert_eq!(learned, fresh);
        assert!(all(&learned.1).starts_with("Hello \"é\\é😀"), "{learned:?}");
    }

    #[test]
    fn an_event_that_is_no_unicode_says_nothing() {
        let mut reader = AnswerReader::new(Format::ChatCompletions);
        assert_eq!(reader.event(&Event::from_raw(chat("a", "b"))), EventKind::Text);
        for (text, more) in [("?", "b"), ("a", "?")] {
            let raw: Vec<u8> =
                chat(text, more).bytes().map(|it| if it == b'?' { 0xff } else { it }).collect();
            assert_eq!(reader.event(&Event::from_raw(raw)), EventKind::Other);
        }
        assert_eq!(reader.answer().text(), "a");
    }

    #[test]
    fn other_formats_repeat_themselves_too() {
        let responses = |n: u32, text: &str| {
            format!(
                "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\
                 \"sequence_number\":{n},\"delta\":\"{text}\",\"obfuscation\":\"{n}\"}}\n\n"
            )
        };
        let messages = |kind: &str, text: &str| {
            format!(
                "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
                 \"delta\":{{\"type\":\"{kind}_delta\",\"{kind}\":\"{text}\"}}}}\n\n"
            )
        };
        let formats = [
            (Format::Responses, [responses(1, "a"), responses(20, "b"), responses(301, "c")]),
            (
                Format::Messages,
                [messages("text", "a"), messages("text", "b"), messages("thinking", "c")],
            ),
        ];
        for (format, events) in formats {
            let [learned, fresh] = both(format, &events);
            assert_eq!(learned, fresh);
            assert_eq!(all(&learned.1), "abc");
        }
    }

    #[test]
    fn data_of_several_lines_and_a_stream_that_never_repeats_itself_are_read_in_full() {
        let lines = "data: {\"choices\":\ndata: [{\"delta\":{\"content\":\"a\"}}]}\n\n".to_owned();
        let mut events = vec![lines.clone(), lines];
        events.extend((0..100).map(|it| chat("b", "").replace("\"m\"", &format!("\"m{it}\""))));
        let [learned, fresh] = both(Format::ChatCompletions, &events);
        assert_eq!(learned, fresh);
    }

    proptest::proptest! {
        /// Whatever two events are like, the second says what it says by itself.
        #[test]
        fn any_second_event_is_read_as_by_itself(
            texts in proptest::collection::vec("[a\"\\\\{}:,\n é]{0,6}", 4),
            at in 0..160_usize,
            with in "[\"\\\\{},:a0\n]{0,3}",
        ) {
            let mut events: Vec<String> =
                texts.chunks(2).map(|it| chat(&it[0], &it[1])).collect();
            let mut changed = chat("a", "b");
            let at = at.min(changed.len() - 2);
            changed.replace_range(at..=at, &with);
            events.insert(0, chat("a", "b"));
            events.push(changed);
            // The stream cuts events anew: a line may have ended one.
            let mut stream = EventStream::default();
            let mut cut = Vec::new();
            for event in events {
                stream.push(event.into());
                while let Some(Ok(event)) = stream.next() {
                    cut.push(String::from_utf8(event.raw().to_vec()).unwrap());
                }
            }
            let [learned, fresh] = both(Format::ChatCompletions, &cut);
            proptest::prop_assert_eq!(learned, fresh);
        }
    }
}
