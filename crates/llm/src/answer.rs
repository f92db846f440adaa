//! What a model answered: whole, or as far as its stream has come.

use std::fmt;

use bytes::Bytes;

use crate::binary_stream::BinaryMessage;
use crate::event_stream::Event;
use crate::format::Format;
use crate::json::Json;
use crate::repeated::{Repeated, Said, SaidText, Target};
use crate::usage::{Told, Usage};

/// Most text of an answer that is kept; the rest is only measured.
pub const MAX_ANSWER_TEXT_BYTES: usize = 4 << 20;
/// Most completions of one answer that are told apart.
const MAX_COMPLETIONS: u64 = 128;

/// What a model answered. `Debug` shows no content.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Answer {
    /// Tokens that the model says it used; none if it does not say.
    pub usage: Option<Usage>,
    /// Its completions, by their index; embeddings have none.
    pub completions: Vec<Completion>,
    /// The model that answered, by its own word.
    pub model: Option<String>,
    /// The id of the answer, by which its vendor knows the request.
    pub id: Option<String>,
    /// The code of an error that came in place of the answer or in the midst of a stream; empty if
    /// the error has none.
    pub error: Option<String>,
    /// Bytes of text beyond what is kept.
    pub n_bytes_left_out: u64,
}

/// One completion. `Debug` shows no content.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Which of several.
    pub index: u64,
    /// What the client reads, a refusal included.
    pub text: String,
    /// Reasoning that the answer shows.
    pub reasoning: String,
    /// Names and arguments of tools that the model calls, one after the other.
    pub tools: String,
    /// Why it ended, in the words of the API: `stop`, `length`, `end_turn`, `STOP`, ...
    pub finish_reason: Option<String>,
}

/// What an event of a stream is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// It brings text, reasoning or a call of a tool.
    Text,
    /// It tells the usage and nothing else: the one that `stream_options.include_usage` adds.
    Usage,
    /// The stream ends with it.
    End,
    /// An error.
    Error,
    /// Anything else, such as the first event or a sign of life.
    Other,
}

/// Reads the answer out of a stream, event by event, or whole.
///
/// # Examples
///
/// ```
/// use portcullis_llm::{AnswerReader, Event, EventKind, Format};
///
/// let mut reader = AnswerReader::new(Format::ChatCompletions);
/// let event = Event::with_data(None, r#"{"choices":[{"delta":{"content":"Hi"}}]}"#);
/// assert_eq!(reader.event(&event), EventKind::Text);
/// assert_eq!(reader.answer().text(), "Hi");
/// ```
#[derive(Clone)]
pub struct AnswerReader {
    format: Format,
    max_text_bytes: usize,
    answer: Answer,
    told: Told,
    n_text_bytes: usize,
    said: Said,
    repeated: Repeated,
}

/// Which text of a completion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stretch {
    Text,
    Reasoning,
    Tools,
}

impl Answer {
    /// Reads a whole answer.
    #[must_use]
    pub fn read(format: Format, body: &[u8]) -> Answer {
        let mut reader = AnswerReader::new(format);
        reader.whole(body);
        reader.into_answer()
    }

    /// The text of its completions, joined by line feeds if there are several.
    #[must_use]
    pub fn text(&self) -> String {
        let texts: Vec<&str> = self.completions.iter().map(|it| it.text.as_str()).collect();
        texts.join("\n")
    }
}

impl AnswerReader {
    /// Of an answer of which nothing has come yet; keeps [`MAX_ANSWER_TEXT_BYTES`] of text.
    #[must_use]
    pub fn new(format: Format) -> AnswerReader {
        AnswerReader::keeping(format, MAX_ANSWER_TEXT_BYTES)
    }

    /// The same, keeping another amount of text; with 0 it only measures.
    #[must_use]
    pub fn keeping(format: Format, max_text_bytes: usize) -> AnswerReader {
        AnswerReader {
            format,
            max_text_bytes,
            answer: Answer::default(),
            told: Told::default(),
            n_text_bytes: 0,
            said: Said::default(),
            repeated: Repeated::default(),
        }
    }

    /// Reads a whole answer. Gemini's streams may come as one JSON array of answers.
    pub fn whole(&mut self, body: &[u8]) {
        let Some(json) = Json::of_bytes(body) else { return };
        let format = self.format;
        let mut sink = Sink(self);
        if json.is_array() {
            json.each(|it| format.read_answer(it, &mut sink));
        } else {
            format.read_answer(json, &mut sink);
        }
    }

    /// Reads an event.
    pub fn event(&mut self, event: &Event) -> EventKind {
        if let Some((to, text)) = self.repeated.text(event) {
            Sink(self).add(to.index, to.stretch, &text);
            return EventKind::Text;
        }
        self.said = Said::default();
        let kind = self.read(event);
        if kind == EventKind::Text {
            let read = self.format.read_in_events();
            self.repeated
                .learn(event, &self.said, |name| !read.is_none_or(|it| it.contains(&name)));
        }
        kind
    }

    fn read(&mut self, event: &Event) -> EventKind {
        let Some(data) = event.data() else { return EventKind::Other };
        let is_named = matches!(self.format, Format::Responses | Format::Messages);
        let event_type = if is_named { event.event_type() } else { None };
        self.data(event_type, &data)
    }

    /// Reads a message of a binary stream (Bedrock).
    pub fn message(&mut self, message: &BinaryMessage) -> EventKind {
        self.data(message.event_type(), message.payload())
    }

    fn data(&mut self, event_type: Option<&str>, data: &Bytes) -> EventKind {
        let Some(json) = Json::of_bytes(data) else { return EventKind::Other };
        if json.text() == "[DONE]" {
            return EventKind::End;
        }
        let format = self.format;
        format.read_event(event_type, json, &mut Sink(self))
    }

    /// The answer so far.
    #[must_use]
    pub fn answer(&self) -> &Answer {
        &self.answer
    }

    /// The answer.
    #[must_use]
    pub fn into_answer(self) -> Answer {
        self.answer
    }

    /// Bytes of text so far, kept or not.
    #[must_use]
    pub fn n_text_bytes(&self) -> usize {
        self.n_text_bytes
    }
}

/// Where formats put what they find.
pub(crate) struct Sink<'r>(&'r mut AnswerReader);

impl Sink<'_> {
    /// Id and model: the first that are told and not empty.
    pub(crate) fn identity(&mut self, id: Option<Json<'_>>, model: Option<Json<'_>>) {
        let answer = &mut self.0.answer;
        let text = |it: Option<Json<'_>>| {
            it.and_then(Json::string).filter(|it| !it.is_empty()).map(String::from)
        };
        if answer.id.is_none() {
            answer.id = text(id);
        }
        if answer.model.is_none() {
            answer.model = text(model);
        }
    }

    pub(crate) fn usage(&mut self, usage: Json<'_>) {
        self.0.said.said_more = true;
        self.0.told.add(usage);
        self.0.answer.usage = self.0.told.usage();
    }

    pub(crate) fn error(&mut self, error: Json<'_>) {
        self.0.said.said_more = true;
        let [code, kind, status] = error.pick(["code", "type", "status"]);
        let code = code.or(kind).or(status);
        let code = code.map(|it| it.string().unwrap_or_else(|| it.text().into()).into_owned());
        self.0.answer.error = Some(code.unwrap_or_default());
    }

    pub(crate) fn finish(&mut self, index: u64, reason: Option<Json<'_>>) {
        self.0.said.said_more |= reason.is_some();
        if let Some(reason) = reason.and_then(Json::string)
            && let Some(completion) = self.completion(index)
        {
            completion.finish_reason = Some(reason.into_owned());
        }
    }

    /// Adds text; gives whether there was any.
    pub(crate) fn text(&mut self, index: u64, stretch: Stretch, text: Option<Json<'_>>) -> bool {
        let Some(json) = text else { return false };
        let Some(text) = json.string().filter(|it| !it.is_empty()) else { return false };
        self.add(index, stretch, &text);
        let (address, n_bytes) = (json.text().as_ptr().addr(), json.text().len());
        self.0.said.n_texts = self.0.said.n_texts.saturating_add(1);
        self.0.said.text = Some(SaidText { address, n_bytes, to: Target { index, stretch } });
        true
    }

    /// Adds arguments of a tool that are JSON themselves.
    pub(crate) fn json_text(&mut self, index: u64, json: Json<'_>) {
        self.0.said.said_more = true;
        self.add(index, Stretch::Tools, json.text());
    }

    /// Of an answer of which only a usage object is known, under whatever name.
    pub(crate) fn of_unknown(&mut self, body: Json<'_>) {
        let [id, model, usage, metadata, response] =
            body.pick(["id", "model", "usage", "usageMetadata", "response"]);
        self.identity(id, model);
        let nested = response.and_then(|it| it.get("usage"));
        if let Some(usage) = usage.or(metadata).or(nested) {
            self.usage(usage);
        }
    }

    fn add(&mut self, index: u64, stretch: Stretch, text: &str) {
        let room = self.0.max_text_bytes.saturating_sub(self.0.n_text_bytes);
        self.0.n_text_bytes = self.0.n_text_bytes.saturating_add(text.len());
        if text.len() > room {
            self.0.answer.n_bytes_left_out += text.len() as u64;
            return;
        }
        let Some(completion) = self.completion(index) else { return };
        match stretch {
            Stretch::Text => completion.text.push_str(text),
            Stretch::Reasoning => completion.reasoning.push_str(text),
            Stretch::Tools => completion.tools.push_str(text),
        }
    }

    fn completion(&mut self, index: u64) -> Option<&mut Completion> {
        let completions = &mut self.0.answer.completions;
        let index = index.min(MAX_COMPLETIONS);
        let at = match completions.binary_search_by_key(&index, |it| it.index) {
            Ok(at) => at,
            Err(at) => {
                completions.insert(at, Completion { index, ..Completion::default() });
                at
            }
        };
        completions.get_mut(at)
    }
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answer")
            .field("usage", &self.usage)
            .field("completions", &self.completions)
            .field("model", &self.model)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Completion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Completion({}: {} bytes)", self.index, self.text.len())
    }
}

impl fmt::Debug for AnswerReader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerReader")
            .field("format", &self.format)
            .field("answer", &self.answer)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(data: &str) -> Event {
        Event::with_data(None, data)
    }

    #[test]
    fn text_beyond_the_bound_is_measured_and_not_kept() {
        let mut reader = AnswerReader::keeping(Format::ChatCompletions, 5);
        for text in ["abc", "def", "gh"] {
            reader.event(&event(&format!(r#"{{"choices":[{{"delta":{{"content":"{text}"}}}}]}}"#)));
        }
        assert_eq!((reader.answer().text().as_str(), reader.n_text_bytes()), ("abc", 8));
        assert_eq!(reader.answer().n_bytes_left_out, 5);
    }

    #[test]
    fn only_the_event_that_was_added_counts_as_usage() {
        let kind = |data| AnswerReader::new(Format::ChatCompletions).event(&event(data));
        for (data, expected) in [
            (r#"{"choices":[],"usage":{"total_tokens":3}}"#, EventKind::Usage),
            (r#"{"choices":[],"usage":null}"#, EventKind::Other),
            (r#"{"choices":[],"prompt_filter_results":[]}"#, EventKind::Other),
            (r#"{"choices":[{"delta":{}}],"usage":{"total_tokens":3}}"#, EventKind::Other),
            (r#"{"choices":[{"delta":{"content":""}}]}"#, EventKind::Other),
            (r#"{"usage":{"total_tokens":3}}"#, EventKind::Other),
            (r#"{"error":{"code":"x"}}"#, EventKind::Error),
            ("[DONE]", EventKind::End),
            ("oops", EventKind::Other),
        ] {
            assert_eq!(kind(data), expected, "{data}");
        }
    }

    #[test]
    fn several_completions_are_kept_apart_and_bounded() {
        let mut reader = AnswerReader::new(Format::ChatCompletions);
        for index in [1, 0, 1, 99_999, 88_888] {
            reader.event(&event(&format!(
                r#"{{"choices":[{{"index":{index},"delta":{{"content":"{index} "}}}}]}}"#
            )));
        }
        let seen: Vec<(u64, &str)> =
            reader.answer().completions.iter().map(|it| (it.index, &*it.text)).collect();
        assert_eq!(seen, [(0, "0 "), (1, "1 1 "), (128, "99999 88888 ")]);
    }

    #[test]
    fn debug_shows_no_content() {
        let body = br#"{"choices":[{"message":{"content":"hunter2"}}]}"#;
        let answer = Answer::read(Format::ChatCompletions, body);
        assert_eq!(answer.text(), "hunter2");
        assert!(!format!("{answer:?}").contains("hunter2"));
    }
}
