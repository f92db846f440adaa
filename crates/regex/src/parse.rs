//! The second pass over a pattern: the tree.
//!
//! Groups that are open lie on a stack of our own; how deep they nest is bounded.

use crate::Options;
use crate::census::Census;
use crate::class::class;
use crate::error::Error;
use crate::group::{Kind, open};
use crate::node::{Anchor, MANY, Node, Unit};
use crate::reference::{Reference, backslash};
use crate::scan::{Scan, is_blank, is_special};
use crate::set::Set;
use crate::units::{raised, to_lower};

/// Groups nest this deep at most.
const MAX_DEPTH: usize = 200;
/// Patterns longer than this, in units, are refused.
const MAX_PATTERN: usize = 32 * 1024;

/// A group that is open.
struct Open {
    kind: Kind,
    /// Does what is in it go backward?
    back: bool,
    /// The options around it.
    outer: Options,
    /// Alternatives that are complete; of conditions the condition comes first.
    done: Vec<Node>,
    /// The alternative that is being read.
    list: Vec<Node>,
}

impl Open {
    fn new(kind: Kind, outer: Options, inner: Options) -> Self {
        let back = inner.has(Options::RIGHT_TO_LEFT);
        Self { kind, back, outer, done: Vec::new(), list: Vec::new() }
    }

    fn end_alternative(&mut self) {
        let mut list = std::mem::take(&mut self.list);
        if self.back {
            list.reverse();
        }
        self.done.push(Node::concat(list));
    }
}

/// The pass.
struct Parser<'a> {
    scan: Scan<'a>,
    census: &'a Census,
    open: Vec<Open>,
    group: Open,
    /// What was read last, if a quantifier may follow.
    unit: Option<Node>,
    /// The number of the next unnamed group.
    next: u32,
}

/// Refuses a pattern that is too long.
pub(crate) fn check_length(units: &[u16]) -> Result<(), Error> {
    if units.len() > MAX_PATTERN {
        return Err(Error::TooLarge(format!("is longer than {MAX_PATTERN} characters")));
    }
    Ok(())
}

/// Reads a pattern whose groups are known.
pub(crate) fn parse(units: &[u16], options: Options, census: &Census) -> Result<Node, Error> {
    let mut parser = Parser {
        scan: Scan::new(units, options),
        census,
        open: Vec::new(),
        group: Open::new(Kind::Plain, options, options),
        unit: None,
        next: 1,
    };
    parser.run()?;
    if !parser.open.is_empty() {
        return Err(parser.scan.error("Not enough )'s."));
    }
    parser.close_group()?;
    Ok(parser.unit.unwrap_or(Node::Empty))
}

impl Parser<'_> {
    fn run(&mut self) -> Result<(), Error> {
        let mut after_quantifier = false;
        loop {
            self.scan.skip_blank()?;
            let Some(next) = self.scan.peek() else { return Ok(()) };
            if matches!(next, b'*' | b'+' | b'?') || (next == b'{' && self.scan.at_quantifier()) {
                self.scan.at += 1;
                let sign = char::from(next);
                return Err(self.scan.error(if after_quantifier {
                    format!("Nested quantifier '{sign}'.")
                } else {
                    "Quantifier {x,y} following nothing.".to_owned()
                }));
            }
            after_quantifier = false;
            if self.item(next)? {
                after_quantifier = self.quantifier()?;
            }
        }
    }

    /// Reads one item; false if nothing may repeat it.
    fn item(&mut self, next: u8) -> Result<bool, Error> {
        let spaced = self.scan.has(Options::IGNORE_PATTERN_WHITESPACE);
        if !is_special(next) || next == b'{' || (spaced && is_blank(next)) {
            let unit = self.scan.next_unit().unwrap_or(0);
            self.unit = Some(self.literal(unit));
            return Ok(true);
        }
        self.scan.at += 1;
        self.unit = match next {
            b'(' => return self.open_group().map(|()| false),
            b'|' => {
                self.group.end_alternative();
                return Ok(false);
            }
            b')' => {
                self.close_group()?;
                return self.end_group();
            }
            b'[' => {
                let set = class(&mut self.scan)?;
                Some(self.one(Unit::Set(Box::new(set))))
            }
            b'\\' => Some(self.backslash()?),
            b'^' if self.scan.has(Options::MULTILINE) => Some(Node::Anchor(Anchor::LineBeginning)),
            b'^' => Some(Node::Anchor(Anchor::Beginning)),
            b'$' if self.scan.has(Options::MULTILINE) => Some(Node::Anchor(Anchor::LineEnd)),
            b'$' => Some(Node::Anchor(Anchor::LastLine)),
            _ if self.scan.has(Options::SINGLELINE) => Some(self.one(Unit::Any)),
            _ => Some(self.one(Unit::Not(u16::from(b'\n')))),
        };
        Ok(true)
    }

    fn one(&self, unit: Unit) -> Node {
        Node::Unit { unit, back: self.scan.has(Options::RIGHT_TO_LEFT) }
    }

    /// A unit as it stands; with `i`, every unit of the same lower case.
    fn literal(&self, unit: u16) -> Node {
        if !self.scan.has(Options::IGNORE_CASE) {
            return self.one(Unit::One(unit));
        }
        let lower = to_lower(unit);
        let mut others = raised(lower).peekable();
        if others.peek().is_none() {
            return self.one(Unit::One(lower));
        }
        self.one(Unit::Set(Box::new(Set::of(others.chain([lower])))))
    }

    fn backslash(&mut self) -> Result<Node, Error> {
        Ok(match backslash(&mut self.scan, Some(self.census))? {
            Reference::Unit(unit) => self.literal(unit),
            Reference::Set(set) => self.one(Unit::Set(Box::new(set))),
            Reference::Anchor(anchor) => Node::Anchor(anchor),
            Reference::Group(number) => Node::Reference {
                slot: self.census.slot(number).unwrap_or(0),
                folds: self.scan.has(Options::IGNORE_CASE),
                back: self.scan.has(Options::RIGHT_TO_LEFT),
                ecma: self.scan.has(Options::ECMA_SCRIPT),
            },
        })
    }

    fn open_group(&mut self) -> Result<(), Error> {
        let outer = self.scan.options;
        let in_test = self.group.kind == Kind::IfMatch;
        let Some(kind) = open(&mut self.scan, self.census, &mut self.next, in_test)? else {
            return Ok(());
        };
        if self.open.len() >= MAX_DEPTH {
            return Err(Error::TooLarge(format!("nests more than {MAX_DEPTH} groups")));
        }
        let inner = Open::new(kind, outer, self.scan.options);
        self.open.push(std::mem::replace(&mut self.group, inner));
        Ok(())
    }

    /// Makes a node of the group that ends.
    fn close_group(&mut self) -> Result<(), Error> {
        self.group.end_alternative();
        let mut done = std::mem::take(&mut self.group.done);
        self.unit = Some(match self.group.kind {
            Kind::Plain => Node::alternate(done),
            Kind::Capture { slot, taken } => {
                Node::Capture { slot, taken, node: Box::new(Node::alternate(done)) }
            }
            Kind::Look { negative } => {
                Node::Look { negative, node: Box::new(Node::alternate(done)) }
            }
            Kind::Atomic => Node::Atomic(Box::new(Node::alternate(done))),
            Kind::IfGroup(_) | Kind::IfMatch => {
                let has_test = matches!(self.group.kind, Kind::IfMatch);
                if done.len() > 2 + usize::from(has_test) {
                    return Err(self.scan.error("Too many | in (?()|)."));
                }
                let mut parts = done.drain(..).map(Box::new);
                let empty = || Box::new(Node::Empty);
                match self.group.kind {
                    Kind::IfGroup(slot) => Node::IfGroup {
                        slot,
                        yes: parts.next().unwrap_or_else(empty),
                        no: parts.next().unwrap_or_else(empty),
                    },
                    _ => Node::IfMatch {
                        test: parts.next().unwrap_or_else(empty),
                        yes: parts.next().unwrap_or_else(empty),
                        no: parts.next().unwrap_or_else(empty),
                    },
                }
            }
        });
        Ok(())
    }

    /// Goes on in the group around; false if what ended was a condition.
    fn end_group(&mut self) -> Result<bool, Error> {
        let Some(around) = self.open.pop() else {
            return Err(self.scan.error("Too many )'s."));
        };
        let ended = std::mem::replace(&mut self.group, around);
        self.scan.options = ended.outer;
        if matches!(self.group.kind, Kind::IfMatch) && self.group.done.is_empty() {
            self.group.done.extend(self.unit.take());
            return Ok(false);
        }
        Ok(true)
    }

    /// Reads the quantifier of the last item, if there is one.
    fn quantifier(&mut self) -> Result<bool, Error> {
        let Some(node) = self.unit.take() else { return Ok(false) };
        self.scan.skip_blank()?;
        if !self.scan.at_quantifier() {
            self.group.list.push(node);
            return Ok(false);
        }
        let (min, max) = match self.scan.next() {
            Some(b'*') => (0, MANY),
            Some(b'+') => (1, MANY),
            Some(b'?') => (0, 1),
            _ => self.counts()?,
        };
        self.scan.skip_blank()?;
        let lazy = self.scan.take(b'?');
        if min > max {
            return Err(self.scan.error("Illegal {x,y} with x > y."));
        }
        self.group.list.push(match (min, max) {
            (0, 0) => Node::Empty,
            (1, 1) => node,
            _ => Node::repeat(node, min, max, lazy),
        });
        Ok(true)
    }

    fn counts(&mut self) -> Result<(u32, u32), Error> {
        let min = self.scan.decimal()?;
        let max = match self.scan.take(b',') {
            false => min,
            true if self.scan.peek() == Some(b'}') => MANY,
            true => self.scan.decimal()?,
        };
        self.scan.at += 1;
        Ok((min, max))
    }
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::Options;
    use crate::census::Census;

    fn error(pattern: &str) -> String {
        let units: Vec<u16> = pattern.encode_utf16().collect();
        let made = Census::of(&units, Options::NONE)
            .and_then(|census| parse(&units, Options::NONE, &census));
        made.map_or_else(|it| it.to_string(), |_| "none".to_owned())
    }

    #[test]
    fn wrong_patterns_are_refused_with_dotnets_words() {
        let cases = [
            ("(", "Invalid pattern '(' at offset 1. Not enough )'s."),
            (")", "Too many )'s."),
            ("[", "Unterminated [] set."),
            ("*a", "Quantifier {x,y} following nothing."),
            ("a|*", "Quantifier {x,y} following nothing."),
            ("(?i)*", "Quantifier {x,y} following nothing."),
            ("a**", "Invalid pattern 'a**' at offset 3. Nested quantifier '*'."),
            ("a++", "Nested quantifier '+'."),
            ("a{1}{2}", "Nested quantifier '{'."),
            ("a{2,1}", "Illegal {x,y} with x > y."),
            (r"\q", "Unrecognized escape sequence \\q."),
            (r"(a)\2", "Reference to undefined group number 2."),
            (r"\k<n>", "Reference to undefined group name 'n'."),
            ("(?<a-b>x)", "Reference to undefined group name 'b'."),
            ("(?<1a>x)", "Invalid group name"),
            ("(?z)", "Unrecognized grouping construct."),
            ("(a)(?(1)b|c|d)", "Too many | in (?()|)."),
            ("(?(1)b)", "reference to undefined group"),
            ("a\\", "Illegal \\ at end of pattern."),
            ("(?#", "Unterminated (?#...) comment."),
        ];
        for (pattern, message) in cases {
            assert!(error(pattern).contains(message), "{pattern}: {}", error(pattern));
        }
        assert_eq!(error(r"a{,3}(?<x>^*){2}(?(?=a)b|c)(?(x)\<x>)(?<-x>\s)[\w-[a]]"), "none");
    }

    #[test]
    fn how_deep_groups_nest_is_bounded() {
        assert!(error(&"(".repeat(1000)).contains("nests more than 200 groups"));
    }
}
