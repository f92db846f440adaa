//! Tokens to nodes: the parser that tags are written against.
//!
//! It goes on after a flaw, so that all of them are found.

use std::collections::HashSet;
use std::sync::Arc;

use dotnet::Str;
use dotnet::regex::{Options, Regex};

use crate::error::Flaw;
use crate::expr::{Expr, Part, Path};
use crate::filters::{self, FilterDef};
use crate::markup::{self, Commas, Markup};
use crate::node::{Computed, Filter, Node};
use crate::scan::{Token, Trimmed, tokens};
use crate::tags;
use crate::value::Value;

/// Blocks stand in each other this deep at most; DotLiquid's scopes end at 80.
pub(crate) const MAX_DEPTH: usize = 80;
/// Flaws that are told of one template.
const MAX_FLAWS: usize = 50;

/// Makes nodes of a template's text.
pub(crate) struct Parser<'a> {
    source: &'a Trimmed,
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
    /// Blocks are nested too deep: what follows is not read.
    gave_up: bool,
    flaws: Vec<Flaw>,
    warnings: Vec<Flaw>,
    /// The names that are used, each with the members that are known; empty: any.
    pub(crate) names: HashSet<Vec<Str>>,
}

/// How a block ended.
pub(crate) struct Ending<'a> {
    /// The tag that ended it; none at the end of the text.
    pub(crate) name: Option<&'a str>,
    /// What stands behind the tag's name.
    pub(crate) markup: Markup<'a>,
    pub(crate) tag: Markup<'a>,
}

/// What a parser found: the nodes, names used, flaws and warnings.
pub(crate) struct Parsed {
    pub(crate) nodes: Vec<Node>,
    pub(crate) names: HashSet<Vec<Str>>,
    pub(crate) flaws: Vec<Flaw>,
    pub(crate) warnings: Vec<Flaw>,
}

/// Makes nodes of a whole text.
pub(crate) fn parse(source: &Trimmed) -> Parsed {
    let mut flaws = Vec::new();
    let tokens = tokens(&source.text, &mut flaws);
    let mut parser = Parser {
        source,
        tokens,
        next: 0,
        depth: 0,
        gave_up: false,
        flaws: Vec::new(),
        warnings: Vec::new(),
        names: HashSet::new(),
    };
    for flaw in flaws {
        parser.flaw(flaw);
    }
    let (nodes, _) = parser.nodes(&[]);
    let Parser { names, flaws, warnings, .. } = parser;
    Parsed { nodes, names, flaws, warnings }
}

impl<'a> Parser<'a> {
    fn text(&self) -> &'a str {
        &self.source.text
    }

    /// The byte of the text as it was written.
    pub(crate) fn place(&self, markup: Markup<'_>) -> u32 {
        u32::try_from(self.source.source(markup.start)).unwrap_or(u32::MAX)
    }

    /// Notes a flaw, whose places are those of the trimmed text.
    pub(crate) fn flaw(&mut self, flaw: Flaw) {
        if self.flaws.len() < MAX_FLAWS {
            let flaw = self.placed(flaw);
            self.flaws.push(flaw);
        }
    }

    /// Notes a doubt.
    pub(crate) fn warn(&mut self, flaw: Flaw) {
        if self.warnings.len() < MAX_FLAWS {
            let flaw = self.placed(flaw);
            self.warnings.push(flaw);
        }
    }

    fn placed(&self, flaw: Flaw) -> Flaw {
        let start = self.source.source(flaw.span.start);
        // The last byte's place, not that of what follows: white space may be gone between.
        let end = match flaw.span.end {
            end if end > flaw.span.start => self.source.source(end - 1) + 1,
            _ => start,
        };
        Flaw { span: start..end.max(start), ..flaw }
    }

    /// The nodes up to a tag of these names.
    fn nodes(&mut self, ends: &[&str]) -> (Vec<Node>, Ending<'a>) {
        let mut nodes = Vec::new();
        while let Some(token) = self.tokens.get(self.next).cloned() {
            self.next += 1;
            match token {
                Token::Text(range) => {
                    let text = self.text().get(range).unwrap_or_default();
                    nodes.push(Node::Text(text.into()));
                }
                Token::Output(inner) => {
                    let markup = Markup::of(self.text(), inner.clone());
                    if let Some(output) = self.computed(markup) {
                        let at = self.source.source(inner.start.saturating_sub(2));
                        let at = u32::try_from(at).unwrap_or(u32::MAX);
                        nodes.push(Node::Output(Computed { at, ..output }));
                    }
                }
                Token::Tag { whole, name, markup } => {
                    let tag = Markup::of(self.text(), whole);
                    let name = Markup::of(self.text(), name);
                    let markup = Markup::of(self.text(), markup);
                    if ends.contains(&name.text) {
                        return (nodes, Ending { name: Some(name.text), markup, tag });
                    }
                    nodes.extend(self.tag(name, markup, tag).map(Node::Tag));
                }
            }
        }
        let end = Markup::of(self.text(), self.text().len()..self.text().len());
        (nodes, Ending { name: None, markup: end, tag: end })
    }

    fn tag(
        &mut self,
        name: Markup<'a>,
        markup: Markup<'a>,
        tag: Markup<'a>,
    ) -> Option<Box<dyn crate::node::Tag>> {
        if let Some(def) = tags::TAGS.iter().find(|it| it.name == name.text) {
            return (def.parse)(tags::Opening { name, markup, tag }, self);
        }
        let flaw = name.flaw(format!("unknown tag `{}`", name.text));
        let known = tags::TAGS.iter().map(|it| it.name);
        let similar = known.clone().find(|it| it.eq_ignore_ascii_case(name.text));
        self.flaw(match similar {
            Some(similar) => flaw.help(format!("did you mean `{similar}`?")),
            None if name.text.starts_with("end") => flaw.help("no block is open that it ends"),
            None => flaw.help(format!("tags are {}", known.collect::<Vec<_>>().join(", "))),
        });
        None
    }

    /// The nodes of a block up to its `end…` tag or one of `middles`; says so if it is not closed.
    pub(crate) fn block(
        &mut self,
        opening: &tags::Opening<'a>,
        middles: &[&str],
    ) -> (Vec<Node>, Ending<'a>) {
        let end = format!("end{}", opening.name.text);
        let mut ends = vec![end.as_str()];
        ends.extend(middles);
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("blocks stand in each other {MAX_DEPTH} deep at most");
            self.flaw(opening.tag.flaw(message));
            self.next = self.tokens.len();
            self.gave_up = true;
        }
        let (nodes, ending) = self.nodes(&ends);
        if ending.name.is_none() && !self.gave_up {
            let message = format!("`{}` is not closed: `{end}` is missing", opening.name.text);
            self.flaw(opening.tag.flaw(message));
        }
        self.depth -= 1;
        (nodes, ending)
    }

    /// The text up to the tag that ends a block, as it stands.
    pub(crate) fn raw(&mut self, opening: &tags::Opening<'a>) -> &'a str {
        let end = format!("end{}", opening.name.text);
        let start = opening.tag.span().end;
        while let Some(token) = self.tokens.get(self.next).cloned() {
            self.next += 1;
            if let Token::Tag { name, whole, .. } = &token
                && self.text().get(name.clone()) == Some(end.as_str())
            {
                return self.text().get(start..whole.start).unwrap_or_default();
            }
        }
        let message = format!("`{}` is not closed: `{end}` is missing", opening.name.text);
        self.flaw(opening.tag.flaw(message));
        ""
    }

    /// Reads a value; a flaw is noted.
    pub(crate) fn value(&mut self, markup: Markup<'_>) -> Expr {
        match markup::value(markup) {
            Ok(expr) => {
                self.note(&expr);
                expr
            }
            Err(flaw) => {
                self.flaw(flaw);
                Expr::Literal(Value::Nil)
            }
        }
    }

    fn note(&mut self, expr: &Expr) {
        match expr {
            Expr::Literal(_) => {}
            Expr::Range(ends) => {
                self.note(&ends.0);
                self.note(&ends.1);
            }
            Expr::Path(path) => {
                self.names.insert(path.names().unwrap_or_default());
                let Path { first, rest } = path;
                for part in std::iter::once(first).chain(rest) {
                    if let Part::Index(index) = part {
                        self.note(index);
                    }
                }
            }
        }
    }

    /// Reads a value with its filters; none if there is no value.
    pub(crate) fn computed(&mut self, markup: Markup<'_>) -> Option<Computed> {
        let at = self.place(markup.trim_start());
        let (name, rest) = markup.fragment(Commas::Belong)?;
        let value = self.value(name);
        let mut pieces = markup::pieces(rest).into_iter();
        // What stands between the value and its first filter counts nothing in DotLiquid.
        let ignored = pieces.next().map(Markup::trim).filter(|it| !it.is_empty());
        if let Some(ignored) = ignored {
            let flaw = ignored.flaw(format!("`{}` has no effect here", ignored.text));
            self.warn(flaw.help("filters stand behind `|`"));
        }
        let filters = pieces.filter_map(|it| self.filter(it)).collect();
        Some(Computed { at, value, filters })
    }

    fn filter(&mut self, piece: Markup<'_>) -> Option<Filter> {
        let piece = piece.trim();
        let Some(name) = piece.word() else {
            self.flaw(Flaw::new(
                piece.start.saturating_sub(1)..piece.span().end.max(piece.start),
                "a filter begins with its name",
            ));
            return None;
        };
        let mut flaws = Vec::new();
        let arguments = markup::arguments(piece.from(name.text.len()), &mut flaws);
        flaws.into_iter().for_each(|it| self.flaw(it));
        let args: Vec<Expr> = arguments.iter().map(|it| self.value(*it)).collect();
        let Some((filter, is_ruby)) = filters::find(name.text) else {
            let flaw = name.flaw(format!("unknown filter `{}`", name.text));
            self.flaw(match filters::similar(name.text) {
                Some(similar) => flaw.help(format!("did you mean `{similar}`?")),
                None => flaw.help("filters are spelt as in C#: `Upcase`, `DividedBy`, `Date`"),
            });
            return None;
        };
        if !(filter.min..=filter.max).contains(&args.len()) {
            self.flaw(name.flaw(count_message(filter, args.len())));
            return None;
        }
        if let Err(message) = (filter.check)(&args) {
            self.flaw(name.flaw(message));
        }
        let pattern = self.pattern(filter, &args, &arguments);
        Some(Filter { at: self.place(name), filter, args, pattern, is_ruby })
    }

    /// The pattern of a filter that takes one, if it is a literal.
    fn pattern(
        &mut self,
        filter: &FilterDef,
        args: &[Expr],
        arguments: &[Markup<'_>],
    ) -> Option<Arc<Regex>> {
        if !filter.has_pattern {
            return None;
        }
        let pattern = args.first()?.as_literal()?.to_text();
        match Regex::new(&pattern, Options::NONE) {
            Ok(regex) => Some(Arc::new(regex)),
            Err(fault) => {
                if let Some(argument) = arguments.first() {
                    let flaw = argument.flaw(fault.message);
                    self.flaw(flaw.help(format!("`{}` takes a regular expression", filter.name)));
                }
                None
            }
        }
    }
}

fn count_message(filter: &FilterDef, n_args: usize) -> String {
    let FilterDef { name, min, max, .. } = filter;
    let wanted = match (min, max) {
        (0, 0) => "no argument".to_owned(),
        (1, 1) => "one argument".to_owned(),
        (min, max) if min == max => format!("{min} arguments"),
        (min, max) => format!("{min} to {max} arguments"),
    };
    format!("filter `{name}` takes {wanted}, not {n_args}")
}

#[cfg(test)]
mod tests {
    use crate::template::test::{flaws, warnings};

    #[test]
    fn all_flaws_are_told_at_their_places() {
        for (template, expected) in [
            ("{{ a | Upcse }}", vec!["7..12 unknown filter `Upcse`"]),
            ("{{ a | }}", vec!["6..7 a filter begins with its name"]),
            ("{{ a | Append }}", vec!["7..13 filter `Append` takes one argument, not 0"]),
            ("{{ a | Upcase: 1 }}", vec!["7..13 filter `Upcase` takes no argument, not 1"]),
            ("{{ a | Date: 1, 2 }}", vec!["7..11 filter `Date` takes one argument, not 2"]),
            ("{{ $ }}", vec!["3..4 `$` is neither a name nor a literal"]),
            ("{% fo %}{% endfo %}", vec!["3..5 unknown tag `fo`", "11..16 unknown tag `endfo`"]),
            (
                "{% if a %}{{ b | X }}",
                vec!["17..18 unknown filter `X`", "0..10 `if` is not closed: `endif` is missing"],
            ),
            (
                "{% raw %}{{ b",
                vec![
                    "9..11 output is not closed: `{{` without `}}`",
                    "0..9 `raw` is not closed: `endraw` is missing",
                ],
            ),
            (
                "{{ a | Append: 'b }}",
                vec![
                    "15..17 the quoted text is not closed",
                    "7..13 filter `Append` takes one argument, not 0",
                ],
            ),
            (
                "  {{- a | X -}}  {{ b | Y }}",
                vec!["10..11 unknown filter `X`", "24..25 unknown filter `Y`"],
            ),
        ] {
            assert_eq!(flaws(template), expected, "{template}");
        }
    }

    #[test]
    fn what_counts_nothing_is_a_warning() {
        assert_eq!(warnings("{{ a b | Upcase }}"), ["5..6 `b` has no effect here"]);
        assert_eq!(warnings("{{ a | Upcase }}{{ }}"), Vec::<String>::new());
    }

    #[test]
    fn blocks_are_nested_within_a_bound() {
        let nested = |n: usize| format!("{}{}", "{% if a %}".repeat(n), "{% endif %}".repeat(n));
        assert_eq!(flaws(&nested(80)), Vec::<String>::new());
        assert_eq!(flaws(&nested(81)), ["800..810 blocks stand in each other 80 deep at most"]);
        assert_eq!(flaws(&nested(100_000)).len(), 1);
    }
}
