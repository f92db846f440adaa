//! What is read of real answers: each API, whole and as a stream, in every shape that streams have.
//!
//! The files in `tests/data` are answers as the services' references and captures show them; a
//! stream gives the same whatever pieces it comes in.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use llm::{Answer, AnswerReader, BinaryStream, EventStream, Format, Tokenizer, count_completion};
use proptest::prelude::*;

/// File, format, and the answer in short.
const EXPECTED: &[(&str, Format, &str)] = &[
    (
        "chat.json",
        Format::ChatCompletions,
        "chatcmpl-A gpt-4o-2024-08-06 19+10=29 cached=4 reasoning=6 | 0 stop Hello there!",
    ),
    (
        "chat_azure.sse",
        Format::ChatCompletions,
        "chatcmpl-B gpt-4o-2024-08-06 9+5=14 cached=0 reasoning=0 | 0 stop Hello 😀 é",
    ),
    (
        "chat_without_usage.sse",
        Format::ChatCompletions,
        "chatcmpl-C gpt-4o no usage, 3 counted | 0 stop one | 1 length two more",
    ),
    (
        "chat_tools.sse",
        Format::ChatCompletions,
        "chatcmpl-D gpt-4o 50+15=65 | 0 tool_calls [get_weather{\"city\":\"Oslo\"}]",
    ),
    (
        "chat_broken_off.sse",
        Format::ChatCompletions,
        "chatcmpl-E gpt-4o no usage, 1 counted error=server_error | 0 - Hel",
    ),
    (
        "completions.json",
        Format::Completions,
        "cmpl-A gpt-35-turbo-instruct 5+7=12 | 0 length  a test | 1 stop  another",
    ),
    ("completions.sse", Format::Completions, "cmpl-B gpt-35-turbo-instruct 5+2=7 | 0 stop  a test"),
    ("embeddings.json", Format::Embeddings, "- text-embedding-3-small 8+0=8"),
    (
        "responses.json",
        Format::Responses,
        "resp_A o3-2025-04-16 36+87=123 cached=12 reasoning=64 | 0 completed Forty-two. (Think.) [f{}]",
    ),
    (
        "responses.sse",
        Format::Responses,
        "resp_B gpt-4.1 37+11=48 cached=0 reasoning=0 | 0 completed Hi there",
    ),
    (
        "responses_incomplete.sse",
        Format::Responses,
        "resp_C o3 20+16=36 reasoning=10 | 0 max_output_tokens  (Hm.) [lookup{\"q\":]",
    ),
    (
        "messages.json",
        Format::Messages,
        "msg_A claude-sonnet-4-20250514 12+34=46 cached=2000 created=100 | 0 tool_use Hello! (Hm.) [f{\"a\":1}]",
    ),
    (
        "messages.sse",
        Format::Messages,
        "msg_B claude-sonnet-4-20250514 25+15=40 cached=7 created=0 | 0 end_turn Hello! [f{\"a\":1}]",
    ),
    ("messages_overloaded.sse", Format::Messages, "msg_C claude 25+1=26 error=overloaded_error"),
    (
        "gemini.json",
        Format::GenerateContent,
        "abc gemini-2.5-pro 4+9=35 cached=2 reasoning=22 | 0 STOP Hello (Thinking)",
    ),
    ("gemini.sse", Format::GenerateContent, "r1 gemini-2.5-flash 4+2=6 | 0 STOP Hello"),
    (
        "gemini_array.json",
        Format::GenerateContent,
        "r1 gemini-2.5-flash 4+2=6 | 0 STOP Hello [f{\"a\":1}]",
    ),
    (
        "converse.json",
        Format::Converse,
        "- - 125+60=185 cached=3 | 0 end_turn Here it is. (Hm.) [f{\"a\":1}]",
    ),
    ("converse.events", Format::Converse, "- - 125+60=185 | 0 tool_use Here it is. [f{\"a\":1}]"),
    ("images.json", Format::Unknown, "- - 50+50=100"),
    ("other.sse", Format::Unknown, "- mystery 1+2=3"),
];

fn data(file: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    let bytes = fs::read(path).unwrap();
    if file.ends_with(".events") { framed(&String::from_utf8(bytes).unwrap()) } else { bytes }
}

/// Lines of an event's type and its payload, as messages of a binary stream.
fn framed(lines: &str) -> Vec<u8> {
    let mut stream = Vec::new();
    for (event_type, payload) in lines.lines().map(|it| it.split_once(' ').unwrap()) {
        let name = ":event-type";
        let mut headers = vec![u8::try_from(name.len()).unwrap()];
        headers.extend_from_slice(name.as_bytes());
        headers.push(7);
        headers.extend_from_slice(&u16::try_from(event_type.len()).unwrap().to_be_bytes());
        headers.extend_from_slice(event_type.as_bytes());
        let total = u32::try_from(16 + headers.len() + payload.len()).unwrap();
        stream.extend_from_slice(&total.to_be_bytes());
        stream.extend_from_slice(&u32::try_from(headers.len()).unwrap().to_be_bytes());
        stream.extend_from_slice(&[0; 4]);
        stream.extend(headers);
        stream.extend_from_slice(payload.as_bytes());
        stream.extend_from_slice(&[0; 4]);
    }
    stream
}

fn read(file: &str, format: Format, pieces: &[&[u8]]) -> Answer {
    let mut reader = AnswerReader::new(format);
    if file.ends_with(".sse") {
        let mut stream = EventStream::default();
        for piece in pieces {
            stream.push(Bytes::copy_from_slice(piece));
            while let Some(event) = stream.next() {
                reader.event(&event.unwrap());
            }
        }
    } else if file.ends_with(".events") {
        let mut stream = BinaryStream::new(1 << 20);
        for piece in pieces {
            stream.push(piece);
            while let Some(message) = stream.next() {
                reader.message(&message.unwrap());
            }
        }
    } else {
        reader.whole(&pieces.concat());
    }
    reader.into_answer()
}

fn shown(answer: &Answer) -> String {
    let mut text = format!(
        "{} {} ",
        answer.id.as_deref().unwrap_or("-"),
        answer.model.as_deref().unwrap_or("-")
    );
    match &answer.usage {
        None => {
            let tokenizer = Tokenizer::of_models(answer.model.as_deref());
            text.push_str(&format!("no usage, {} counted", count_completion(answer, tokenizer)));
        }
        Some(it) => {
            let (prompt, completion, total) =
                (it.prompt_tokens, it.completion_tokens, it.total_tokens);
            text.push_str(&format!("{prompt}+{completion}={total}"));
            for (name, count) in [
                ("cached", it.cached_tokens),
                ("created", it.cache_creation_tokens),
                ("reasoning", it.reasoning_tokens),
            ] {
                if let Some(count) = count {
                    text.push_str(&format!(" {name}={count}"));
                }
            }
        }
    }
    if let Some(error) = &answer.error {
        text.push_str(&format!(" error={error}"));
    }
    for it in &answer.completions {
        let reason = it.finish_reason.as_deref().unwrap_or("-");
        text.push_str(&format!(" | {} {reason} {}", it.index, it.text));
        if !it.reasoning.is_empty() {
            text.push_str(&format!(" ({})", it.reasoning));
        }
        if !it.tools.is_empty() {
            text.push_str(&format!(" [{}]", it.tools));
        }
    }
    text.replace("  [", " [")
}

#[test]
fn every_answer_is_read() {
    for (file, format, expected) in EXPECTED {
        let bytes = data(file);
        assert_eq!(shown(&read(file, *format, &[&bytes])), *expected, "{file}");
    }
}

#[test]
fn every_file_is_expected() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data");
    for entry in fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(EXPECTED.iter().any(|(file, ..)| *file == name), "{name}");
    }
}

#[test]
fn a_stream_gives_the_same_counts_wherever_it_is_cut() {
    for (file, format, _) in EXPECTED {
        let bytes = data(file);
        let whole = read(file, *format, &[&bytes]);
        for at in 0..=bytes.len() {
            let (one, two) = bytes.split_at(at);
            assert_eq!(read(file, *format, &[one, two]), whole, "{file} cut at {at}");
        }
        let single: Vec<&[u8]> = bytes.chunks(1).collect();
        assert_eq!(read(file, *format, &single), whole, "{file} byte by byte");
    }
}

#[test]
fn a_stream_gives_the_same_with_every_end_of_line() {
    for (file, format, _) in EXPECTED.iter().filter(|(file, ..)| file.ends_with(".sse")) {
        let bytes = data(file);
        let whole = read(file, *format, &[&bytes]);
        let text = String::from_utf8(bytes).unwrap();
        for end in ["\r", "\r\n"] {
            let other = format!("\u{feff}{}", text.replace('\n', end));
            assert_eq!(read(file, *format, &[other.as_bytes()]), whole, "{file}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Cut in any pieces.
    #[test]
    fn a_stream_gives_the_same_counts_in_any_pieces(
        which in 0..EXPECTED.len(),
        cuts in proptest::collection::vec(0.0..1.0_f64, 0..12),
    ) {
        let (file, format, _) = EXPECTED[which];
        let bytes = data(file);
        let place = |it: &f64| (it * bytes.len() as f64) as usize;
        let mut cuts: Vec<usize> = cuts.iter().map(place).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|it| &bytes[it[0]..it[1]]).collect();
        prop_assert_eq!(read(file, format, &pieces), read(file, format, &[&bytes]));
    }

    /// An answer of which parts are torn out or replaced is read as far as it goes.
    #[test]
    fn a_mutilated_answer_does_no_harm(
        which in 0..EXPECTED.len(),
        at in 0.0..1.0_f64,
        n in 0_usize..40,
        instead in prop_oneof![Just(""), Just("\""), Just("{"), Just("["), Just("null"), Just("7"),
            Just("\\u"), Just("\u{e9}"), Just("}}]")],
    ) {
        let (file, format, _) = EXPECTED[which];
        let mut bytes = data(file);
        let from = (at * bytes.len() as f64) as usize;
        let to = (from + n).min(bytes.len());
        bytes.splice(from..to, instead.bytes());
        if file.ends_with(".events") {
            let mut stream = BinaryStream::new(1 << 20);
            stream.push(&bytes);
            let mut reader = AnswerReader::new(format);
            while let Some(Ok(message)) = stream.next() {
                reader.message(&message);
            }
        } else {
            read(file, format, &[&bytes]);
        }
    }
}
