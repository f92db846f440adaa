//! Counting tokens as the models do, with their own vocabularies.
//!
//! A vocabulary is part of the program; loading it takes some 100 ms and 24 MiB, once. Load it
//! before the first request ([`Tokenizer::load`], on a thread that may wait); counting loads it if
//! that was not done. A text is counted in slices, so that a text without spaces costs no more than
//! its length, and beyond [`MAX_COUNTED_BYTES`] it is estimated.
//!
//! What a chat costs beside its text is what OpenAI tells: three tokens a message, three for the
//! beginning of the answer; what tools and pictures cost is not told.
//!
//! Source: <https://github.com/openai/openai-cookbook/blob/main/examples/How_to_count_tokens_with_tiktoken.ipynb>

use std::sync::atomic::{AtomicBool, Ordering};

use crate::answer::Answer;
use crate::format::Format;
use crate::json::Json;
use crate::request::{ModelRequest, Part};

/// What a picture counts as most.
pub const TOKENS_PER_IMAGE: u64 = 1200;
/// More of one text is not counted but estimated.
pub const MAX_COUNTED_BYTES: usize = 1 << 20;
/// Tokens of a message beside its texts.
const TOKENS_PER_MESSAGE: u64 = 3;
/// Tokens that begin the answer.
const TOKENS_PER_REPLY: u64 = 3;
/// Letters to a token where the vocabulary is not known.
const LETTERS_PER_TOKEN: u64 = 4;
/// The time of a stretch without spaces grows faster than its length.
const SLICE_BYTES: usize = 8 << 10;

/// A vocabulary that models share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Vocabulary {
    /// `o200k_base`: gpt-4o and later, o1 and later.
    O200kBase,
    /// `cl100k_base`: gpt-4, gpt-3.5, the embeddings models.
    Cl100kBase,
}

/// Beginnings of models' names, the longer before the shorter.
const MODELS: &[(&str, Vocabulary)] = &[
    ("gpt-3.5", Vocabulary::Cl100kBase),
    ("gpt-35", Vocabulary::Cl100kBase),
    ("gpt-4o", Vocabulary::O200kBase),
    ("gpt-4.1", Vocabulary::O200kBase),
    ("gpt-4.5", Vocabulary::O200kBase),
    ("gpt-4", Vocabulary::Cl100kBase),
    ("gpt-5", Vocabulary::O200kBase),
    ("gpt-oss", Vocabulary::O200kBase),
    ("chatgpt-4o", Vocabulary::O200kBase),
    ("codex-mini", Vocabulary::O200kBase),
    ("computer-use-preview", Vocabulary::O200kBase),
    ("model-router", Vocabulary::O200kBase),
    ("o1", Vocabulary::O200kBase),
    ("o3", Vocabulary::O200kBase),
    ("o4", Vocabulary::O200kBase),
    ("text-embedding-3", Vocabulary::Cl100kBase),
    ("text-embedding-ada-002", Vocabulary::Cl100kBase),
];

impl Vocabulary {
    /// The vocabulary of a model; none if the model is not known. The name may be that of a
    /// fine-tuned model (`ft:gpt-4o:...`) or stand behind a vendor (`openai/gpt-4o`).
    #[must_use]
    pub fn of_model(name: &str) -> Option<Vocabulary> {
        let name = name.strip_prefix("ft:").unwrap_or(name);
        let name = name.rsplit('/').next().unwrap_or(name).to_ascii_lowercase();
        let is_model = |prefix: &str| {
            let after = name.strip_prefix(prefix).map(|it| it.bytes().next());
            // `o1` is a model, `o1000` is none.
            after.is_some_and(|it| it.is_none_or(|it| !it.is_ascii_digit()) || prefix.len() > 2)
        };
        MODELS.iter().find(|(prefix, _)| is_model(prefix)).map(|(_, it)| *it)
    }

    fn name(self) -> &'static str {
        match self {
            Vocabulary::O200kBase => "o200k_base",
            Vocabulary::Cl100kBase => "cl100k_base",
        }
    }

    fn loaded(self) -> &'static AtomicBool {
        static O200K: AtomicBool = AtomicBool::new(false);
        static CL100K: AtomicBool = AtomicBool::new(false);
        match self {
            Vocabulary::O200kBase => &O200K,
            Vocabulary::Cl100kBase => &CL100K,
        }
    }

    fn count(self, text: &str) -> u64 {
        let Some(encoding) = tiktoken::get_encoding(self.name()) else { return estimate(text) };
        self.loaded().store(true, Ordering::Release);
        slices(text).map(|it| encoding.count(it) as u64).sum()
    }
}

/// Counts tokens: with a vocabulary, or else four letters to a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokenizer(Option<Vocabulary>);

impl Tokenizer {
    /// That of the first model that is known: what the path names, the body, the answer. Without
    /// one, four letters are a token.
    pub fn of_models<'n>(names: impl IntoIterator<Item = &'n str>) -> Tokenizer {
        Tokenizer(names.into_iter().find_map(Vocabulary::of_model))
    }

    /// The vocabulary; none if tokens are estimated.
    #[must_use]
    pub fn vocabulary(self) -> Option<Vocabulary> {
        self.0
    }

    /// Whether counting can begin at once.
    #[must_use]
    pub fn is_loaded(self) -> bool {
        self.0.is_none_or(|it| it.loaded().load(Ordering::Acquire))
    }

    /// Loads the vocabulary, which takes some 100 ms the first time.
    pub fn load(self) {
        if let Some(vocabulary) = self.0 {
            vocabulary.count("");
        }
    }

    /// Tokens of a text.
    ///
    /// # Examples
    ///
    /// ```
    /// use portcullis_llm::Tokenizer;
    ///
    /// assert_eq!(Tokenizer::of_models(["my-own", "gpt-4o"]).count("hello world"), 2);
    /// assert_eq!(Tokenizer::default().count("hello world"), 3);
    /// ```
    #[must_use]
    pub fn count(self, text: &str) -> u64 {
        let Some(vocabulary) = self.0 else { return estimate(text) };
        let (counted, rest) = text.split_at(text.floor_char_boundary(MAX_COUNTED_BYTES));
        vocabulary.count(counted) + estimate(rest)
    }
}

/// Tokens of a prompt: its texts, its tools as their JSON, [`TOKENS_PER_IMAGE`] for a picture, and
/// in a chat what comes with each message. A request of unknown format has none.
#[must_use]
pub fn count_prompt(request: &ModelRequest<'_>, tokenizer: Tokenizer) -> u64 {
    let is_chat =
        !matches!(request.format, Format::Completions | Format::Embeddings | Format::Unknown);
    let texts = request.parts().map(|it| match it {
        Part::Text(text) | Part::ToolResult(text) => tokenizer.count(text),
        Part::ToolCall { name, arguments } => tokenizer.count(name) + tokenizer.count(arguments),
        Part::Image => TOKENS_PER_IMAGE,
        Part::Tokens(n) => *n,
        Part::Audio | Part::File | Part::Other => 0,
    });
    let mut sum: u64 = texts.sum();
    sum += request.tools.map(Json::text).map_or(0, |it| tokenizer.count(it));
    if is_chat && !request.messages.is_empty() {
        let of_message = |it: &crate::request::Message<'_>| {
            let name = it.name.as_deref().map_or(0, |it| tokenizer.count(it) + 1);
            TOKENS_PER_MESSAGE + tokenizer.count(&it.role) + name
        };
        sum += request.messages.iter().map(of_message).sum::<u64>() + TOKENS_PER_REPLY;
    }
    sum
}

/// Tokens of an answer as far as its text shows them: for answers that do not tell their usage.
#[must_use]
pub fn count_completion(answer: &Answer, tokenizer: Tokenizer) -> u64 {
    let of = |text: &String| tokenizer.count(text);
    let shown =
        answer.completions.iter().map(|it| of(&it.text) + of(&it.reasoning) + of(&it.tools));
    shown.sum::<u64>() + answer.n_bytes_left_out.div_ceil(LETTERS_PER_TOKEN)
}

fn estimate(text: &str) -> u64 {
    (text.chars().count() as u64).div_ceil(LETTERS_PER_TOKEN)
}

/// A text in slices. Where there are spaces they end before one, at which a token begins as well.
fn slices(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = rest.floor_char_boundary(SLICE_BYTES);
        if end < rest.len() {
            let is_inside = |at: &usize| *at > 0;
            let slice = rest.get(..end).unwrap_or_default();
            end = slice.rfind(" ").filter(is_inside).unwrap_or(end);
        }
        let (slice, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(slice)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const O200K: Tokenizer = Tokenizer(Some(Vocabulary::O200kBase));
    const CL100K: Tokenizer = Tokenizer(Some(Vocabulary::Cl100kBase));

    #[test]
    fn models_have_their_vocabulary() {
        for (name, expected) in [
            ("gpt-4o", Some(Vocabulary::O200kBase)),
            ("gpt-4o-mini-2024-07-18", Some(Vocabulary::O200kBase)),
            ("GPT-4.1-nano", Some(Vocabulary::O200kBase)),
            ("gpt-5-chat", Some(Vocabulary::O200kBase)),
            ("ft:gpt-4o-mini:org::id", Some(Vocabulary::O200kBase)),
            ("openai/gpt-oss-120b", Some(Vocabulary::O200kBase)),
            ("o1", Some(Vocabulary::O200kBase)),
            ("o4-mini", Some(Vocabulary::O200kBase)),
            ("gpt-4", Some(Vocabulary::Cl100kBase)),
            ("gpt-4-32k", Some(Vocabulary::Cl100kBase)),
            ("gpt-35-turbo-16k", Some(Vocabulary::Cl100kBase)),
            ("text-embedding-3-large", Some(Vocabulary::Cl100kBase)),
            ("o1000", None),
            ("my-deployment", None),
            ("claude-sonnet-4", None),
            ("", None),
        ] {
            assert_eq!(Vocabulary::of_model(name), expected, "{name}");
        }
        let first = Tokenizer::of_models(["mine", "gpt-4", "gpt-4o"]);
        assert_eq!(first, CL100K);
        assert!(Tokenizer::of_models(["mine"]).is_loaded());
    }

    /// Counts of the vendor's own tokenizer.
    #[test]
    fn counts_are_those_of_the_models() {
        for (text, o200k, cl100k) in [
            ("", 0, 0),
            ("hello world", 2, 2),
            ("tiktoken is great!", 6, 6),
            ("antidisestablishmentarianism", 6, 6),
            ("2 + 2 = 4", 7, 7),
            ("お誕生日おめでとう", 8, 9),
        ] {
            assert_eq!((O200K.count(text), CL100K.count(text)), (o200k, cl100k), "{text}");
        }
        assert!(O200K.is_loaded() && CL100K.is_loaded());
    }

    #[test]
    fn without_a_vocabulary_four_letters_are_a_token() {
        let it = Tokenizer::default();
        for (text, expected) in [("", 0), ("a", 1), ("abcd", 1), ("abcde", 2), ("ééééé", 2)] {
            assert_eq!(it.count(text), expected, "{text}");
        }
    }

    #[test]
    fn slices_change_the_count_little_and_lose_nothing() {
        let words = "the quick brown fox, jumps over\nthe lazy dog 1234 ".repeat(2000);
        assert_eq!(slices(&words).collect::<String>(), words);
        let whole = tiktoken::get_encoding("o200k_base").unwrap().count(&words) as u64;
        let n_slices = slices(&words).count() as u64;
        assert!(O200K.count(&words).abs_diff(whole) <= n_slices);
        let solid = "é".repeat(SLICE_BYTES * 3);
        assert_eq!(slices(&solid).collect::<String>(), solid);
        assert!(slices(&solid).all(|it| it.len() <= SLICE_BYTES));
    }

    #[test]
    fn what_is_beyond_the_bound_is_estimated() {
        let long = "word ".repeat(MAX_COUNTED_BYTES / 5 + 4);
        let (counted, rest) = long.split_at(MAX_COUNTED_BYTES);
        assert_eq!(O200K.count(&long), O200K.count(counted) + estimate(rest));
    }

    fn prompt(path: &str, body: &str) -> u64 {
        count_prompt(&ModelRequest::read(path, false, body.as_bytes()), O200K)
    }

    #[test]
    fn a_chat_counts_what_comes_with_its_messages() {
        let hello = r#"{"messages":[{"role":"user","content":"hello"}]}"#;
        assert_eq!(prompt("/chat/completions", hello), 3 + 1 + 1 + 3, "as the service counts it");
        let named = r#"{"messages":[{"role":"user","name":"Bob","content":"hello"}]}"#;
        assert_eq!(prompt("/chat/completions", named), 10);
        let image = r#"{"messages":[{"role":"user","content":[{"type":"image_url"}]}]}"#;
        assert_eq!(prompt("/chat/completions", image), 7 + TOKENS_PER_IMAGE);
        let tools = r#"[{"type":"function","function":{"name":"f"}}]"#;
        let with_tools =
            format!(r#"{{"messages":[{{"role":"user","content":"hello"}}],"tools":{tools}}}"#);
        assert_eq!(prompt("/chat/completions", &with_tools), 8 + O200K.count(tools));
        assert_eq!(prompt("/chat/completions", "{}"), 0);
    }

    #[test]
    fn a_text_counts_by_itself() {
        assert_eq!(prompt("/completions", r#"{"prompt":"hello world"}"#), 2);
        assert_eq!(prompt("/embeddings", r#"{"input":["hello","world"]}"#), 2);
        assert_eq!(prompt("/embeddings", r#"{"input":[[1,2],[3]]}"#), 3);
        assert_eq!(prompt("/speech", r#"{"text":"hello"}"#), 0);
    }

    #[test]
    fn an_answer_counts_what_it_shows_and_what_was_left_out() {
        let body = br#"{"choices":[{"message":{"content":"hello world","tool_calls":[
            {"function":{"name":"f","arguments":"{}"}}]}}]}"#;
        let mut answer = Answer::read(Format::ChatCompletions, body);
        let tools = O200K.count("f{}");
        assert_eq!(count_completion(&answer, O200K), 2 + tools);
        answer.n_bytes_left_out = 10;
        assert_eq!(count_completion(&answer, O200K), 2 + tools + 3);
    }
}
