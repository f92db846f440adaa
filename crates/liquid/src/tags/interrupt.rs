//! `{% break %}` and `{% continue %}`: leave the loop, or its round. Outside of a loop they end the
//! template.

use super::Opening;
use crate::error::Failed;
use crate::node::{Flow, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};

#[derive(Debug)]
struct Interrupt(Flow);

pub(crate) fn parse<'a>(opening: Opening<'a>, _: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let is_break = opening.name.text == "break";
    Some(Box::new(Interrupt(if is_break { Flow::Break } else { Flow::Continue })))
}

impl Tag for Interrupt {
    fn render(&self, _: &mut Out, _: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        Ok(self.0)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::render;

    #[test]
    fn outside_of_a_loop_the_template_ends() {
        assert_eq!(render("a{% break %}b"), "a");
        assert_eq!(render("a{% if true %}{% continue %}{% endif %}b"), "a");
    }
}
