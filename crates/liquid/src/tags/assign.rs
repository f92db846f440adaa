//! `{% assign name = value | filters %}`: stores a value for the rest of the template.

use dotnet::Str;

use super::Opening;
use crate::error::{At, Failed};
use crate::markup::Markup;
use crate::node::{Computed, Flow, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};
use crate::scan::is_word;
use crate::value::Value;

#[derive(Debug)]
struct Assign {
    at: u32,
    name: Str,
    /// None for `assign x = `.
    value: Option<Computed>,
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let Some((name, value)) = sides(opening.markup) else {
        let flaw = opening.tag.flaw("`assign` needs a name and a value");
        parser.flaw(flaw.help("write {% assign name = value %}"));
        return None;
    };
    let value = parser.computed(value);
    Some(Box::new(Assign { at: parser.place(opening.tag), name: name.text.into(), value }))
}

/// The name just before the first `=` that has one, and what stands behind it.
fn sides(markup: Markup<'_>) -> Option<(Markup<'_>, Markup<'_>)> {
    let is_name = |ch: char| is_word(ch) || "-.[]()".contains(ch);
    let equals = markup.text.match_indices('=').map(|(at, _)| at);
    equals.into_iter().find_map(|at| {
        let before = markup.slice(0..at).trim();
        let start = before.text.char_indices().rev().take_while(|it| is_name(it.1)).last()?.0;
        Some((before.from(start), markup.from(at + 1)))
    })
}

impl Tag for Assign {
    fn render(&self, _: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        cx.budget.steps(1).at(self.at)?;
        let value = match &self.value {
            Some(value) => value.get(cx)?,
            None => Value::Nil,
        };
        cx.assign(&self.name, value);
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn a_value_is_stored_for_the_rest_of_the_template() {
        for (template, expected) in [
            ("{% assign x = 'a' | Append: 'b' %}{{ x }}", "ab"),
            ("{%assign x=1%}{{x}}", "1"),
            ("{% for i in (1..3) %}{% assign x = i %}{% endfor %}{{ x }}", "3"),
            ("{% assign x = 1 %}{% assign x = nothing %}[{{ x }}]", "[]"),
            ("{% assign x = 1 %}{% assign x = %}[{{ x }}]", "[]"),
            ("{% assign i = 9 %}{% for i in (1..2) %}{{ i }}{% endfor %}{{ i }}", "129"),
            ("{% assign x = 'a,b' | Split: ',' %}{{ x[1] }}", "b"),
        ] {
            assert_eq!(render(template), expected, "{template}");
        }
    }

    #[test]
    fn a_name_and_a_value_are_needed() {
        assert_eq!(flaws("{% assign x %}"), ["0..14 `assign` needs a name and a value"]);
        assert_eq!(flaws("{% assign = 1 %}"), ["0..16 `assign` needs a name and a value"]);
    }
}
