//! Random programs, evaluated here and by the C# oracle where it is installed.
//!
//! The oracle is looked for in `ORACLE_BUILD` or `~/.cache/policy-oracle`, and its `run` in
//! `../shared/oracle`. Without it the programs are evaluated all the same: none may panic, or fail
//! with an error that is not the program's own. `DIFFERENTIAL_PROGRAMS` says how many programs,
//! `DIFFERENTIAL_SEED` where to begin; programs that showed a mistake are recorded in
//! `tests/data/recorded/differential.jsonl`.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use ::oracle::{evaluate_case, same};
use expr::Runtime;
use serde_json::{Map, Value as Json, json};

use crate::corpus::shared;
use crate::generate::Generator;

fn number(name: &str, default: u64) -> u64 {
    env::var(name).ok().and_then(|it| it.parse().ok()).unwrap_or(default)
}

fn cases() -> Vec<Map<String, Json>> {
    let (first, count) = (number("DIFFERENTIAL_SEED", 1), number("DIFFERENTIAL_PROGRAMS", 60));
    let case = |seed: u64| {
        json!({
            "id": format!("differential-{seed}"),
            "area": "differential",
            "kind": "statements",
            "code": Generator::new(seed).program(),
        })
    };
    (first..first + count).map(|seed| case(seed).as_object().unwrap().clone()).collect()
}

/// The tool that evaluates cases with C#, if all of it is there.
fn oracle() -> Option<PathBuf> {
    let run = shared("oracle/run")?;
    let home = env::var_os("HOME").map(|it| PathBuf::from(it).join(".cache/policy-oracle"));
    let build = env::var_os("ORACLE_BUILD").map(PathBuf::from).or(home)?;
    build.join("core").join("Oracle.dll").exists().then_some(run)
}

#[test]
fn the_same_seed_gives_the_same_program() {
    assert_eq!(Generator::new(7).program(), Generator::new(7).program());
    assert_ne!(Generator::new(7).program(), Generator::new(8).program());
}

#[test]
fn random_programs_give_what_csharp_gives() {
    let cases = cases();
    let ours: Vec<Json> =
        cases.iter().map(|it| evaluate_case(it, Runtime::Modern).unwrap()).collect();
    for (case, result) in cases.iter().zip(&ours) {
        let internal = result["error"].as_str().is_some_and(|it| it.contains("Internal"));
        assert!(!internal, "{}: {result}", case["code"]);
    }
    let compiled = ours.iter().filter(|it| it["error"] != "compile").count();
    println!("{compiled} of {} programs compile", cases.len());
    if env::var_os("DIFFERENTIAL_REPORT").is_some() {
        for it in ours.iter().filter(|it| it["error"] == "compile") {
            println!("refused: {}", it["message"]);
        }
    }
    assert!(compiled * 10 >= cases.len() * 6, "too few programs compile: {compiled}");
    let Some(run) = oracle() else {
        eprintln!("SKIPPED: the C# oracle is not installed, random programs are not compared");
        return;
    };
    let folder = env::temp_dir().join(format!("portcullis-differential-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let (input, output) = (folder.join("in.jsonl"), folder.join("out.jsonl"));
    let lines: String =
        cases.iter().map(|it| Json::Object(it.clone()).to_string() + "\n").collect();
    fs::write(&input, lines).unwrap();
    let done = Command::new(run).arg(&input).arg(&output).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let mut report = String::new();
    let mut differ = 0;
    for (line, ours) in fs::read_to_string(&output).unwrap().lines().zip(&ours) {
        let case: Map<String, Json> = serde_json::from_str(line).unwrap();
        let expected = &case["expected"];
        let later = case.contains_key("lang") && ours["error"] == "compile";
        // The compiler of the oracle makes code of some programs that no runtime may run, as of
        // `checked(-(s?.Length))`: Mono says so, .NET does what it likes.
        let invalid =
            case.get("other").is_some_and(|it| it["error"] == "System.InvalidProgramException");
        if expected["error"] == "timeout" || later || invalid || same(expected, ours) {
            continue;
        }
        differ += 1;
        report.push_str(&format!("{line}\n  got {ours}\n"));
    }
    if let Some(file) = env::var_os("DIFFERENTIAL_REPORT") {
        fs::write(file, &report).unwrap();
    }
    let _ = fs::remove_dir_all(&folder);
    assert!(differ == 0, "{differ} of {} programs differ:\n{report}", cases.len());
}
