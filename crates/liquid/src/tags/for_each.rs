//! `{% for item in list limit:2 offset:1 %}…{% else %}…{% endfor %}`, also `reversed`; and
//! `{% JSONArrayFor item in list %}`, which writes commas between the rounds.
//!
//! `offset:continue` goes on where the last loop of the same name and list ended. A loop over an
//! object sees its members; over a text its characters.
//!
//! Source: <https://learn.microsoft.com/azure/api-management/set-body-policy>

use dotnet::Str;

use super::Opening;
use crate::error::{At, Failed, Stop};
use crate::expr::Expr;
use crate::markup::{Commas, Markup, attributes};
use crate::node::{Flow, Node, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};
use crate::scan::is_word;
use crate::value::Value;

#[derive(Debug)]
struct ForEach {
    at: u32,
    variable: Str,
    /// Name and list, for `offset:continue` and `forloop.name`.
    name: Str,
    list: Expr,
    offset: Offset,
    limit: Option<Expr>,
    is_reversed: bool,
    /// What stands between two rounds.
    separator: &'static str,
    uses_forloop: bool,
    nodes: Vec<Node>,
    otherwise: Vec<Node>,
}

#[derive(Debug)]
enum Offset {
    None,
    Continue,
    At(Expr),
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let head = head(opening.markup);
    if head.is_none() {
        let flaw = opening.tag.flaw(format!("`{}` needs a name and a list", opening.name.text));
        let help = format!("write {{% {} item in list %}}", opening.name.text);
        parser.flaw(flaw.help(help));
    }
    let list = head.map_or(Expr::Literal(Value::Nil), |it| parser.value(it.1));
    let (mut offset, mut limit) = (Offset::None, None);
    for (name, value) in attributes(opening.markup) {
        match name {
            "offset" if value.text == "continue" => offset = Offset::Continue,
            "offset" => offset = Offset::At(parser.value(value)),
            "limit" => limit = Some(parser.value(value)),
            _ => {
                let flaw = value.flaw(format!("`{name}` has no effect here"));
                parser.warn(flaw.help("`for` knows `limit` and `offset`"));
            }
        }
    }
    let outer = std::mem::take(&mut parser.names);
    let (nodes, ending) = parser.block(&opening, &["else"]);
    let uses_forloop = parser.names.iter().any(|it| match it.first() {
        Some(name) => *name == "forloop",
        None => true,
    });
    parser.names.extend(outer);
    let otherwise = match ending.name {
        Some("else") => parser.block(&opening, &[]).0,
        _ => Vec::new(),
    };
    let (variable, list_markup, behind) = head?;
    let is_json = opening.name.text == "JSONArrayFor";
    Some(Box::new(ForEach {
        at: parser.place(opening.tag),
        variable: variable.text.into(),
        name: format!("{}-{}", variable.text, list_markup.text).into(),
        list,
        offset,
        limit,
        is_reversed: behind.text.trim_start().starts_with("reversed"),
        separator: if is_json { "," } else { "" },
        uses_forloop,
        nodes,
        otherwise,
    }))
}

/// `item in list`: the name, the list, and what follows.
pub(super) fn head(markup: Markup<'_>) -> Option<(Markup<'_>, Markup<'_>, Markup<'_>)> {
    let variable = markup.from(markup.text.find(is_word)?).word()?;
    let behind = markup.from(variable.span().end - markup.start);
    let list = behind.trim_start();
    let list = list.from(list.text.strip_prefix("in").map(|_| 2)?);
    if !list.text.starts_with(char::is_whitespace) || behind.text.len() == list.text.len() + 2 {
        return None;
    }
    let (list, rest) = list.trim_start().fragment_here(Commas::End)?;
    Some((variable, list, rest))
}

impl ForEach {
    fn segment(&self, cx: &mut RenderCx<'_>) -> Result<Vec<Value>, Stop> {
        let list = cx.eval(&self.list)?;
        let Some(n_items) = list.len() else { return Ok(Vec::new()) };
        let number = |expr: &Expr, cx: &mut RenderCx<'_>| -> Result<usize, Stop> {
            let value = cx.eval(expr)?.to_int()?.unwrap_or(0);
            Ok(usize::try_from(value).unwrap_or(0))
        };
        let from = match &self.offset {
            Offset::None => 0,
            Offset::Continue => cx.offsets.get(&self.name).copied().unwrap_or(0),
            Offset::At(at) => number(at, cx)?,
        };
        let to = match &self.limit {
            Some(limit) => number(limit, cx)?.saturating_add(from).min(n_items),
            None => n_items,
        };
        let mut items = Vec::new();
        for at in from..to {
            cx.budget.steps(1)?;
            items.extend(list.item(at));
        }
        if !items.is_empty() {
            cx.offsets.insert(self.name.clone(), from + items.len());
        }
        if self.is_reversed {
            items.reverse();
        }
        Ok(items)
    }

    fn forloop(&self, at: usize, length: usize) -> Value {
        let int = |value: usize| Value::Int(i32::try_from(value).unwrap_or(i32::MAX));
        if !self.uses_forloop {
            return Value::Nil;
        }
        Value::hash([
            (Str::from_static("name"), Value::Text(self.name.clone())),
            (Str::from_static("length"), int(length)),
            (Str::from_static("index"), int(at + 1)),
            (Str::from_static("index0"), int(at)),
            (Str::from_static("rindex"), int(length - at)),
            (Str::from_static("rindex0"), int(length - at - 1)),
            (Str::from_static("first"), Value::Bool(at == 0)),
            (Str::from_static("last"), Value::Bool(at + 1 == length)),
        ])
    }
}

impl Tag for ForEach {
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        cx.budget.steps(1).at(self.at)?;
        let items = self.segment(cx).at(self.at)?;
        if items.is_empty() {
            return cx.render(&self.otherwise, out);
        }
        let length = items.len();
        let outer = cx.scopes.len();
        for (at, item) in items.into_iter().enumerate() {
            cx.budget.steps(1).at(self.at)?;
            cx.scopes.truncate(outer);
            cx.scopes.push((self.variable.clone(), item));
            cx.scopes.push((Str::from_static("forloop"), self.forloop(at, length)));
            if at > 0 {
                out.push(self.separator, cx).at(self.at)?;
            }
            if cx.render(&self.nodes, out)? == Flow::Break {
                break;
            }
        }
        cx.scopes.truncate(outer);
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render, render_with, warnings};
    use crate::value::Value;

    #[test]
    fn a_loop_goes_through_a_list() {
        for (template, expected) in [
            ("{% for i in (1..3) %}{{ i }}{% endfor %}", "123"),
            ("{% for i in (1..3) reversed %}{{ i }}{% endfor %}", "321"),
            ("{% for i in (1..9) limit:2 offset: 3 %}{{ i }}{% endfor %}", "45"),
            (
                "{% for i in (1..9) limit:2 %}{{ i }}{% endfor %}{% for i in (1..9) offset:continue limit:3 %}{{ i }}{% endfor %}",
                "12345",
            ),
            ("{% for i in (1..3) offset:9 %}{{ i }}{% else %}none{% endfor %}", "none"),
            ("{% for i in nothing %}{{ i }}{% else %}none{% endfor %}", "none"),
            ("{% for c in 'abc' %}{{ c }}.{% endfor %}", "a.b.c."),
            ("{% for i in 5 %}x{% endfor %}", ""),
            (
                "{% for i in (1..2) %}{% for j in (1..2) %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
                "11 12 21 22 ",
            ),
            (
                "{% for i in (1..9) %}{% if i == 3 %}{% break %}{% endif %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}",
                "2",
            ),
            ("{% for i in (1..3) limit:nothing %}x{% endfor %}", ""),
        ] {
            assert_eq!(render(template), expected, "{template}");
        }
    }

    #[test]
    fn forloop_tells_where_the_loop_is() {
        let members = ["index", "index0", "rindex", "rindex0", "first", "last", "length", "name"];
        let texts = members.map(|it| format!("{{{{ forloop.{it} }}}}"));
        let template = format!("{{% for x in (1..2) %}}{};{{% endfor %}}", texts.join(" "));
        let expected = "1 0 2 1 true false 2 x-(1..2);2 1 1 0 false true 2 x-(1..2);";
        assert_eq!(render(&template), expected);
        assert_eq!(render("{% for x in (1..2) %}{{ ['forloop'].index }}{% endfor %}"), "12");
    }

    #[test]
    fn an_array_for_writes_commas_between_the_items() {
        let item = |name: &str| Value::hash([("name", Value::from(name))]);
        let given = [("body", Value::list([item("a"), item("b")]))];
        let template =
            "[{% JSONArrayFor x in body %}{\"n\":\"{{ x.name }}\"}{% endJSONArrayFor %}]";
        assert_eq!(render_with(template, &given), r#"[{"n":"a"},{"n":"b"}]"#);
        assert_eq!(render(template), "[]");
    }

    #[test]
    fn a_name_and_a_list_are_needed() {
        for text in ["for", "for x", "for x of y", "for x in", "for xin y", "for x iny"] {
            let template = format!("{{% {text} %}}{{% endfor %}}");
            let end = text.len() + 6;
            assert_eq!(flaws(&template), [format!("0..{end} `for` needs a name and a list")]);
        }
        let found = flaws("{% JSONArray For p in l %}{% endJSONArrayFor %}");
        assert_eq!(
            found,
            ["3..12 unknown tag `JSONArray`", "29..44 unknown tag `endJSONArrayFor`"]
        );
        assert_eq!(
            warnings("{% for x in y step:2 %}{% endfor %}"),
            ["19..20 `step` has no effect here"]
        );
    }
}
