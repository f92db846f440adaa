//! `{% raw %}…{% endraw %}` and `{% literal %}`: text that is copied, braces and all.

use super::Opening;
use crate::error::{At, Failed};
use crate::node::{Flow, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};

#[derive(Debug)]
struct Raw {
    at: u32,
    text: Box<str>,
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let text = parser.raw(&opening);
    Some(Box::new(Raw { at: parser.place(opening.tag), text: text.into() }))
}

impl Tag for Raw {
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        cx.budget.steps(1).at(self.at)?;
        out.push(&self.text, cx).at(self.at)?;
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::render;

    #[test]
    fn braces_are_copied() {
        assert_eq!(render("{% raw %}{{ a }} {% if %}{% endraw %}b"), "{{ a }} {% if %}b");
        assert_eq!(render("{% literal %}{{ a | X }}{% endliteral %}"), "{{ a | X }}");
    }
}
