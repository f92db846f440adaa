//! Running case files and telling how it went.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use pipeline::Registry;

use crate::compare::compare;
use crate::parse::parse;
use crate::world::World;

/// How the cases went.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Each case, in order.
    pub cases: Vec<CaseReport>,
}

/// How one case went.
#[derive(Clone, Debug)]
pub struct CaseReport {
    /// The file.
    pub file: String,
    /// The line of the case's name.
    pub line: usize,
    /// The case's name.
    pub name: String,
    /// The differences; none if it went well.
    pub differences: Vec<String>,
}

impl Report {
    /// How many cases failed.
    #[must_use]
    pub fn n_failed(&self) -> usize {
        self.cases.iter().filter(|it| !it.differences.is_empty()).count()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for case in self.cases.iter().filter(|it| !it.differences.is_empty()) {
            writeln!(f, "FAIL  {}  ({}:{})", case.name, case.file, case.line)?;
            for difference in &case.differences {
                writeln!(f, "{difference}")?;
            }
        }
        write!(f, "{} cases, {} failed", self.cases.len(), self.n_failed())
    }
}

/// Runs the cases of a text; `file` is its name in the report.
///
/// A text that cannot be read is one failed case.
#[must_use]
pub fn run_text(text: &str, file: &str, registry: &Registry) -> Report {
    run_in(&World::new(registry), text, file)
}

/// Runs the cases of a text in a world; `file` is its name in the report.
///
/// A text that cannot be read is one failed case.
#[must_use]
pub fn run_in(world: &World<'_>, text: &str, file: &str) -> Report {
    let cases = match parse(text) {
        Ok(cases) => cases,
        Err(error) => {
            let report = CaseReport {
                file: file.to_owned(),
                line: error.line,
                name: "the file cannot be read".to_owned(),
                differences: vec![format!("  {error}")],
            };
            return Report { cases: vec![report] };
        }
    };
    let reports = cases.iter().map(|case| CaseReport {
        file: file.to_owned(),
        line: case.line,
        name: case.name.clone(),
        differences: compare(case, &world.run(case)),
    });
    Report { cases: reports.collect() }
}

/// Runs all `.case` files of a folder, in the order of their names.
///
/// # Errors
///
/// The folder or a file cannot be read.
pub fn run_folder(folder: &Path, world: &World<'_>) -> io::Result<Report> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "case") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut report = Report::default();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        report.cases.extend(run_in(world, &fs::read_to_string(&path)?, &name).cases);
    }
    Ok(report)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_cannot_be_read_is_a_failed_case() {
        let report = run_text("name\n--- nonsense\n", "x.case", &Registry::default());

        assert_eq!(report.n_failed(), 1);
        assert!(report.to_string().contains("x.case:2"));
        assert!(report.to_string().ends_with("1 cases, 1 failed"));
    }

    #[test]
    fn differences_stand_below_the_name() {
        let text = "it goes wrong\n--- inbound\n<nothing />\n";
        let report = run_text(text, "x.case", &Registry::default());

        assert!(
            report
                .to_string()
                .starts_with("FAIL  it goes wrong  (x.case:1)\n  error\n    + PC0401")
        );
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(
            run_folder(Path::new("/nowhere/at/all"), &World::new(&Registry::default())).is_err()
        );
    }
}
