//! `--cases`: recorded cases, one line out for each line in.

use std::io::{BufRead, BufReader};
use std::path::Path;

use ::expr::Runtime;

use crate::commands::{complain, say};
use crate::exit::Exit;

/// Longest line of a case file, in bytes.
const MAX_LINE_BYTES: usize = 16 * 1024 * 1024;

/// Evaluates the cases of a file. A line that is no case is told on standard error.
pub(super) fn run(file: &Path, runtime: Runtime) -> Exit {
    let reader = match std::fs::File::open(file) {
        Ok(it) => BufReader::new(it),
        Err(error) => {
            complain(&format!("{}: {error}", file.display()));
            return Exit::Unreadable;
        }
    };
    let mut exit = Exit::Success;
    for (number, line) in reader.lines().enumerate() {
        let evaluated = match line {
            Ok(line) if line.trim().is_empty() => continue,
            Ok(line) if line.len() > MAX_LINE_BYTES => Err("the line is too long".to_owned()),
            Ok(line) => ::oracle::evaluate_line(&line, runtime).map_err(|fault| fault.to_string()),
            Err(error) if error.kind() == std::io::ErrorKind::InvalidData => Err(error.to_string()),
            // Nothing more will come: a folder, for instance, fails at every attempt.
            Err(error) => {
                complain(&format!("{}: {error}", file.display()));
                return Exit::Unreadable;
            }
        };
        match evaluated {
            Ok(result) => say(&result),
            Err(problem) => {
                complain(&format!("{}:{}: {problem}", file.display(), number + 1));
                exit = Exit::Findings;
            }
        }
    }
    exit
}
