//! Random bytes for everything that reads what others send.
//!
//! Input `n` is made of the seed `n` alone, and a finding names it. `FUZZ_SECONDS` runs for so long
//! instead of a fixed number of inputs; `FUZZ_SEED` is the first seed (1).

use std::env;
use std::time::{Duration, Instant};

use bytes::Bytes;
use llm::{
    Answer, AnswerReader, BinaryStream, EventStream, Format, ModelRequest, Tokenizer,
    count_completion, count_prompt,
};

const N_SHORT: u64 = 3_000;
/// No input takes longer, in an unoptimized build on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(10);

/// Words that matter to one reader or another.
const WORDS: &[&str] = &[
    "data",
    "event",
    "id",
    "retry",
    ":",
    ": ",
    "\n",
    "\r",
    "\r\n",
    "\n\n",
    "\u{feff}",
    "[DONE]",
    "{",
    "}",
    "[",
    "]",
    "\"",
    ",",
    "null",
    "true",
    "12",
    "-1.5e9",
    "\\u00e9",
    "\\ud83d",
    "\"choices\":",
    "\"delta\":",
    "\"content\":",
    "\"usage\":",
    "\"prompt_tokens\":",
    "\"messages\":",
    "\"role\":",
    "\"type\":",
    "\"text\":",
    "\"input\":",
    "\"contents\":",
    "\"parts\":",
    "\"output\":",
    "\"tool_calls\":",
    "\"function\":",
    "\"index\":",
    "\"model\":",
    "\"stream\":",
    "a",
    " ",
    "é",
];

const FORMATS: &[Format] = &[
    Format::ChatCompletions,
    Format::Completions,
    Format::Embeddings,
    Format::Responses,
    Format::Messages,
    Format::GenerateContent,
    Format::Converse,
    Format::Unknown,
];

const PATHS: &[&str] = &[
    "/chat/completions",
    "/completions",
    "/embeddings",
    "/responses",
    "/messages",
    "/models/m:generateContent",
    "/model/m/converse",
    "/",
];

/// SplitMix64.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut it = self.0;
        it = (it ^ (it >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        it = (it ^ (it >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        it ^ (it >> 31)
    }

    fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }
}

fn input(seed: u64) -> Vec<u8> {
    let mut random = Random(seed);
    let mut text = Vec::new();
    for _ in 0..random.below(120) {
        match random.below(12) {
            0 => text.push(random.next() as u8),
            1 => text.extend_from_slice(&(random.below(64) as u32).to_be_bytes()),
            _ => text.extend_from_slice(WORDS[random.below(WORDS.len())].as_bytes()),
        }
    }
    text
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|it| it.parse().ok())
}

fn run(name: &str, check: fn(u64, &[u8])) {
    let first = number("FUZZ_SEED").unwrap_or(1);
    let until = number("FUZZ_SECONDS").map(Duration::from_secs);
    let (start, mut n) = (Instant::now(), 0);
    while until.map_or(n < N_SHORT, |it| start.elapsed() < it) {
        let (seed, began) = (first + n, Instant::now());
        let text = input(seed);
        let outcome = std::panic::catch_unwind(|| check(seed, &text));
        assert!(outcome.is_ok(), "{name}: input {seed} fails");
        assert!(began.elapsed() < MAX_TIME, "{name}: input {seed} takes {:?}", began.elapsed());
        n += 1;
    }
    println!("fuzz: {name}: {n} inputs from seed {first} in {:?}", start.elapsed());
}

/// Data of events, and all bytes.
fn events(pieces: &[&[u8]], max: usize) -> (Vec<Bytes>, Vec<u8>) {
    let mut stream = EventStream::new(max);
    let (mut data, mut all) = (Vec::new(), Vec::new());
    for piece in pieces {
        stream.push(Bytes::copy_from_slice(piece));
        while let Some(next) = stream.next() {
            match next {
                Ok(event) => {
                    data.extend(event.data());
                    all.extend_from_slice(event.raw());
                }
                Err(it) => all.extend_from_slice(&it.raw),
            }
        }
        assert!(stream.n_held() <= max);
    }
    all.extend(stream.finish().iter().flat_map(|it| it.raw().to_vec()));
    (data, all)
}

#[test]
fn event_streams() {
    run("event_streams", |seed, text| {
        let mut random = Random(!seed);
        let max = 1 + random.below(300);
        let whole = events(&[text], max);
        assert_eq!(whole.1, text);
        let (mut pieces, mut rest) = (Vec::new(), text);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at((1 + random.below(9)).min(rest.len()));
            pieces.push(piece);
            rest = after;
        }
        assert_eq!(events(&pieces, max), whole);
    });
}

#[test]
fn binary_streams() {
    run("binary_streams", |_, text| {
        let mut stream = BinaryStream::new(200);
        for piece in text.chunks(7) {
            stream.push(piece);
            while let Some(Ok(message)) = stream.next() {
                AnswerReader::new(Format::Converse).message(&message);
            }
        }
    });
}

#[test]
fn answers_and_requests() {
    run("answers_and_requests", |seed, text| {
        // Mostly braces of their own make it more often JSON.
        let object = [b"{".as_slice(), text, b"}"].concat();
        for body in [text, &object] {
            let which = seed as usize % FORMATS.len();
            let answer = Answer::read(FORMATS[which], body);
            let _ = count_completion(&answer, Tokenizer::default());
            let request = ModelRequest::read(PATHS[which], seed % 2 == 0, body);
            let _ = count_prompt(&request, Tokenizer::of_models(["gpt-4o"]));
        }
    });
}
