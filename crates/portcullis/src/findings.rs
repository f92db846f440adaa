//! The forms in which `validate` prints what it found.

use document::render::{self, Colours, Sources};
use document::{Diagnostic, Severity};
use serde_json::{Value, json};

use crate::cli::FindingFormat;

/// What was checked and what came of it.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) diagnostics: Vec<Diagnostic>,
    pub(crate) sources: Sources,
    /// Names of all files that were checked, sound ones included.
    pub(crate) files: Vec<String>,
}

impl Findings {
    /// How many of the given severity.
    pub(crate) fn count(&self, severity: Severity) -> usize {
        self.diagnostics.iter().filter(|it| it.severity == severity).count()
    }

    /// The findings in the given form, without a final line end.
    pub(crate) fn format(&self, format: FindingFormat, colours: Colours) -> String {
        match format {
            FindingFormat::Human => self.each(|it| render::human(it, &self.sources, colours)),
            FindingFormat::Json => self.each(|it| render::json(it, &self.sources)),
            FindingFormat::Github => self.each(|it| self.github(it)),
            FindingFormat::Sarif => self.sarif(),
            FindingFormat::Junit => self.junit(),
        }
    }

    fn each(&self, form: impl Fn(&Diagnostic) -> String) -> String {
        self.diagnostics.iter().map(form).collect::<Vec<_>>().join("\n")
    }

    fn place(&self, it: &Diagnostic) -> (String, usize, usize) {
        let file = it.file.as_deref().unwrap_or_default();
        let position = self.sources.position(file, it.span);
        let (line, column) = position.map_or((1, 1), |at| (at.line, at.column));
        (file.to_owned(), line, column)
    }

    /// A workflow command:
    /// <https://docs.github.com/actions/reference/workflow-commands-for-github-actions>
    fn github(&self, it: &Diagnostic) -> String {
        let kind = match it.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "notice",
        };
        let escape =
            |text: &str| text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A");
        let property = |text: &str| escape(text).replace(':', "%3A").replace(',', "%2C");
        let (file, line, column) = self.place(it);
        let title = property(it.code.as_str());
        let file = property(&file);
        let message = escape(&with_help(it));
        format!("::{kind} file={file},line={line},col={column},title={title}::{message}")
    }

    /// SARIF 2.1.0: <https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html>
    fn sarif(&self) -> String {
        let mut codes: Vec<&str> = self.diagnostics.iter().map(|it| it.code.as_str()).collect();
        codes.sort_unstable();
        codes.dedup();
        let rules: Vec<Value> = codes
            .iter()
            .map(|code| {
                let entry = crate::explain::find(code);
                json!({
                    "id": code,
                    "shortDescription": { "text": entry.map_or(*code, |it| it.summary) },
                    "fullDescription": { "text": entry.map_or("", |it| it.explanation) },
                })
            })
            .collect();
        let results: Vec<Value> = self.diagnostics.iter().map(|it| self.sarif_result(it)).collect();
        let log = json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{
                "tool": { "driver": {
                    "name": "portcullis",
                    "version": env!("CARGO_PKG_VERSION"),
                    "rules": rules,
                } },
                "columnKind": "unicodeCodePoints",
                "results": results,
            }],
        });
        serde_json::to_string_pretty(&log).unwrap_or_default()
    }

    fn sarif_result(&self, it: &Diagnostic) -> Value {
        let level = match it.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Note => "note",
        };
        let (file, line, column) = self.place(it);
        json!({
            "ruleId": it.code.as_str(),
            "level": level,
            "message": { "text": with_help(it) },
            "locations": [{ "physicalLocation": {
                "artifactLocation": { "uri": uri(&file) },
                "region": { "startLine": line, "startColumn": column },
            } }],
        })
    }

    /// A test suite in JUnit's XML: one case a file, failed if the file has an error.
    fn junit(&self) -> String {
        let failed = |file: &str| -> Vec<&Diagnostic> {
            let of_file = |it: &&Diagnostic| it.is_error() && it.file.as_deref() == Some(file);
            self.diagnostics.iter().filter(of_file).collect()
        };
        let cases: Vec<(&String, Vec<&Diagnostic>)> =
            self.files.iter().map(|file| (file, failed(file))).collect();
        let failures = cases.iter().filter(|(_, problems)| !problems.is_empty()).count();
        let mut lines = vec![
            r#"<?xml version="1.0" encoding="UTF-8"?>"#.to_owned(),
            format!(
                r#"<testsuite name="portcullis validate" tests="{}" failures="{failures}">"#,
                cases.len()
            ),
        ];
        for (file, problems) in cases {
            let name = xml(file);
            if problems.is_empty() {
                lines.push(format!(r#"  <testcase classname="policy" name="{name}"/>"#));
                continue;
            }
            let text: String = problems
                .iter()
                .map(|it| render::human(it, &self.sources, Colours::Off))
                .collect::<Vec<_>>()
                .join("\n");
            let message = problems.first().map(|it| xml(&it.message)).unwrap_or_default();
            lines.push(format!(r#"  <testcase classname="policy" name="{name}">"#));
            lines.push(format!(r#"    <failure message="{message}">{}</failure>"#, xml(&text)));
            lines.push("  </testcase>".to_owned());
        }
        lines.push("</testsuite>".to_owned());
        lines.join("\n")
    }
}

fn with_help(it: &Diagnostic) -> String {
    let more = [it.label.as_deref(), it.help.as_deref()];
    let mut text = it.message.clone();
    for part in more.into_iter().flatten() {
        text.push_str("; ");
        text.push_str(part);
    }
    text
}

/// A relative path as a URI reference.
fn uri(path: &str) -> String {
    path.replace('%', "%25").replace(' ', "%20").replace('#', "%23").replace('?', "%3F")
}

/// Text for XML content and attributes; what XML cannot hold becomes a replacement character.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use document::{Code, Diagnostic, Span};

    use super::*;

    fn findings() -> Findings {
        let file: Arc<str> = "named values/a & b.xml".into();
        let mut sources = Sources::new();
        sources.add(file.clone(), "<a>\n  <b/>\n</a>\n");
        let diagnostic = Diagnostic::error(Code::new("PC0401"), Span::new(6, 10), "unknown `b`")
            .label("50% wrong")
            .in_file(file.clone());
        Findings {
            diagnostics: vec![diagnostic],
            sources,
            files: vec![file.to_string(), "x".into()],
        }
    }

    #[test]
    fn github_gets_one_escaped_command_a_finding() {
        assert_eq!(
            findings().format(FindingFormat::Github, Colours::Off),
            "::error file=named values/a & b.xml,line=2,col=3,title=PC0401::unknown `b`; 50%25 wrong"
        );
    }

    #[test]
    fn sarif_names_rule_and_place() {
        let sarif: Value =
            serde_json::from_str(&findings().format(FindingFormat::Sarif, Colours::Off)).unwrap();
        let result = &sarif["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "PC0401");
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"]["uri"], "named%20values/a%20&%20b.xml");
        assert_eq!(place["region"]["startLine"], 2);
    }

    #[test]
    fn junit_counts_files() {
        let junit = findings().format(FindingFormat::Junit, Colours::Off);
        assert!(junit.contains(r#"tests="2" failures="1""#), "{junit}");
        assert!(junit.contains("named values/a &amp; b.xml"), "{junit}");
    }
}
