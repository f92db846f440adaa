//! `{% capture name %}…{% endcapture %}`: stores what is rendered inside as a text.

use dotnet::Str;

use super::Opening;
use crate::error::{At, Failed};
use crate::node::{Flow, Node, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};
use crate::scan::is_word;
use crate::value::Value;

#[derive(Debug)]
struct Capture {
    at: u32,
    name: Str,
    nodes: Vec<Node>,
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let start = opening.markup.text.find(is_word);
    let name = start.and_then(|it| opening.markup.from(it).word());
    let (nodes, _) = parser.block(&opening, &[]);
    let Some(name) = name else {
        let flaw = opening.tag.flaw("`capture` needs a name");
        parser.flaw(flaw.help("write {% capture name %}"));
        return None;
    };
    Some(Box::new(Capture { at: parser.place(opening.tag), name: name.text.into(), nodes }))
}

impl Tag for Capture {
    fn render(&self, _: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        cx.budget.steps(1).at(self.at)?;
        let (flow, text) = cx.capture(&self.nodes)?;
        if flow == Flow::Next {
            cx.assign(&self.name, Value::from(text));
        }
        Ok(flow)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn what_is_rendered_inside_is_stored() {
        for (template, expected) in [
            ("{% capture x %}a{{ 1 }}{% endcapture %}[{{ x | Upcase }}]", "[A1]"),
            ("{% capture 'x' %}a{% endcapture %}{{ x }}", "a"),
            // What is left early is not stored.
            (
                "{% for i in (1..2) %}{% capture x %}{{ i }}{% break %}{% endcapture %}{% endfor %}[{{ x }}]",
                "[]",
            ),
        ] {
            assert_eq!(render(template), expected, "{template}");
        }
        assert_eq!(flaws("{% capture %}{% endcapture %}"), ["0..13 `capture` needs a name"]);
    }
}
