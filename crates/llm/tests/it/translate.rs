//! Chat Completions in front of the Messages API: requests, answers and streams as files in
//! `tests/translate`; `UPDATE_GOLDEN=1` writes the streams that come out.

use std::fs;
use std::path::{Path, PathBuf};

use llm::translate::{MessagesStream, chat_answer, to_messages};
use llm::{Answer, AnswerReader, EventStream, Format};
use proptest::prelude::*;
use serde_json::Value;

const CREATED: u64 = 1_700_000_000;

fn files(beginning: &str, end: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/translate");
    let mut all: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    all.retain(|it| {
        let name = it.file_name().unwrap().to_str().unwrap();
        name.starts_with(beginning) && name.ends_with(end) && !name.ends_with(".chat.sse")
    });
    all.sort();
    assert!(!all.is_empty(), "{beginning}");
    all
}

fn pair(file: &Path) -> (Value, Value) {
    let mut both: Value = serde_json::from_slice(&fs::read(file).unwrap()).unwrap();
    (both["chat"].take(), both["messages"].take())
}

#[test]
fn requests_become_those_of_the_messages_api() {
    for file in files("request_", ".json") {
        let (chat, messages) = pair(&file);
        let made = to_messages(chat.to_string().as_bytes(), "claude-x", 4096).unwrap();
        assert_eq!(made, messages, "{}", file.display());
    }
}

#[test]
fn answers_become_those_of_chat_completions() {
    for file in files("answer_", ".json") {
        let (chat, messages) = pair(&file);
        let made = chat_answer(messages.to_string().as_bytes(), CREATED).unwrap();
        assert_eq!(made, chat, "{}", file.display());
        // Both tell the same usage to whoever counts.
        let read = |format, it: &Value| Answer::read(format, it.to_string().as_bytes()).usage;
        let (front, behind) =
            (read(Format::ChatCompletions, &chat), read(Format::Messages, &messages));
        assert_eq!(front.map(|it| it.completion_tokens), behind.map(|it| it.completion_tokens));
    }
}

/// The stream that is written for one that comes in pieces, cut at these places.
fn written(stream: &[u8], cuts: &[usize], tells_usage: bool) -> String {
    let mut translated = MessagesStream::new(CREATED, tells_usage);
    let mut out = Vec::new();
    let mut rest = stream;
    for cut in cuts {
        let (first, after) = rest.split_at((*cut).min(rest.len()));
        out.extend_from_slice(&translated.push(first.to_vec().into()));
        rest = after;
    }
    out.extend_from_slice(&translated.push(rest.to_vec().into()));
    out.extend_from_slice(&translated.finish());
    String::from_utf8(out).unwrap()
}

#[test]
fn streams_become_those_of_chat_completions() {
    for file in files("stream_", ".sse") {
        let golden = file.with_extension("chat.sse");
        let out = written(&fs::read(&file).unwrap(), &[], true);
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::write(&golden, &out).unwrap();
        }
        assert_eq!(out, fs::read_to_string(&golden).unwrap(), "{}", file.display());
    }
}

#[test]
fn the_usage_is_told_only_if_it_was_asked_for() {
    for file in files("stream_text", ".sse") {
        let stream = fs::read(&file).unwrap();
        assert!(!written(&stream, &[], false).contains("usage"));
        let mut reader = AnswerReader::new(Format::ChatCompletions);
        let mut events = EventStream::new(1 << 20);
        events.push(written(&stream, &[], true).into());
        while let Some(event) = events.next() {
            reader.event(&event.unwrap());
        }
        let usage = reader.answer().usage.unwrap();
        assert_eq!((usage.prompt_tokens, usage.completion_tokens), (30, 15));
        assert_eq!(reader.answer().text(), "Hello 😀!");
    }
}

#[test]
fn streams_cut_at_every_byte_are_written_alike() {
    for file in files("stream_", ".sse") {
        let stream = fs::read(&file).unwrap();
        let whole = written(&stream, &[], true);
        for cut in 0..stream.len() {
            assert_eq!(written(&stream, &[cut], true), whole, "{} {cut}", file.display());
        }
    }
}

proptest! {
    #[test]
    fn any_pieces_give_the_same(cuts in proptest::collection::vec(0usize..60, 0..40)) {
        for file in files("stream_", ".sse") {
            let stream = fs::read(&file).unwrap();
            prop_assert_eq!(written(&stream, &cuts, true), written(&stream, &[], true));
        }
    }

    #[test]
    fn no_input_is_too_strange(body in "\\PC*", stream in any::<Vec<u8>>()) {
        let _ = to_messages(body.as_bytes(), "m", 1);
        let _ = chat_answer(body.as_bytes(), 0);
        let mut translated = MessagesStream::new(0, true);
        let _ = translated.push(stream.into());
        let _ = translated.finish();
    }
}
