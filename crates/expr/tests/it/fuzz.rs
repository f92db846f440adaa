//! Fuzz targets for lexer, parser, binder and evaluator.
//!
//! ```text
//! test ─starts─▶ the same test in a process of its own ─writes─▶ number of the input
//!                         │                                        │ if it dies or hangs
//!                         └─▶ report: inputs, findings, memory     ▼
//!                                                             the finding
//! ```
//!
//! Input `n` is made of the seed `n` alone, so a number is all that has to be kept of a finding. A
//! process of its own survives nothing unseen: a crash, a stack that is too deep, a hang and memory
//! above the budget are all seen from outside. Variables: `FUZZ_SECONDS` runs for so long instead of
//! a fixed number of inputs, `FUZZ_SEED` is the first seed (1).

use std::env;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::fuzz_targets as targets;

/// One target.
#[derive(Clone, Copy)]
pub(crate) struct Target {
    /// The name of its test.
    pub(crate) name: &'static str,
    /// Makes input `n` and looks at what becomes of it; says what is wrong.
    pub(crate) check: fn(u64) -> Result<(), String>,
    /// How many inputs a short run has.
    pub(crate) n_short: u64,
    /// Most memory that the process may come to, in MiB, above what it had at the start.
    pub(crate) max_mib: u64,
}

/// No input takes longer, in an unoptimized build on a busy machine.
const MAX_TIME: Duration = Duration::from_secs(60);
/// More findings than these are not listed.
const MAX_FINDINGS: usize = 20;

#[test]
fn lexer() {
    run(&targets::LEXER);
}

#[test]
fn parser() {
    run(&targets::PARSER);
}

#[test]
fn binder() {
    run(&targets::BINDER);
}

#[test]
fn evaluator() {
    run(&targets::EVALUATOR);
}

fn number(name: &str) -> Option<u64> {
    env::var(name).ok().and_then(|it| it.parse().ok())
}

fn run(target: &Target) {
    match env::var_os("FUZZ_AT") {
        Some(file) => inside(target, Path::new(&file)),
        None => outside(target),
    }
}

/// Starts the process and looks after it.
fn outside(target: &Target) {
    let at =
        env::temp_dir().join(format!("portcullis-fuzz-{}-{}", target.name, std::process::id()));
    let mut child = Command::new(env::current_exe().unwrap())
        .args([&format!("fuzz::{}", target.name), "--exact", "--nocapture", "--test-threads=1"])
        .env("FUZZ_AT", &at)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut out, mut err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
    let (sender, receiver) = mpsc::channel();
    let reader = std::thread::spawn(move || {
        let errors = std::thread::spawn(move || text_of(&mut err));
        let text = text_of(&mut out);
        let _ = sender.send(());
        (text, errors.join().unwrap())
    });
    let most = Duration::from_secs(number("FUZZ_SECONDS").unwrap_or(0)) + 5 * MAX_TIME;
    let hangs = receiver.recv_timeout(most).is_err();
    if hangs {
        child.kill().unwrap();
    }
    let status = child.wait().unwrap();
    let (text, errors) = reader.join().unwrap();
    let last = fs::read_to_string(&at).unwrap_or_default();
    let _ = fs::remove_file(&at);
    for line in text.lines() {
        // Behind the words of the test runner.
        if let Some(report) = line.find("fuzz: ").and_then(|it| line.get(it..)) {
            println!("{report}");
        }
    }
    assert!(!hangs, "{}: input {last} hangs", target.name);
    assert!(
        status.success(),
        "{}: {status}; the last input was {last}\n{text}\n{}",
        target.name,
        tail(&errors)
    );
}

fn text_of(from: &mut impl std::io::Read) -> String {
    let mut bytes = Vec::new();
    let _ = from.read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

fn tail(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// What the process does.
fn inside(target: &Target, at: &Path) {
    let first = number("FUZZ_SEED").unwrap_or(1);
    let until = number("FUZZ_SECONDS").map(Duration::from_secs);
    let start = Instant::now();
    let mut file = fs::File::create(at).unwrap();
    let mut findings = Vec::new();
    // What a first input makes once is no growth.
    let _ = (target.check)(first);
    let before = peak_mib();
    let mut slowest = (Duration::ZERO, first);
    let mut n = 0;
    let is_over = |n: u64| until.map_or(n >= target.n_short, |it| start.elapsed() >= it);
    while !is_over(n) && findings.len() < MAX_FINDINGS {
        let seed = first + n;
        file.seek(SeekFrom::Start(0)).unwrap();
        write!(file, "{seed}").unwrap();
        let began = Instant::now();
        match catch_unwind(AssertUnwindSafe(|| (target.check)(seed))) {
            Ok(Ok(())) => {}
            Ok(Err(what)) => findings.push(format!("{seed}: {what}")),
            Err(_) => findings.push(format!("{seed}: panics")),
        }
        let took = began.elapsed();
        slowest = slowest.max((took, seed));
        if took > MAX_TIME {
            findings.push(format!("{seed}: takes {took:?}"));
        }
        n += 1;
    }
    let seconds = start.elapsed().as_secs_f64();
    let grown = peak_mib().zip(before).map(|(after, before)| after.saturating_sub(before));
    println!(
        "fuzz: {}: {n} inputs from seed {first} in {seconds:.1} s, {:.0}/s; {} findings; slowest {:?} (input {}); memory grew by {} MiB of {}; {}",
        target.name,
        n as f64 / seconds,
        findings.len(),
        slowest.0,
        slowest.1,
        grown.map_or("?".to_owned(), |it| it.to_string()),
        target.max_mib,
        targets::outcomes(),
    );
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    match grown {
        Some(grown) => assert!(grown <= target.max_mib, "memory grew by {grown} MiB"),
        None => eprintln!("SKIPPED: this system does not tell the memory of a process"),
    }
}

/// The most memory that this process had at once, where Linux tells it.
fn peak_mib() -> Option<u64> {
    let status = fs::read_to_string(PathBuf::from("/proc/self/status")).ok()?;
    let line = status.lines().find_map(|it| it.strip_prefix("VmHWM:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024)
}
