//! `{% ifchanged %}…{% endifchanged %}`: writes what is rendered inside unless it is what the last
//! such tag wrote.

use super::Opening;
use crate::error::{At, Failed};
use crate::node::{Flow, Node, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};

#[derive(Debug)]
struct IfChanged {
    at: u32,
    nodes: Vec<Node>,
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let (nodes, _) = parser.block(&opening, &[]);
    Some(Box::new(IfChanged { at: parser.place(opening.tag), nodes }))
}

impl Tag for IfChanged {
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        cx.budget.steps(1).at(self.at)?;
        let (flow, text) = cx.capture(&self.nodes)?;
        if flow == Flow::Next && cx.last_changed.as_ref().is_none_or(|it| *it != *text) {
            out.push(&text, cx).at(self.at)?;
            cx.last_changed = Some(text.into());
        }
        Ok(flow)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::render_with;
    use crate::value::Value;

    #[test]
    fn repeated_text_is_written_once() {
        let given = [("l", Value::list([1, 1, 2, 2, 1].map(Value::Int)))];
        let template = "{% for i in l %}{% ifchanged %}{{ i }}{% endifchanged %}{% endfor %}";
        assert_eq!(render_with(template, &given), "121");
    }
}
