//! `{% increment name %}` writes 0, 1, 2 …; `{% decrement name %}` writes -1, -2 ….
//!
//! Both count what `assign` cannot change, though a name that is assigned hides it.

use dotnet::Str;

use super::Opening;
use crate::error::{At, Failed};
use crate::node::{Flow, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};
use crate::value::Value;

#[derive(Debug)]
struct Counter {
    at: u32,
    name: Str,
    is_down: bool,
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let Some(name) = opening.markup.word() else {
        let message = format!("`{}` needs a name", opening.name.text);
        parser.flaw(opening.tag.flaw(message));
        return None;
    };
    let is_down = opening.name.text == "decrement";
    Some(Box::new(Counter { at: parser.place(opening.tag), name: name.text.into(), is_down }))
}

impl Tag for Counter {
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        cx.budget.steps(1).at(self.at)?;
        let at = cx.counters.iter().position(|it| it.0 == self.name);
        let at = at.unwrap_or_else(|| {
            cx.counters.push((self.name.clone(), 0));
            cx.counters.len() - 1
        });
        let Some((_, count)) = cx.counters.get_mut(at) else { return Ok(Flow::Next) };
        let shown = if self.is_down { count.wrapping_sub(1) } else { *count };
        *count = if self.is_down { shown } else { count.wrapping_add(1) };
        out.push(Value::Int(shown).to_output().as_str(), cx).at(self.at)?;
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn counters_count_up_and_down() {
        assert_eq!(render("{% increment a %}{% increment a %}{{ a }}"), "012");
        assert_eq!(render("{% decrement a %}{% decrement a %}{{ a }}"), "-1-2-2");
        assert_eq!(render("{% assign a = 7 %}{% increment a %}{{ a }}{% increment a %}"), "071");
        assert_eq!(flaws("{% increment %}"), ["0..15 `increment` needs a name"]);
    }
}
