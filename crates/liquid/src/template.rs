//! A compiled template.

use std::collections::HashSet;
use std::fmt;

use dotnet::Str;

use crate::error::{Failed, Flaw, RenderError};
use crate::limits::{Budget, Limits};
use crate::node::Node;
use crate::parse::parse;
use crate::render::{Out, RenderCx};
use crate::scan::Trimmed;
use crate::value::Value;

/// A compiled template. It can be rendered many times, by several threads at once.
pub struct Template {
    nodes: Vec<Node>,
    /// The names that are used, each with the members that are known; empty: any.
    names: HashSet<Vec<Str>>,
    warnings: Vec<Flaw>,
    /// The text, for places of failures.
    source: Box<str>,
}

/// Shows no text: named values in it may be secret.
impl fmt::Debug for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Template").field("n_nodes", &self.nodes.len()).finish_non_exhaustive()
    }
}

impl Template {
    /// Compiles a text.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with it.
    pub fn compile(text: &str) -> Result<Template, Vec<Flaw>> {
        Template::of(text, false)
    }

    /// Compiles the source of markup: in outputs and tags `&lt;` stands for `<`, and so on.
    ///
    /// # Errors
    ///
    /// As [`Template::compile`].
    pub fn compile_markup(text: &str) -> Result<Template, Vec<Flaw>> {
        Template::of(text, true)
    }

    fn of(text: &str, is_markup: bool) -> Result<Template, Vec<Flaw>> {
        let trimmed = Trimmed::new(text, is_markup);
        let parsed = parse(&trimmed);
        if !parsed.flaws.is_empty() {
            return Err(parsed.flaws);
        }
        let (nodes, names, warnings) = (parsed.nodes, parsed.names, parsed.warnings);
        Ok(Template { nodes, names, warnings, source: text.into() })
    }

    /// What is allowed and probably not meant.
    #[must_use]
    pub fn warnings(&self) -> &[Flaw] {
        &self.warnings
    }

    /// Whether the template may look at a value, given by a name and names of members: at the value
    /// itself, at what it is a member of, or at one of its members.
    #[must_use]
    pub fn uses(&self, names: &[&str]) -> bool {
        self.names.iter().any(|used| {
            let is_same = |it: (&Str, &&str)| it.0.as_str().eq_ignore_ascii_case(it.1);
            used.iter().zip(names).all(is_same)
        })
    }

    /// Renders the template.
    ///
    /// `given` are values by name, `now` is the time in ticks of 100 ns since the year 1 (UTC).
    ///
    /// # Errors
    ///
    /// A filter or comparison that cannot work on its values, or a bound of `limits`.
    pub fn render(
        &self,
        given: &[(&str, Value)],
        limits: &Limits,
        now: i64,
    ) -> Result<String, RenderError> {
        let mut cx = RenderCx::new(given, Budget::new(limits), now);
        let mut out = Out::default();
        cx.render(&self.nodes, &mut out).map_err(|it| self.error(it))?;
        Ok(out.into_text())
    }

    fn error(&self, failed: Failed) -> RenderError {
        let before = self.source.get(..failed.at as usize).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        RenderError { line, column, reason: failed.stop.reason() }
    }
}

#[cfg(test)]
pub(crate) mod test {
    //! What tests of this crate render.

    use super::*;

    /// 2026-01-01T00:00:00Z.
    pub(crate) const NOW: i64 = 639_028_224_000_000_000;

    pub(crate) fn render_with(template: &str, given: &[(&str, Value)]) -> String {
        match Template::compile(template) {
            Err(flaws) => format!("{flaws:?}"),
            Ok(template) => match template.render(given, &Limits::default(), NOW) {
                Ok(text) => text,
                Err(error) => format!("! {error}"),
            },
        }
    }

    pub(crate) fn render(template: &str) -> String {
        render_with(template, &[])
    }

    fn shown(flaws: &[Flaw]) -> Vec<String> {
        let show = |it: &Flaw| format!("{}..{} {}", it.span.start, it.span.end, it.message);
        flaws.iter().map(show).collect()
    }

    pub(crate) fn flaws(template: &str) -> Vec<String> {
        shown(&Template::compile(template).map_or_else(|it| it, |_| Vec::new()))
    }

    pub(crate) fn warnings(template: &str) -> Vec<String> {
        shown(Template::compile(template).unwrap().warnings())
    }
}

#[cfg(test)]
mod tests {
    use super::test::{NOW, render, render_with};
    use super::*;

    #[test]
    fn text_is_copied_and_values_are_put_in() {
        assert_eq!(render("a } {x} é"), "a } {x} é");
        let given = [("body", Value::hash([("x", Value::from("1 < 2"))]))];
        assert_eq!(render_with("<a>{{ body.x }}</a>", &given), "<a>1 < 2</a>");
        assert_eq!(render("[{{ nothing.at.all }}{{ }}]"), "[]");
    }

    #[test]
    fn a_failure_says_line_and_column_in_characters() {
        let template = Template::compile("é\nöä {{ 'x' | Minus: 1 }}").unwrap();
        let error = template.render(&[], &Limits::default(), NOW).unwrap_err();
        assert_eq!((error.line, error.column), (2, 13));
    }

    #[test]
    fn a_template_tells_what_it_uses() {
        let template = Template::compile(
            "{{ context.Variables['a'].b }}{% if body %}{{ body.x }}{% endif %}{{ y[z.w] }}",
        )
        .unwrap();
        for (names, expected) in [
            (&["body"][..], true),
            (&["body", "other"], true),
            (&["context"], true),
            (&["context", "variables"], true),
            (&["context", "Variables", "b"], false),
            (&["context", "Request"], false),
            (&["z", "w"], true),
            (&["query"], false),
        ] {
            assert_eq!(template.uses(names), expected, "{names:?}");
        }
        assert!(Template::compile("{{ [x] }}").unwrap().uses(&["body"]));
    }

    #[test]
    fn each_bound_stops_a_rendering() {
        let limits = Limits { steps: 500, output_bytes: 100, work_bytes: 10_000 };
        let outcome = |text: &str| {
            let template = Template::compile(text).unwrap();
            match template.render(&[], &limits, NOW) {
                Ok(text) => text.len().to_string(),
                Err(error) => error.to_string(),
            }
        };
        let steps = "takes more steps than allowed";
        let double = "{% assign x = 'ab' %}{% for i in (1..20) %}{% assign x = x | Append: x %}";
        for (text, expected) in [
            ("{% for i in (1..90) %}x{% endfor %}", "90"),
            ("{% for i in (1..101) %}x{% endfor %}", "longer than 100 bytes"),
            ("{% for i in (1..1000000000) %}{% endfor %}", steps),
            ("{% for i in (1..99) %}{% for j in (1..99) %}{% endfor %}{% endfor %}", steps),
            ("{{ (1..2000000000) }}", "makes more text than allowed"),
            (&format!("{double}{{% endfor %}}"), "makes more text than allowed"),
            ("{% capture x %}{% for i in (1..101) %}x{% endfor %}{% endcapture %}", "longer than"),
        ] {
            assert!(outcome(text).contains(expected), "{text}: {}", outcome(text));
        }
    }
}
