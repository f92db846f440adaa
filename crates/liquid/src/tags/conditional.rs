//! `{% if %}`, `{% elsif %}` (or `elseif`), `{% else %}`; and `{% unless %}`, whose first condition
//! must not hold.

use super::Opening;
use crate::condition::Condition;
use crate::error::{At, Failed};
use crate::node::{Flow, Node, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};

#[derive(Debug)]
struct Conditional {
    at: u32,
    branches: Vec<Branch>,
}

#[derive(Debug)]
struct Branch {
    /// None: `else`.
    condition: Option<Condition>,
    /// Whether the condition must not hold.
    is_inverted: bool,
    nodes: Vec<Node>,
}

const MIDDLES: &[&str] = &["elsif", "elseif", "else"];

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let mut is_inverted = opening.name.text == "unless";
    let mut condition = Some(Condition::parse(opening.markup, opening.tag, parser));
    let mut branches = Vec::new();
    loop {
        let (nodes, ending) = parser.block(&opening, MIDDLES);
        branches.push(Branch { condition, is_inverted, nodes });
        is_inverted = false;
        condition = match ending.name {
            Some("elsif" | "elseif") => Some(Condition::parse(ending.markup, ending.tag, parser)),
            Some("else") => None,
            _ => break,
        };
    }
    Some(Box::new(Conditional { at: parser.place(opening.tag), branches }))
}

impl Tag for Conditional {
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        for branch in &self.branches {
            cx.budget.steps(1).at(self.at)?;
            let holds = match &branch.condition {
                Some(condition) => condition.holds(cx).at(self.at)? != branch.is_inverted,
                None => true,
            };
            if holds {
                return cx.render(&branch.nodes, out);
            }
        }
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn the_first_branch_whose_condition_holds_is_rendered() {
        for (template, expected) in [
            ("{% if true %}a{% else %}b{% endif %}", "a"),
            ("{% if false %}a{% elsif 1 == 1 %}b{% else %}c{% endif %}", "b"),
            ("{% if false %}a{% elseif nil %}b{% else %}c{% endif %}", "c"),
            ("{% if false %}a{% endif %}", ""),
            ("{% unless false %}a{% else %}b{% endunless %}", "a"),
            ("{% unless true %}a{% elsif true %}b{% endunless %}", "b"),
            ("{% if true %}{% if false %}a{% endif %}b{% endif %}", "b"),
            ("{%if true%}a{%else%}b{%elsif true%}c{%endif%}", "a"),
        ] {
            assert_eq!(render(template), expected, "{template}");
        }
    }

    #[test]
    fn a_branch_outside_of_its_block_is_a_flaw() {
        assert_eq!(flaws("{% else %}"), ["3..7 unknown tag `else`"]);
        assert_eq!(flaws("{% endif %}"), ["3..8 unknown tag `endif`"]);
        assert_eq!(flaws("{% if a %}{% elsif %}{% endif %}"), ["10..21 a condition is missing"]);
    }
}
