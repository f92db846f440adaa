//! Which text is checked.
//!
//! Of a request: what users and tools say, in all messages; what the system or the model says is
//! not the caller's. A body of another kind is checked as it is, if it is text.

use llm::{AnswerReader, Event, Format, Message, ModelRequest, Part};

use super::rules::MAX_CHARS;

/// Most windows of one response.
const MAX_WINDOWS: usize = 1000;

/// Most documents in one call of the prompt shield.
const MAX_DOCUMENTS: usize = 5;

/// What a request says.
#[derive(Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// All of it.
    pub(super) text: String,
    /// The last message of the user.
    pub(super) prompt: String,
    /// What tools answered.
    pub(super) documents: Vec<String>,
}

impl Asked {
    pub(super) fn read(path: &str, has_anthropic_version: bool, body: &[u8]) -> Asked {
        let request = ModelRequest::read(path, has_anthropic_version, body);
        let said: Vec<&Message<'_>> = request.messages.iter().filter(|it| is_callers(it)).collect();
        if request.messages.is_empty() {
            let text = std::str::from_utf8(body).unwrap_or_default().to_owned();
            return Asked { prompt: text.clone(), text, documents: Vec::new() };
        }
        let mut asked = Asked::default();
        for message in said {
            let text = message.text();
            if !text.is_empty() {
                if !asked.text.is_empty() {
                    asked.text.push('\n');
                }
                asked.text.push_str(&text);
            }
            let own: Vec<&str> = message.parts.iter().filter_map(text_of).collect();
            if message.role == "tool" || message.role == "function" {
                asked.documents.push(text.into_owned());
                continue;
            }
            asked.documents.extend(message.parts.iter().filter_map(result_of).map(str::to_owned));
            if !own.is_empty() {
                asked.prompt = own.join("\n");
            }
        }
        asked.documents.retain(|it| !it.is_empty());
        if asked.documents.len() > MAX_DOCUMENTS {
            let rest = asked.documents.split_off(MAX_DOCUMENTS - 1).join("\n");
            asked.documents.push(rest);
        }
        asked
    }

    /// Whether the service does not take so much.
    pub(super) fn is_too_long(&self) -> bool {
        self.text.len() > MAX_CHARS && self.text.chars().count() > MAX_CHARS
    }
}

/// Whether the caller, or a tool of the caller, says it.
fn is_callers(message: &Message<'_>) -> bool {
    let is_models = matches!(&*message.role, "assistant" | "model");
    // Anthropic and Bedrock put the answers of tools into messages of the user; nobody else may put
    // them into those of the model.
    !message.is_system() && (!is_models || message.parts.iter().any(|it| result_of(it).is_some()))
}

fn text_of<'m>(part: &'m Part<'_>) -> Option<&'m str> {
    match part {
        Part::Text(text) => Some(text),
        _ => None,
    }
}

fn result_of<'m>(part: &'m Part<'_>) -> Option<&'m str> {
    match part {
        Part::ToolResult(text) => Some(text),
        _ => None,
    }
}

/// The text of a whole answer: completions, reasoning, arguments of tools. A body of another kind is
/// taken as it is.
pub(super) fn answered(format: Format, body: &[u8]) -> String {
    let mut reader = AnswerReader::new(format);
    reader.whole(body);
    let text = spoken(&reader);
    let is_known = format != Format::Unknown && reader.answer().n_bytes_left_out == 0;
    match is_known && (!text.is_empty() || format == Format::Embeddings) {
        true => text,
        false => std::str::from_utf8(body).unwrap_or_default().to_owned(),
    }
}

/// The text that an event brings.
pub(super) fn told(format: Format, event: &Event) -> String {
    let mut reader = AnswerReader::new(format);
    reader.event(event);
    if format != Format::Unknown {
        return spoken(&reader);
    }
    let data = event.data().unwrap_or_default();
    match &data[..] {
        b"[DONE]" => String::new(),
        data => String::from_utf8_lossy(data).into_owned(),
    }
}

fn spoken(reader: &AnswerReader) -> String {
    let mut text = String::new();
    for it in &reader.answer().completions {
        for part in [&it.text, &it.reasoning, &it.tools] {
            text.push_str(part);
        }
    }
    text
}

/// The windows of a text: `size` characters each, `overlap` of them again in the next one. None if
/// there are too many.
pub(super) fn windows(text: &str, size: usize, overlap: usize) -> Option<Vec<&str>> {
    let places: Vec<usize> = text.char_indices().map(|(at, _)| at).chain([text.len()]).collect();
    let n_chars = places.len() - 1;
    let step = size.saturating_sub(overlap).max(1);
    let mut windows = Vec::new();
    let mut from = 0;
    while from < n_chars {
        if windows.len() == MAX_WINDOWS {
            return None;
        }
        let to = (from + size).min(n_chars);
        windows.push(text.get(*places.get(from)?..*places.get(to)?)?);
        if to == n_chars {
            break;
        }
        from += step;
    }
    Some(windows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chat(messages: &str) -> Asked {
        let body = format!(r#"{{"messages":{messages}}}"#);
        Asked::read("/openai/v1/chat/completions", false, body.as_bytes())
    }

    #[test]
    fn users_and_tools_are_heard_and_nobody_else() {
        let asked = chat(
            r#"[{"role":"system","content":"S"},{"role":"user","content":"U1"},
            {"role":"assistant","content":"A"},{"role":"tool","content":"T"},
            {"role":"user","content":[{"type":"text","text":"U2"},{"type":"image_url"}]}]"#,
        );
        assert_eq!(asked.text, "U1\nT\nU2");
        assert_eq!((asked.prompt.as_str(), asked.documents), ("U2", vec!["T".to_owned()]));
    }

    #[test]
    fn an_unknown_role_is_the_callers() {
        assert_eq!(chat(r#"[{"role":"stranger","content":"X"}]"#).text, "X");
    }

    #[test]
    fn what_is_no_conversation_is_checked_as_it_is() {
        let asked = Asked::read("/ask", false, b"hello");
        assert_eq!((asked.text.as_str(), asked.prompt.as_str()), ("hello", "hello"));
        assert_eq!(Asked::read("/v1/chat/completions", false, b"{oops").text, "{oops");
        assert_eq!(Asked::read("/audio", false, &[0xff, 0xfe]).text, "");
    }

    #[test]
    fn there_are_at_most_five_documents() {
        let tool = r#"{"role":"tool","content":"T"}"#;
        let asked = chat(&format!("[{}]", [tool; 7].join(",")));
        assert_eq!(asked.documents, ["T", "T", "T", "T", "T\nT\nT"]);
    }

    #[test]
    fn the_length_is_counted_in_characters() {
        let of = |n: usize| Asked { text: "é".repeat(n), ..Asked::default() };
        assert!(!of(10_000).is_too_long() && of(10_001).is_too_long());
    }

    #[test]
    fn windows_overlap_and_end_with_the_text() {
        let shown = |text, size, overlap| windows(text, size, overlap).unwrap().join("|");
        assert_eq!(shown("abcdefg", 3, 0), "abc|def|g");
        assert_eq!(shown("abcdefg", 3, 1), "abc|cde|efg");
        assert_eq!(shown("äöüß", 2, 0), "äö|üß");
        assert_eq!(shown("", 3, 0), "");
        assert!(windows(&"x".repeat(1001), 1, 0).is_none());
    }

    #[test]
    fn answers_are_heard_whole_and_event_by_event() {
        let whole = br#"{"choices":[{"index":0,"message":{"content":"Hi","tool_calls":[
            {"function":{"name":"f","arguments":"{}"}}]}}]}"#;
        assert_eq!(answered(Format::ChatCompletions, whole), "Hif{}");
        assert_eq!(answered(Format::Unknown, b"plain"), "plain");
        assert_eq!(answered(Format::ChatCompletions, b"plain"), "plain");
        assert_eq!(answered(Format::Embeddings, br#"{"data":[{"embedding":[1]}]}"#), "");
        let event = Event::with_data(None, r#"{"choices":[{"delta":{"content":"Hi"}}]}"#);
        assert_eq!(told(Format::ChatCompletions, &event), "Hi");
        let done = Event::with_data(None, "[DONE]");
        assert_eq!(told(Format::Unknown, &done), "");
    }
}
