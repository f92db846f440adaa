//! `{% tablerow item in list cols:2 limit:3 offset:1 %}…{% endtablerow %}`: rows and cells of HTML.
//!
//! `tablerowloop` has `length`, `index`, `index0`, `rindex`, `rindex0`, `first`, `last`, `col`,
//! `col0`, `col_first`, `col_last`. Lines end as on Windows, where Azure's engine runs.

use dotnet::Str;

use super::Opening;
use super::for_each::head;
use crate::error::{At, Failed, Stop};
use crate::expr::Expr;
use crate::markup::attributes;
use crate::node::{Flow, Node, Tag};
use crate::parse::Parser;
use crate::render::{Out, RenderCx};
use crate::value::Value;

#[derive(Debug)]
struct TableRow {
    at: u32,
    variable: Str,
    list: Expr,
    cols: Option<Expr>,
    limit: Option<Expr>,
    offset: Option<Expr>,
    nodes: Vec<Node>,
}

pub(crate) fn parse<'a>(opening: Opening<'a>, parser: &mut Parser<'a>) -> Option<Box<dyn Tag>> {
    let head = head(opening.markup);
    if head.is_none() {
        let flaw = opening.tag.flaw("`tablerow` needs a name and a list");
        parser.flaw(flaw.help("write {% tablerow item in list cols:2 %}"));
    }
    let list = head.map_or(Expr::Literal(Value::Nil), |it| parser.value(it.1));
    let (mut cols, mut limit, mut offset) = (None, None, None);
    for (name, value) in attributes(opening.markup) {
        let value = Some(parser.value(value));
        match name {
            "cols" => cols = value,
            "limit" => limit = value,
            "offset" => offset = value,
            _ => {}
        }
    }
    let (nodes, _) = parser.block(&opening, &[]);
    let (variable, ..) = head?;
    let variable = variable.text.into();
    let at = parser.place(opening.tag);
    Some(Box::new(TableRow { at, variable, list, cols, limit, offset, nodes }))
}

impl TableRow {
    /// The items and how many stand in a row.
    fn items(&self, cx: &mut RenderCx<'_>) -> Result<Option<(Vec<Value>, usize)>, Stop> {
        let list = cx.eval(&self.list)?;
        let Some(n_items) = list.len() else { return Ok(None) };
        let number = |expr: &Option<Expr>, cx: &mut RenderCx<'_>| -> Result<Option<usize>, Stop> {
            let Some(expr) = expr else { return Ok(None) };
            let value = cx.eval(expr)?.to_int()?.unwrap_or(0);
            Ok(Some(usize::try_from(value).unwrap_or(0)))
        };
        let from = number(&self.offset, cx)?.unwrap_or(0);
        let limit = number(&self.limit, cx)?.unwrap_or(usize::MAX);
        let mut items = Vec::new();
        for at in from..n_items.min(from.saturating_add(limit)) {
            cx.budget.steps(1)?;
            items.extend(list.item(at));
        }
        let cols = number(&self.cols, cx)?.unwrap_or(items.len());
        Ok(Some((items, cols)))
    }
}

fn tablerowloop(at: usize, length: usize, col: usize, cols: usize) -> Value {
    let int = |value: usize| Value::Int(i32::try_from(value).unwrap_or(i32::MAX));
    Value::hash([
        ("length", int(length)),
        ("index", int(at + 1)),
        ("index0", int(at)),
        ("col", int(col + 1)),
        ("col0", int(col)),
        ("rindex", int(length - at)),
        ("rindex0", int(length - at - 1)),
        ("first", Value::Bool(at == 0)),
        ("last", Value::Bool(at + 1 == length)),
        ("col_first", Value::Bool(col == 0)),
        ("col_last", Value::Bool(col + 1 == cols)),
    ])
}

impl Tag for TableRow {
    fn render(&self, out: &mut Out, cx: &mut RenderCx<'_>) -> Result<Flow, Failed> {
        cx.budget.steps(1).at(self.at)?;
        let Some((items, cols)) = self.items(cx).at(self.at)? else { return Ok(Flow::Next) };
        let (length, outer) = (items.len(), cx.scopes.len());
        let (mut row, mut col) = (1, 0);
        out.push("<tr class=\"row1\">\r\n", cx).at(self.at)?;
        for (at, item) in items.into_iter().enumerate() {
            cx.budget.steps(1).at(self.at)?;
            cx.scopes.truncate(outer);
            cx.scopes.push((self.variable.clone(), item));
            let state = tablerowloop(at, length, col, cols);
            cx.scopes.push((Str::from_static("tablerowloop"), state));
            col += 1;
            let (flow, text) = cx.capture(&self.nodes)?;
            if flow != Flow::Next {
                cx.scopes.truncate(outer);
                return Ok(flow);
            }
            let cell = format!("<td class=\"col{col}\">{text}</td>");
            out.push(&cell, cx).at(self.at)?;
            if col == cols && at + 1 != length {
                col = 0;
                row += 1;
                let line = format!("</tr>\r\n<tr class=\"row{row}\">");
                out.push(&line, cx).at(self.at)?;
            }
        }
        cx.scopes.truncate(outer);
        out.push("</tr>\r\n", cx).at(self.at)?;
        Ok(Flow::Next)
    }
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, render};

    #[test]
    fn items_are_cells_of_rows() {
        for (template, expected) in [
            (
                "{% tablerow n in (1..3) cols:2 %}{{ n }}{% endtablerow %}",
                "<tr class=\"row1\">\r\n<td class=\"col1\">1</td><td class=\"col2\">2</td></tr>\r\n<tr class=\"row2\"><td class=\"col1\">3</td></tr>\r\n",
            ),
            (
                "{% tablerow n in (1..9) limit:1 offset:4 %}{{ n }}{{ tablerowloop.col_last }}{% endtablerow %}",
                "<tr class=\"row1\">\r\n<td class=\"col1\">5true</td></tr>\r\n",
            ),
            ("{% tablerow n in nothing cols:2 %}x{% endtablerow %}", ""),
        ] {
            assert_eq!(render(template), expected, "{template}");
        }
        let found = flaws("{% tablerow n %}{% endtablerow %}");
        assert_eq!(found, ["0..16 `tablerow` needs a name and a list"]);
    }
}
