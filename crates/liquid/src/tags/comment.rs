//! `{% comment %}…{% endcomment %}`: renders nothing. What stands inside has to be well-formed.

use super::Opening;
use crate::error::Failed;
use crate::node::{Flow, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};

#[derive(Debug)]
struct Comment;

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    parser.block(&opening, &[]);
    Some(Box::new(Comment))
}

impl Tag for Comment {
    fn render(&self, _: &mut Out, _: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn a_comment_renders_nothing() {
        assert_eq!(
            render("a{% comment %}don't {{ b }}{% assign c = 1 %}{% endcomment %}{{ c }}d"),
            "ad"
        );
        assert_eq!(flaws("{% comment %}{% x %}{% endcomment %}"), ["16..17 unknown tag `x`"]);
        assert_eq!(
            flaws("{% comment %}"),
            ["0..13 `comment` is not closed: `endcomment` is missing"]
        );
    }
}
