//! `{% case value %}{% when other, another %}…{% else %}…{% endcase %}`.
//!
//! As in DotLiquid every `when` that is equal is rendered, once for each value that is; `else` is
//! if none before it was. What stands before the first `when` is not rendered.

use super::Opening;
use crate::condition::Comparison;
use crate::error::{At, Failed};
use crate::markup::{Commas, Markup};
use crate::node::{Flow, Node, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};

#[derive(Debug)]
struct Case {
    at: u32,
    branches: Vec<Branch>,
}

#[derive(Debug)]
struct Branch {
    /// None: `else`.
    equalities: Option<Vec<Comparison>>,
    nodes: Vec<Node>,
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let subject = opening.markup.fragment(Commas::End).map(|it| it.0);
    if subject.is_none() {
        let flaw = opening.tag.flaw("`case` needs a value");
        parser.flaw(flaw.help("write {% case value %}"));
    }
    let mut branches = Vec::new();
    let (_, mut ending) = parser.block(&opening, &["when", "else"]);
    while let Some(name @ ("when" | "else")) = ending.name {
        let (is_when, markup, tag) = (name == "when", ending.markup, ending.tag);
        let equalities = is_when.then(|| equalities(subject, markup, tag, parser));
        if !is_when && !markup.trim().is_empty() {
            parser.flaw(markup.trim().flaw("`else` stands alone in a `case`"));
        }
        let (nodes, next) = parser.block(&opening, &["when", "else"]);
        branches.push(Branch { equalities, nodes });
        ending = next;
    }
    Some(Box::new(Case { at: parser.place(opening.tag), branches }))
}

/// The values of a `when`, separated by commas or `or`.
fn equalities<'a>(
    subject: Option<Markup<'a>>,
    markup: Markup<'a>,
    tag: Markup<'a>,
    parser: &mut Parser<'a>,
) -> Vec<Comparison> {
    let mut equalities = Vec::new();
    let mut rest = Some(markup);
    while let Some((value, behind)) = rest.and_then(|it| it.fragment(Commas::End)) {
        let left = subject.map(|it| parser.value(it));
        let right = parser.value(value);
        equalities.extend(left.map(|left| Comparison::equality(left, right)));
        let behind = behind.trim_start();
        let is_or = |it: &str| it.strip_prefix("or").is_some_and(|it| it.starts_with(' '));
        rest = match behind.text {
            text if text.starts_with(',') => Some(behind.from(1)),
            text if is_or(text) => Some(behind.from(2)),
            _ => None,
        };
    }
    if equalities.is_empty() && subject.is_some() {
        let flaw = tag.flaw("`when` needs a value");
        parser.flaw(flaw.help("write {% when value, other %}"));
    }
    equalities
}

impl Tag for Case {
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        let mut is_none = true;
        for branch in &self.branches {
            cx.budget.steps(1).at(self.at)?;
            let mut times = usize::from(branch.equalities.is_none() && is_none);
            for equality in branch.equalities.iter().flatten() {
                times += usize::from(equality.holds(cx).at(self.at)?);
            }
            is_none &= branch.equalities.is_none() || times == 0;
            for _ in 0..times {
                let flow = cx.render(&branch.nodes, out)?;
                if flow != Flow::Next {
                    return Ok(flow);
                }
            }
        }
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn branches_are_chosen_by_equality() {
        let template = |value: &str| {
            format!(
                "{{% assign x = {value} %}}{{% case x %}} lost {{% when 1 %}}one{{% when 2, 'b' or 3 %}}two{{% else %}}other{{% endcase %}}"
            )
        };
        for (value, expected) in
            [("1", "one"), ("'b'", "two"), ("3", "two"), ("'2'", "two"), ("nil", "other")]
        {
            assert_eq!(render(&template(value)), expected, "{value}");
        }
    }

    #[test]
    fn every_equal_branch_is_rendered() {
        let template = "{% case 1 %}{% when 1 %}a{% when 1, 1 %}b{% else %}c{% endcase %}";
        assert_eq!(render(template), "abb");
        assert_eq!(render("{% case 1 %}{% else %}a{% when 1 %}b{% endcase %}"), "ab");
    }

    #[test]
    fn values_are_needed() {
        assert_eq!(flaws("{% case %}{% when 1 %}{% endcase %}"), ["0..10 `case` needs a value"]);
        assert_eq!(flaws("{% case 1 %}{% when %}{% endcase %}"), ["12..22 `when` needs a value"]);
        assert_eq!(
            flaws("{% case 1 %}{% else x %}{% endcase %}"),
            ["20..21 `else` stands alone in a `case`"]
        );
        assert_eq!(flaws("{% case 1 %}{% when 1 %}").len(), 1);
    }
}
