//! What a policy that watches a stream costs beside passing it on.
//!
//! A stream of a chat goes over loopback in pieces of one event, as models send them: the backend
//! writes, the part in between reads, looks at it (or not) and writes, the client reads. All of it is
//! one thread, and what is measured is its processor time, where Linux tells it: half of what is
//! untouched is the gateway's.
//!
//! ```sh
//! cargo bench -p portcullis-llm --bench stream
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on may stop"
)]

use std::hint::black_box;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_llm::{AnswerReader, EventStream, Format, Tokenizer, count_completion};

/// Events of one answer.
const N_EVENTS: usize = 400;

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let one = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (two, _) = listener.accept().unwrap();
    for it in [&one, &two] {
        it.set_nodelay(true).unwrap();
    }
    (one, two)
}

/// An event as Azure OpenAI sends it.
fn event(n: usize) -> String {
    format!(
        "data: {{\"choices\":[{{\"content_filter_results\":{{\"hate\":{{\"filtered\":false,\"severity\":\
         \"safe\"}},\"self_harm\":{{\"filtered\":false,\"severity\":\"safe\"}},\"sexual\":{{\"filtered\":\
         false,\"severity\":\"safe\"}},\"violence\":{{\"filtered\":false,\"severity\":\"safe\"}}}},\
         \"delta\":{{\"content\":\" word{n}\"}},\"finish_reason\":null,\"index\":0,\"logprobs\":null}}],\
         \"created\":1,\"id\":\"chatcmpl-B\",\"model\":\"gpt-4o-2024-08-06\",\"object\":\
         \"chat.completion.chunk\",\"system_fingerprint\":\"fp_1\",\"usage\":null}}\n\n"
    )
}

/// The processor time of this thread; without Linux, the time that has passed.
fn processor_time() -> Duration {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = schedule.split(' ').next().and_then(|it| it.parse().ok());
    first.map_or_else(|| START.elapsed(), Duration::from_nanos)
}

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Passes answers on; gives the time that it takes.
fn pass(n_answers: u64, mut watch: impl FnMut(&Bytes)) -> Duration {
    let (mut backend, mut from_backend) = pair();
    let (mut to_client, mut client) = pair();
    let events: Vec<String> = (0..N_EVENTS).map(event).collect();
    let mut seen = vec![0; 4096];
    let mut buffer = BytesMut::new();
    let began = processor_time();
    for _ in 0..n_answers {
        for event in &events {
            backend.write_all(event.as_bytes()).unwrap();
            buffer.resize(2048, 0);
            let n = from_backend.read(&mut buffer).unwrap();
            let data = buffer.split_to(n).freeze();
            watch(&data);
            to_client.write_all(&data).unwrap();
            client.read_exact(&mut seen[..n]).unwrap();
        }
    }
    processor_time().saturating_sub(began)
}

fn streams(c: &mut Criterion) {
    let mut group = c.benchmark_group("a stream of 400 events");
    group.bench_function("untouched", |b| {
        b.iter_custom(|n| {
            pass(n, |data| {
                black_box(data);
            })
        })
    });
    group.bench_function("watched", |b| {
        b.iter_custom(|n| {
            let mut stream = EventStream::default();
            let mut reader = AnswerReader::new(Format::ChatCompletions);
            let mut n_seen = 0;
            pass(n, |data| {
                stream.push(data.clone());
                while let Some(Ok(event)) = stream.next() {
                    black_box(reader.event(&event));
                    n_seen += 1;
                    if n_seen % N_EVENTS == 0 {
                        reader = AnswerReader::new(Format::ChatCompletions);
                    }
                }
            })
        });
    });
    group.finish();
    let all: Vec<Bytes> = (0..N_EVENTS).map(|it| Bytes::from(event(it))).collect();
    c.bench_function("looking at 400 events", |b| {
        b.iter(|| {
            let mut stream = EventStream::default();
            let mut reader = AnswerReader::new(Format::ChatCompletions);
            for data in &all {
                stream.push(data.clone());
                while let Some(Ok(event)) = stream.next() {
                    reader.event(&event);
                }
            }
            reader.into_answer()
        });
    });
    let mut reader = AnswerReader::new(Format::ChatCompletions);
    let mut stream = EventStream::default();
    for data in &all {
        stream.push(data.clone());
        while let Some(Ok(event)) = stream.next() {
            reader.event(&event);
        }
    }
    let (answer, tokenizer) = (reader.into_answer(), Tokenizer::of_models(["gpt-4o"]));
    c.bench_function("counting the tokens of 400 events", |b| {
        b.iter(|| count_completion(&answer, tokenizer));
    });
}

criterion_group!(benches, streams);
criterion_main!(benches);
