//! `{% cycle 'a', 'b' %}` writes its values in turn; `{% cycle group: 'a', 'b' %}` does so for each
//! value of `group`.

use dotnet::Str;

use super::Opening;
use crate::error::{At, Failed, Stop};
use crate::expr::Expr;
use crate::markup::{Commas, Markup, quoted_end};
use crate::node::{Flow, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};
use crate::value::Value;

#[derive(Debug)]
struct Cycle {
    at: u32,
    group: Expr,
    values: Vec<Expr>,
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let markup = opening.markup.trim();
    let named = markup.fragment_here(Commas::End).and_then(|(group, behind)| {
        // The colon may stand apart from the name or be taken for its end.
        match group.text.strip_suffix(':') {
            Some(name) if !name.is_empty() => Some((group.slice(0..name.len()), behind)),
            _ => {
                let behind = behind.trim_start();
                behind.text.starts_with(':').then(|| (group, behind.from(1)))
            }
        }
    });
    let list = named.map_or(markup, |it| it.1);
    let parts: Vec<Markup<'a>> = at_commas(list).into_iter().map(Markup::trim).collect();
    let values: Vec<Expr> = parts.iter().map(|it| parser.value(fragment(*it))).collect();
    if markup.is_empty() || list.trim().is_empty() {
        let flaw = opening.tag.flaw("`cycle` needs values");
        parser.flaw(flaw.help("write {% cycle 'a', 'b' %} or {% cycle name: 'a', 'b' %}"));
        return None;
    }
    let group = match named {
        Some((group, _)) => parser.value(group),
        None => {
            let texts: String = parts.iter().map(|it| it.text).collect();
            Expr::Literal(Value::from(texts))
        }
    };
    Some(Box::new(Cycle { at: parser.place(opening.tag), group, values }))
}

fn fragment(markup: Markup<'_>) -> Markup<'_> {
    markup.fragment(Commas::End).map_or(markup, |it| it.0)
}

fn at_commas(markup: Markup<'_>) -> Vec<Markup<'_>> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    while let Some(ch) = markup.text.get(at..).and_then(|it| it.chars().next()) {
        if ch == ',' {
            parts.push(markup.slice(from..at));
            from = at + 1;
        }
        at = match ch {
            '"' | '\'' => quoted_end(markup.text, at).unwrap_or(at + 1),
            _ => at + ch.len_utf8(),
        };
    }
    parts.push(markup.from(from));
    parts
}

impl Cycle {
    fn next(&self, cx: &mut RenderCx<'_>) -> Result<Str, Stop> {
        cx.budget.steps(1)?;
        let group = cx.eval(&self.group)?;
        cx.budget.makes(group.weight())?;
        let slot = cx.cycles.entry(group.to_text()).or_default();
        let at = *slot % self.values.len().max(1);
        *slot = at + 1;
        let value = match self.values.get(at) {
            Some(value) => cx.eval(value)?,
            None => Value::Nil,
        };
        cx.budget.makes(value.weight())?;
        Ok(value.to_text())
    }
}

impl Tag for Cycle {
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        let text = self.next(cx).at(self.at)?;
        out.push(text.as_str(), cx).at(self.at)?;
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn values_come_in_turn() {
        for (template, expected) in [
            ("{% for i in (1..4) %}{% cycle 'a', 'b', i %}{% endfor %}", "ab3a"),
            ("{% cycle 'a,b', 'c' %}{% cycle 'a,b', 'c' %}", "a,bc"),
            ("{% cycle 'a', 'b' %}{% cycle 'a', 'c' %}{% cycle 'a', 'b' %}", "aab"),
            ("{% cycle 'x': 'a', 'b' %}{% cycle 'y': 'a', 'b' %}{% cycle 'x': 'a', 'b' %}", "aab"),
            ("{% assign g = 1 %}{% cycle g: 'a', 'b' %}{% cycle g : 'a', 'b' %}", "ab"),
            ("{% cycle nothing, 'b' %}{% cycle nothing, 'b' %}", "b"),
        ] {
            assert_eq!(render(template), expected, "{template}");
        }
        assert_eq!(flaws("{% cycle %}"), ["0..11 `cycle` needs values"]);
        assert_eq!(flaws("{% cycle x: %}"), ["0..14 `cycle` needs values"]);
    }
}
