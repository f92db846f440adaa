//! Reading case files.
//!
//! Cases are parted by lines of `===`. A case is a name and sections that begin with `---`:
//!
//! - `body`, `templates` or `stylesheet`: the stylesheet; the first two without what goes around;
//! - `output`: attributes of `xsl:output`, for the first two;
//! - `params`: lines of `name=text`;
//! - `input`: the document, else `<a/>`;
//! - `expected`: the result, `messages`: texts of `xsl:message`, one a line;
//! - `xpath`: lines of `expression => text`, in place of stylesheet and result;
//! - `xsltproc`: what libxslt gives where it differs. It is not checked.
//!
//! Results were recorded from `XslCompiledTransform` of .NET Core 3.1.

use std::fs;
use std::path::Path;

/// A stylesheet, a document and a result.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) stylesheet: String,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) input: String,
    pub(crate) expected: String,
    pub(crate) messages: Option<String>,
}

/// Every case of every file.
pub(crate) fn all() -> Vec<Case> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()).collect();
    paths.sort();
    let mut cases = Vec::new();
    for path in paths {
        let file = path.file_stem().unwrap().to_str().unwrap().to_owned();
        for text in fs::read_to_string(&path).unwrap().trim_end().split("\n===\n") {
            read(&file, text, &mut cases);
        }
    }
    cases
}

/// A stylesheet around declarations.
pub(crate) fn wrapped(output: &str, top: &str) -> String {
    format!(
        "<xsl:stylesheet version=\"1.0\" xmlns:xsl=\"http://www.w3.org/1999/XSL/Transform\" \
         xmlns:msxsl=\"urn:schemas-microsoft-com:xslt\" xmlns:exsl=\"http://exslt.org/common\" \
         exclude-result-prefixes=\"msxsl exsl\"><xsl:output {output}/>{top}</xsl:stylesheet>"
    )
}

fn read(file: &str, text: &str, cases: &mut Vec<Case>) {
    let mut parts = text.trim_start_matches('\n').split("\n--- ");
    let name = format!("{file}: {}", parts.next().unwrap().trim());
    let sections: Vec<(&str, &str)> = parts
        .map(|it| it.split_once('\n').unwrap_or((it, "")))
        .map(|(head, body)| (head.trim(), body))
        .collect();
    let section = |wanted: &str| sections.iter().find(|it| it.0 == wanted).map(|it| it.1);
    let input = section("input").unwrap_or("<a/>").to_owned();
    if let Some(lines) = section("xpath") {
        for line in lines.lines().filter(|it| !it.trim().is_empty()) {
            let (expression, expected) = line.split_once(" => ").unwrap_or((line, ""));
            let select =
                expression.trim().replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
            let top = format!(
                "<xsl:template match=\"/\"><xsl:value-of select=\"{select}\"/></xsl:template>"
            );
            cases.push(Case {
                name: format!("{name}: {expression}"),
                stylesheet: wrapped("method=\"text\"", &top),
                params: Vec::new(),
                input: input.clone(),
                expected: expected.replace("\\n", "\n"),
                messages: None,
            });
        }
        return;
    }
    let output = section("output").unwrap_or("omit-xml-declaration=\"yes\"");
    let stylesheet = match (section("stylesheet"), section("templates"), section("body")) {
        (Some(whole), ..) => whole.to_owned(),
        (_, Some(top), _) => wrapped(output, top),
        (_, _, Some(body)) => {
            wrapped(output, &format!("<xsl:template match=\"/\">{body}</xsl:template>"))
        }
        _ => panic!("{name} has no stylesheet"),
    };
    let params = section("params").unwrap_or("").lines();
    cases.push(Case {
        stylesheet,
        params: params
            .map(|it| it.split_once('=').unwrap())
            .map(|(a, b)| (a.into(), b.into()))
            .collect(),
        input,
        expected: section("expected")
            .unwrap_or_else(|| panic!("{name} expects nothing"))
            .to_owned(),
        messages: section("messages").map(str::to_owned),
        name,
    });
}
