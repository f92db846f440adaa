//! Every expression of the public documents that compiles is evaluated against generated contexts:
//! it gives a value or a .NET exception, within the bounds of a request.

use std::collections::BTreeMap;

use expr::exception::Kind;
use expr::{Exception, Type, Value, compile};

use crate::contexts::host;
use crate::corpus::{all, shared};

/// How many contexts an expression meets.
const N_CONTEXTS: u64 = 3;

/// What can only be our own mistake.
pub(crate) fn internal(outcome: &Result<Value, Exception>, wanted: &Type) -> Option<String> {
    match outcome {
        Ok(value) => misfit(value, wanted),
        Err(it) if it.kind != Kind::Thrown => Some(format!("stopped: {}", it.message)),
        // A row was called with what its signature does not allow.
        Err(it) if it.message.starts_with("Specified cast is not valid. (") => {
            Some(it.message.clone())
        }
        Err(it) if !is_dotnet(it.type_name) => Some(format!("{}: {}", it.type_name, it.message)),
        Err(_) => None,
    }
}

fn is_dotnet(type_name: &str) -> bool {
    ["System.", "Newtonsoft.", "Microsoft."].iter().any(|it| type_name.starts_with(it))
}

/// The value is not of the type that the binder promised. Types that others derive from are not
/// looked at.
fn misfit(value: &Value, wanted: &Type) -> Option<String> {
    let sealed = matches!(
        wanted,
        Type::Bool
            | Type::Char
            | Type::Byte
            | Type::Int16
            | Type::Int32
            | Type::Int64
            | Type::UInt32
            | Type::Single
            | Type::Double
            | Type::Decimal
            | Type::Guid
            | Type::DateTime
            | Type::DateTimeOffset
            | Type::TimeSpan
    );
    let is_text = *wanted == Type::String;
    let found = value.runtime_type();
    let fits = if is_text { value.is_null() || found == *wanted } else { found == *wanted };
    ((sealed || is_text) && !fits).then(|| format!("gives `{found}` instead of `{wanted}`"))
}

#[test]
fn every_expression_of_the_corpus_runs_against_generated_contexts() {
    let Some(folder) = shared("corpus") else { return };
    let (mut n_programs, mut n_values) = (0_usize, 0_usize);
    let mut thrown: BTreeMap<&'static str, usize> = BTreeMap::new();
    let mut failures = Vec::new();
    for (n, it) in all(&folder).iter().enumerate() {
        let Ok(program) = compile(&it.source, it.form, &it.options) else { continue };
        n_programs += 1;
        for seed in 0..N_CONTEXTS {
            let seed = n as u64 * N_CONTEXTS + seed;
            let outcome = program.evaluate(&host(&it.source, seed));
            if let Some(what) = internal(&outcome, program.result_type()) {
                failures.push(format!("{} (seed {seed}): {what}\n{}", it.place, it.source));
            }
            match outcome {
                Ok(value) => n_values += usize::from(value.to_text().len() < usize::MAX),
                Err(it) => *thrown.entry(it.type_name).or_default() += 1,
            }
        }
    }
    println!(
        "{n_programs} programs in {N_CONTEXTS} contexts: {n_values} values, thrown {thrown:?}"
    );
    assert!(failures.is_empty(), "{} failures:\n{}", failures.len(), failures.join("\n"));
    assert!(n_values * 3 > n_programs, "hardly any gives a value: the contexts do not fit");
}
