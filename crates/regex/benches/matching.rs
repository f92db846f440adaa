//! Compiling and searching beside another engine, on patterns as policies have them.
//!
//! The other engine is given the same pattern where both dialects agree; what is compared is the
//! ratio of the two within one run.

#![expect(clippy::unwrap_used, reason = "a benchmark may panic")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use portcullis_regex::{Budget, Options, Regex, Text};

/// Name, pattern, text.
const CASES: &[(&str, &str, &str)] = &[
    (
        "bearer",
        r"^Bearer\s+(?<t>[A-Za-z0-9._-]+)$",
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    ),
    ("max-age", r"max-age=(?<s>\d+)", "private, no-transform, max-age=600, must-revalidate"),
    (
        "path",
        r"/orders/(\d+)/items/(\d+)",
        "https://contoso.example/api/v2/orders/1234/items/56?x=1",
    ),
    ("email", r"^[^@\s]+@[^@\s]+\.[^@\s]+$", "someone.with.a.long.name@mail.contoso.example"),
    ("ip", r"^(?:\d{1,3}\.){3}\d{1,3}$", "192.168.100.254"),
    ("words", r"\b(\w+)\s+\1\b", "the quick brown fox jumps over the the lazy dog"),
    ("verbs", "^(?:GET|POST|PUT|DELETE)$", "DELETE"),
    ("miss", "[xyz]{3}", "the quick brown fox jumps over the lazy dog, again and again and again"),
];

fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

fn search(c: &mut Criterion) {
    let mut group = c.benchmark_group("search");
    for (name, pattern, text) in CASES {
        let ours = Regex::new(&units(pattern), Options::NONE).unwrap();
        let theirs = fancy_regex::Regex::new(pattern).unwrap();
        group.bench_function(format!("{name}/ours"), |b| {
            b.iter(|| {
                ours.find(
                    Text::Ascii(black_box(text.as_bytes())),
                    0,
                    false,
                    &mut Budget::new(1 << 20),
                )
            });
        });
        group.bench_function(format!("{name}/other"), |b| {
            b.iter(|| theirs.captures(black_box(text)).unwrap().is_some());
        });
    }
    group.finish();
}

/// A text of 64 KiB, in which something is looked for and at last found.
fn long(c: &mut Criterion) {
    let text = "the quick brown fox jumps over the lazy dog; ".repeat(1456) + "key=\"value\"";
    let mut group = c.benchmark_group("long");
    for (name, pattern) in [
        ("literal", "key=\"([^\"]*)\""),
        ("class", r"\d|="),
        ("lazy", r"k\w+=.*?e"),
        ("words", r"\w+="),
    ] {
        let ours = Regex::new(&units(pattern), Options::NONE).unwrap();
        let theirs = fancy_regex::Regex::new(pattern).unwrap();
        group.bench_function(format!("{name}/ours"), |b| {
            b.iter(|| {
                ours.find(
                    Text::Ascii(black_box(text.as_bytes())),
                    0,
                    false,
                    &mut Budget::new(1 << 24),
                )
            });
        });
        group.bench_function(format!("{name}/other"), |b| {
            b.iter(|| theirs.captures(black_box(&text)).unwrap().is_some());
        });
    }
    group.finish();
}

fn compile(c: &mut Criterion) {
    let mut group = c.benchmark_group("compile");
    for (name, pattern, _) in CASES {
        let given = units(pattern);
        group.bench_function(format!("{name}/ours"), |b| {
            b.iter(|| Regex::new(black_box(&given), Options::NONE).unwrap());
        });
        group.bench_function(format!("{name}/other"), |b| {
            b.iter(|| fancy_regex::Regex::new(black_box(pattern)).unwrap());
        });
    }
    group.finish();
}

criterion_group!(benches, search, long, compile);
criterion_main!(benches);
